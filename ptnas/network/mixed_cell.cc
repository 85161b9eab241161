#include "ptnas/network/mixed_cell.h"

#include <fmt/format.h>

#include "ptnas/network/cell_engine.h"
#include "ptnas/network/engine_check.h"
#include "ptnas/network/residual_block.h"

namespace ptnas {

namespace {

int stride_of(const CellPlace& place, int from) {
  return place.type == CellType::kReduction && from < 2 ? 2 : 1;
}

// The modules of a cell under the published names.
struct CellModules {
  std::shared_ptr<Preprocess> older, newer;                         // absent in NAS-Bench-201
  std::vector<std::vector<std::shared_ptr<Operation>>> operations;  // by edge and candidate

  CellModules(torch::nn::Module& cell, const SearchSpace& space, const CellPlace& place) {
    const bool is_darts = space.family == Family::kDarts;
    if (is_darts) {
      older = cell.register_module("preprocess0", make_older_preprocess(place, /*affine=*/false));
      newer = cell.register_module("preprocess1", make_newer_preprocess(place, /*affine=*/false));
    }
    auto edges = cell.register_module(is_darts ? "_ops" : "edges", std::make_shared<torch::nn::Module>());
    for (int e = 0; e < space.edge_count(); ++e) {
      const auto candidates = is_darts ? darts_edge(*edges, e) : nb201_edge(*edges, space.edge(e));
      const OperationUse use = is_darts ? OperationUse::kSearch : OperationUse::kSearchNasBench201;
      operations.emplace_back();
      for (const OperationKind kind : space.of(place.type)[static_cast<std::size_t>(e)]) {
        auto operation = make_operation(kind, {place.channels, stride_of(place, space.edge(e).from), use});
        candidates->register_module(std::to_string(operations.back().size()), operation);
        operations.back().push_back(std::move(operation));
      }
    }
  }

 private:
  static std::shared_ptr<torch::nn::Module> darts_edge(torch::nn::Module& edges, int edge) {
    auto own = edges.register_module(std::to_string(edge), std::make_shared<torch::nn::Module>());
    return own->register_module("_ops", std::make_shared<torch::nn::Module>());
  }
  static std::shared_ptr<torch::nn::Module> nb201_edge(torch::nn::Module& edges, const Edge& edge) {
    const std::string name = fmt::format("{}<-{}", edge.node + 1, edge.from);
    return edges.register_module(name, std::make_shared<torch::nn::Module>());
  }
};

// The plain engine's way through a cell's modules.
class PlainPass {
 public:
  PlainPass(const SearchSpace& space, const CellPlace& place, const CellModules& modules)
      : space_(space), place_(place), modules_(modules) {}

  torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer, const EdgeWeights& weights,
                        const ForwardContext& context) const {
    std::vector<Source> states;
    if (modules_.older) states.emplace_back(modules_.older->forward(older));
    states.emplace_back(modules_.newer ? modules_.newer->forward(newer) : newer);
    std::vector<torch::Tensor> nodes;
    int edge = 0;
    for (int node = 0; node < space_.nodes; ++node) {
      torch::Tensor sum;
      for (int from = 0; from < node + space_.inputs(); ++from, ++edge) {
        const torch::Tensor mixed = mix_edge(edge, states[static_cast<std::size_t>(from)], weights, context);
        if (mixed.defined()) sum = sum.defined() ? sum + mixed : mixed;
      }
      // A node that nothing reaches is zero.
      if (!sum.defined()) sum = strided_zeros(states[0].value(), stride_of(place_, 0));
      states.emplace_back(sum);
      nodes.push_back(sum);
    }
    return output_nodes(space_.family, space_.nodes) == 1 ? nodes.back() : torch::cat(nodes, 1);
  }

 private:
  // The edge's weighted sum, undefined where nothing contributes. Sums associate as in the published program
  // (an edge first, then the node): a ReLU's gradient jumps at 0, so another rounding of its input can show
  // far above the rounding itself.
  torch::Tensor mix_edge(int edge, const Source& source, const EdgeWeights& weights,
                         const ForwardContext& context) const {
    const auto e = static_cast<std::size_t>(edge);
    torch::Tensor mixed;
    for (std::size_t o = 0; o < modules_.operations[e].size(); ++o) {
      // A weight of exactly 0: not computed, no statistics, no noise drawn.
      if (weights.host[e][o] == 0 && skips_zero_weights(space_.family)) continue;
      const torch::Tensor weighted =
          modules_.operations[e][o]->forward(source, context, place_.index * kPlacesPerCell + edge) *
          weights.each[e * static_cast<std::size_t>(weights.columns) + o];
      mixed = mixed.defined() ? mixed + weighted : weighted;
    }
    return mixed;
  }

  SearchSpace space_;
  CellPlace place_;
  const CellModules& modules_;
};

std::shared_ptr<CellEngine> make_engine(const SearchSpace& space, const CellPlace& place,
                                        const CellModules& modules) {
  CellGraph graph;
  graph.family = space.family;
  if (modules.older) graph.inputs = {modules.older->parts(), modules.newer->parts()};
  graph.channels = place.channels;
  graph.nodes = space.nodes;
  graph.index = place.index;
  for (int e = 0; e < space.edge_count(); ++e) {
    const Edge edge = space.edge(e);
    graph.edges.push_back({edge.from, edge.node, stride_of(place, edge.from), {}});
    for (const auto& operation : modules.operations[static_cast<std::size_t>(e)]) {
      graph.edges.back().operations.push_back(operation->parts());
    }
  }
  return std::make_shared<CellEngine>(std::move(graph));
}

class PlainCell final : public MixedCell {
 public:
  PlainCell(const SearchSpace& space, const CellPlace& place)
      : modules_(*this, space, place), plain_(space, place, modules_) {}

  torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer, const EdgeWeights& weights,
                        const ForwardContext& context) override {
    return plain_.forward(older, newer, weights, context);
  }

 private:
  CellModules modules_;
  PlainPass plain_;
};

class FusedCell final : public MixedCell {
 public:
  FusedCell(const SearchSpace& space, const CellPlace& place)
      : modules_(*this, space, place), engine_(make_engine(space, place, modules_)) {}

  torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer, const EdgeWeights& weights,
                        const ForwardContext& context) override {
    return engine_->forward(older, newer, {weights.host, weights.values, {}, context});
  }
  void forward_many(const torch::Tensor& older, const torch::Tensor& newer,
                    const std::vector<const EdgeWeights*>& weights, const ForwardContext& context,
                    const TakeOutput& take) override {
    std::vector<CellPass> passes;
    for (const EdgeWeights* one : weights) passes.push_back({one->host, {}, {}, context});
    engine_->forward_many(older, newer, passes, take);
  }

 private:
  CellModules modules_;
  std::shared_ptr<CellEngine> engine_;
};

// Both engines on the same modules.
class CheckedMixedCell final : public MixedCell {
 public:
  CheckedMixedCell(const SearchSpace& space, const CellPlace& place)
      : place_(place),
        modules_(*this, space, place),
        plain_(space, place, modules_),
        engine_(make_engine(space, place, modules_)) {}

  torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer, const EdgeWeights& weights,
                        const ForwardContext& context) override {
    const auto plain = [&](const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& values) {
      EdgeWeights own = weights;
      own.values = values;
      own.each = values.reshape({-1}).unbind(0);
      return plain_.forward(a, b, own, context);
    };
    const auto fused = [&](const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& values) {
      return engine_->forward(a, b, {weights.host, values, {}, context});
    };
    return check_cell({place_.index, plain, fused, parameters(), batch_norms(*this)}, older, newer,
                      weights.values);
  }

 private:
  CellPlace place_;
  CellModules modules_;
  PlainPass plain_;
  std::shared_ptr<CellEngine> engine_;
};

// NAS-Bench-201's reductions are not searched; the block's parameters stand without a prefix.
class ResidualCell final : public MixedCell {
 public:
  ResidualCell(const CellPlace& place, Engine engine) : block_(place.newer_channels, place.channels, engine) {
    for (const auto& child : block_.named_children()) register_module(child.key(), child.value());
  }
  torch::Tensor forward(const torch::Tensor&, const torch::Tensor& newer, const EdgeWeights&,
                        const ForwardContext&) override {
    return block_.forward(newer);
  }

 private:
  ResidualBlock block_;
};

}  // namespace

std::shared_ptr<Preprocess> make_older_preprocess(const CellPlace& place, bool affine) {
  if (place.after_reduction)
    return std::make_shared<FactorizedReduce>(place.older_channels, place.channels, affine);
  return std::make_shared<ReluConvBn>(place.older_channels, place.channels, affine);
}

std::shared_ptr<Preprocess> make_newer_preprocess(const CellPlace& place, bool affine) {
  return std::make_shared<ReluConvBn>(place.newer_channels, place.channels, affine);
}

std::shared_ptr<MixedCell> make_mixed_cell(const SearchSpace& space, const CellPlace& place, Engine engine) {
  if (space.of(place.type).empty()) return std::make_shared<ResidualCell>(place, engine);
  switch (engine) {
    case Engine::kPlain:
      return std::make_shared<PlainCell>(space, place);
    case Engine::kFused:
      return std::make_shared<FusedCell>(space, place);
    case Engine::kCheck:
      break;
  }
  return std::make_shared<CheckedMixedCell>(space, place);
}

}  // namespace ptnas
