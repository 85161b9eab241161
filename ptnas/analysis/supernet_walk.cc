#include "ptnas/analysis/supernet_walk.h"

#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include "ptnas/core/error.h"
#include "ptnas/network/layout.h"

namespace ptnas {

namespace {

// The module of that name, which the supernet must have.
template <typename T>
std::shared_ptr<T> part(const torch::nn::Module& network, const std::string& name) {
  const auto modules = network.named_modules("", /*include_self=*/false);
  const auto* found = modules.find(name);
  auto typed = found != nullptr ? std::dynamic_pointer_cast<T>(*found) : nullptr;
  if (!typed) fail("the supernet has no part {} of the kind expected", name);
  return typed;
}

}  // namespace

SupernetWalk::SupernetWalk(Supernet& network) : network_(network) {
  if (network.space().family != Family::kDarts) {
    fail_usage(
        "expected a supernet of two inputs and concatenated nodes, found one of space {}; give another",
        network.space().name);
  }
  for (int cell = 0; cell < network.shape().cells; ++cell)
    cells_.push_back(part<MixedCell>(network, fmt::format("cells.{}", cell)));
}

torch::Tensor SupernetWalk::forward(const torch::Tensor& images, const WeightsOf& weights,
                                    const ForwardContext& context) {
  torch::Tensor older = part<Stem>(network_, "stem")->forward(images), newer = older;
  for (int cell = 0; cell < cells(); ++cell) {
    torch::Tensor output =
        cells_[static_cast<std::size_t>(cell)]->forward(older, newer, weights(cell), context);
    older = std::move(newer);
    newer = std::move(output);
  }
  return part<torch::nn::LinearImpl>(network_, "classifier")
      ->forward(part<Tail>(network_, "lastact")->forward(newer));
}

torch::Tensor SupernetWalk::record(const torch::Tensor& images, const WeightsOf& weights,
                                   const ForwardContext& context, const Take& take) {
  torch::Tensor older = part<Stem>(network_, "stem")->forward(images), newer = older;
  for (int cell = 0; cell < cells(); ++cell) {
    const CellRecord record = record_cell(cell, older, newer, weights(cell), context);
    take(cell, record);
    older = std::move(newer);
    newer = torch::cat(record.nodes, 1);
  }
  return part<torch::nn::LinearImpl>(network_, "classifier")
      ->forward(part<Tail>(network_, "lastact")->forward(newer));
}

CellRecord SupernetWalk::record_cell(int cell, const torch::Tensor& older, const torch::Tensor& newer,
                                     const EdgeWeights& weights, const ForwardContext& context) {
  const SearchSpace& space = network_.space();
  const std::string name = fmt::format("cells.{}.", cell);
  std::vector<Source> states = {part<Preprocess>(network_, name + "preprocess0")->forward(older),
                                part<Preprocess>(network_, name + "preprocess1")->forward(newer)};
  CellRecord record;
  int edge = 0;
  for (int node = 0; node < space.nodes; ++node) {
    torch::Tensor sum;
    for (int from = 0; from < node + space.inputs(); ++from, ++edge) {
      torch::Tensor mixed;
      record.operations.emplace_back();
      const std::vector<double>& row = weights.host[static_cast<std::size_t>(edge)];
      for (std::size_t o = 0; o < row.size(); ++o) {
        const auto operation = part<Operation>(network_, fmt::format("{}_ops.{}._ops.{}", name, edge, o));
        const torch::Tensor output =
            operation->forward(states[static_cast<std::size_t>(from)], context, cell * kPlacesPerCell + edge);
        record.operations.back().push_back(output);
        mixed = mixed.defined() ? mixed + row[o] * output : row[o] * output;
      }
      record.edges.push_back(mixed);
      sum = sum.defined() ? sum + mixed : mixed;
    }
    record.nodes.push_back(sum);
    states.emplace_back(sum);
  }
  return record;
}

}  // namespace ptnas
