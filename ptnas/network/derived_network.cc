#include "ptnas/network/derived_network.h"

#include "ptnas/core/error.h"
#include "ptnas/core/random.h"
#include "ptnas/network/cell_engine.h"
#include "ptnas/network/engine_check.h"
#include "ptnas/network/layout.h"
#include "ptnas/network/residual_block.h"

namespace ptnas {

namespace {

// By sample: one Bernoulli(1 - p), scaled by 1 / (1 - p) (FractalNet's drop-path as DARTS schedules it).
std::vector<float> drop_path_factors(std::int64_t images, double probability, const ForwardContext& context,
                                     int place) {
  RandomStream stream(context.seed, Purpose::kDropPath, context.draw(place));
  std::vector<float> factors(static_cast<std::size_t>(images));
  for (float& factor : factors) {
    factor = stream.uniform() < probability ? 0.0f : static_cast<float>(1 / (1 - probability));
  }
  return factors;
}

}  // namespace

class DerivedNetwork::Cell : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer, double drop_path,
                                const ForwardContext& context) = 0;
};

// NAS-Bench-201's reductions; the block's parameters stand without a prefix.
class DerivedNetwork::ResidualCell final : public Cell {
 public:
  ResidualCell(const CellPlace& place, Engine engine) : block_(place.newer_channels, place.channels, engine) {
    for (const auto& child : block_.named_children()) register_module(child.key(), child.value());
  }
  torch::Tensor forward(const torch::Tensor&, const torch::Tensor& newer, double,
                        const ForwardContext&) override {
    return block_.forward(newer);
  }

 private:
  ResidualBlock block_;
};

class DerivedNetwork::GraphCell final : public Cell {
 public:
  GraphCell(const Genotype& genotype, const CellPlace& place, Engine engine)
      : family_(genotype.family), place_(place), nodes_(genotype.of(place.type)) {
    const bool is_darts = family_ == Family::kDarts;
    if (is_darts) {
      older_ = register_module("preprocess0", make_older_preprocess(place, /*affine=*/true));
      newer_ = register_module("preprocess1", make_newer_preprocess(place, /*affine=*/true));
    }
    auto operations = register_module(is_darts ? "_ops" : "layers", std::make_shared<torch::nn::Module>());
    for (const auto& node : nodes_) {
      for (const GenotypeEdge& edge : node) {
        auto operation =
            make_operation(edge.operation, {place.channels, stride_of(edge), OperationUse::kDerived});
        operations->register_module(std::to_string(operations_.size()), operation);
        operations_.push_back(std::move(operation));
      }
    }
    if (engine != Engine::kPlain) engine_ = std::make_shared<CellEngine>(graph());
    checked_ = engine == Engine::kCheck;
  }

  torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer, double drop_path,
                        const ForwardContext& context) override {
    const auto plain = [&](const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor&) {
      return forward_plain(a, b, drop_path, context);
    };
    const auto fused = [&](const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor&) {
      return forward_fused(a, b, drop_path, context);
    };
    if (!engine_) return plain(older, newer, {});
    if (!checked_) return fused(older, newer, {});
    return check_cell({place_.index, plain, fused, parameters(), batch_norms(*this)}, older, newer, {});
  }

 private:
  CellGraph graph() const {
    CellGraph graph;
    graph.family = family_;
    if (older_) graph.inputs = {older_->parts(), newer_->parts()};
    graph.channels = place_.channels;
    graph.nodes = static_cast<int>(nodes_.size());
    graph.index = place_.index;
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      for (const GenotypeEdge& edge : nodes_[node]) {
        const auto& operation = operations_[graph.edges.size()];
        graph.edges.push_back({edge.from, static_cast<int>(node), stride_of(edge), {operation->parts()}});
      }
    }
    return graph;
  }

  // Whether drop-path applies: to everything but identities, in training only.
  bool drops(const GenotypeEdge& edge, double drop_path) const {
    return is_training() && drop_path > 0 &&
           !(edge.operation == OperationKind::kSkipConnect && stride_of(edge) == 1);
  }
  int place_of(std::size_t index) const { return place_.index * kPlacesPerCell + static_cast<int>(index); }

  torch::Tensor forward_fused(const torch::Tensor& older, const torch::Tensor& newer, double drop_path,
                              const ForwardContext& context) {
    CellPass pass{std::vector(operations_.size(), std::vector<double>{1}), {}, {}, context};
    for (const auto& node : nodes_) {
      for (const GenotypeEdge& edge : node) {
        pass.factors.push_back(drops(edge, drop_path) ? drop_path_factors(newer.size(0), drop_path, context,
                                                                          place_of(pass.factors.size()))
                                                      : std::vector<float>());
      }
    }
    return engine_->forward(older, newer, pass);
  }

  torch::Tensor forward_plain(const torch::Tensor& older, const torch::Tensor& newer, double drop_path,
                              const ForwardContext& context) {
    std::vector<Source> states;
    if (older_) states.emplace_back(older_->forward(older));
    states.emplace_back(newer_ ? newer_->forward(newer) : newer);
    std::vector<torch::Tensor> outputs;
    std::size_t index = 0;
    for (const auto& node : nodes_) {
      torch::Tensor sum;
      for (const GenotypeEdge& edge : node) {
        torch::Tensor x = operations_[index]->forward(states[static_cast<std::size_t>(edge.from)], context,
                                                      place_of(index));
        if (drops(edge, drop_path)) {
          const std::vector<float> factors =
              drop_path_factors(x.size(0), drop_path, context, place_of(index));
          x = x * torch::tensor(factors).view({-1, 1, 1, 1}).to(x.device());
        }
        sum = sum.defined() ? sum + x : x;
        ++index;
      }
      states.emplace_back(sum);
      outputs.push_back(sum);
    }
    return output_nodes(family_, static_cast<int>(outputs.size())) == 1 ? outputs.back()
                                                                        : torch::cat(outputs, 1);
  }

  int stride_of(const GenotypeEdge& edge) const {
    return place_.type == CellType::kReduction && edge.from < 2 ? 2 : 1;
  }

  Family family_;
  CellPlace place_;
  std::vector<std::vector<GenotypeEdge>> nodes_;
  std::shared_ptr<Preprocess> older_, newer_;           // absent in NAS-Bench-201
  std::vector<std::shared_ptr<Operation>> operations_;  // in order of nodes and their edges
  std::shared_ptr<CellEngine> engine_;                  // of the fused engine, or absent
  bool checked_ = false;                                // against the plain one
};

// DARTS' auxiliary head: ReLU, average pool to 2x2, conv1x1 to 128, batch-norm, ReLU, conv2x2 to 768,
// batch-norm, ReLU, linear. The pool is 5 stride 3 on CIFAR's 8x8 maps, 5 stride 2 on ImageNet's 7x7 (others
// are averaged to 2x2); ImageNet's has no batch-norm after conv2x2.
class DerivedNetwork::AuxiliaryHead final : public torch::nn::Module {
 public:
  AuxiliaryHead(int channels, int classes, StemKind stem)
      : usual_side_(stem == StemKind::kCifar ? 8 : 7),
        squeeze_(make_convolution(channels, 128, 1)),
        expand_(make_convolution(128, 768, 2)) {
    auto features = register_module("features", std::make_shared<torch::nn::Module>());
    features->register_module("2", squeeze_);
    squeeze_norm_ = features->register_module("3", std::make_shared<BatchNorm>(128, true));
    features->register_module("5", expand_);
    if (stem == StemKind::kCifar)
      expand_norm_ = features->register_module("6", std::make_shared<BatchNorm>(768, true));
    classifier_ = register_module("classifier", torch::nn::Linear(768, classes));
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor x = torch::relu(input);
    if (!kChannelsLastIsRight) x = x.contiguous();
    x = x.size(2) == usual_side_ && x.size(3) == usual_side_
            ? torch::avg_pool2d(x, 5, usual_side_ - 5, 0, false, false)
            : torch::adaptive_avg_pool2d(x, {2, 2});
    x = torch::relu(squeeze_norm_->forward(squeeze_->forward(x)));
    x = expand_->forward(x);
    if (expand_norm_) x = expand_norm_->forward(x);
    return classifier_->forward(torch::relu(x).flatten(1));
  }

 private:
  std::int64_t usual_side_;
  torch::nn::Conv2d squeeze_{nullptr}, expand_{nullptr};
  std::shared_ptr<BatchNorm> squeeze_norm_, expand_norm_;
  torch::nn::Linear classifier_{nullptr};
};

DerivedNetwork::DerivedNetwork(Genotype genotype, const NetworkShape& shape, bool auxiliary, Engine engine)
    : genotype_(std::move(genotype)), shape_(shape) {
  count_network(genotype_, shape_);  // validates both
  if (auxiliary && genotype_.family == Family::kNasBench201) {
    fail_usage(
        "NAS-Bench-201's network has no auxiliary head; give --train-auxiliary-weight 0 (or leave it out)");
  }
  const int nodes = static_cast<int>(genotype_.cells[0].size());
  const std::vector<CellPlace> places =
      layout_cells(genotype_.family, shape.channels, shape.cells, nodes, shape.stem);
  if (shape.stem == StemKind::kImageNet) {
    imagenet_stem_ = std::make_unique<ImageNetStem>(*this, shape.image_channels, shape.channels);
  } else {
    stem_ = register_module(
        "stem", std::make_shared<Stem>(shape.image_channels, places.front().newer_channels, engine));
  }
  auto cells = register_module("cells", std::make_shared<torch::nn::Module>());
  for (const CellPlace& place : places) {
    cells_.push_back(
        cells->register_module(std::to_string(place.index), make_cell(genotype_, place, engine)));
  }
  auxiliary_cell_ = 2 * shape.cells / 3;
  if (auxiliary) {
    const int channels = nodes * places[static_cast<std::size_t>(auxiliary_cell_)].channels;
    auxiliary_ = register_module("auxiliary_head",
                                 std::make_shared<AuxiliaryHead>(channels, shape.classes, shape.stem));
  }
  const int features = output_channels(genotype_.family, places, nodes);
  tail_ = register_module("lastact", std::make_shared<Tail>(genotype_.family, features));
  classifier_ = register_module("classifier", torch::nn::Linear(features, shape.classes));
}

std::shared_ptr<DerivedNetwork::Cell> DerivedNetwork::make_cell(const Genotype& genotype,
                                                                const CellPlace& place, Engine engine) {
  if (genotype.of(place.type).empty()) return std::make_shared<ResidualCell>(place, engine);
  return std::make_shared<GraphCell>(genotype, place, engine);
}

ImageNetStem::Output DerivedNetwork::forward_stem(const torch::Tensor& images) {
  if (imagenet_stem_) return imagenet_stem_->forward(images);
  const torch::Tensor stem = stem_->forward(images);
  return {stem, stem};
}

DerivedNetwork::Output DerivedNetwork::forward(const torch::Tensor& images, double drop_path,
                                               const ForwardContext& context) {
  Output output;
  auto [older, newer] = forward_stem(images);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    torch::Tensor next = cells_[i]->forward(older, newer, drop_path, context);
    older = std::move(newer);
    newer = std::move(next);
    if (auxiliary_ && is_training() && static_cast<int>(i) == auxiliary_cell_)
      output.auxiliary = auxiliary_->forward(newer);
  }
  output.logits = classifier_->forward(tail_->forward(newer));
  return output;
}

}  // namespace ptnas
