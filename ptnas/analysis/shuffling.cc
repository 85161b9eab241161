#include "ptnas/analysis/shuffling.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "ptnas/analysis/supernet_walk.h"
#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/core/random.h"

namespace ptnas {

namespace {

double test_accuracy(const Dataset& dataset, const ShuffleOptions& options, const Forward& forward,
                     torch::MemoryFormat format, torch::Device device) {
  std::vector<std::int64_t> indices = all_indices(dataset, Part::kTest);
  const auto images = static_cast<std::int64_t>(indices.size());
  if (options.images > 0) indices.resize(static_cast<std::size_t>(std::min(options.images, images)));
  const std::int64_t batches = batch_count(static_cast<std::int64_t>(indices.size()), kEvaluationBatch);
  return evaluate(dataset, ordered_pass(Part::kTest, indices, kEvaluationBatch), batches, forward, format,
                  device, 1)
      .top1();
}

// One of each stage's pairs, uniformly; nothing for a stage that has none.
template <typename Pair>
std::vector<std::pair<std::size_t, Pair>> draw_pairs(const std::vector<std::vector<Pair>>& stages,
                                                     RandomStream stream) {
  std::vector<std::pair<std::size_t, Pair>> drawn;
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    if (!stages[stage].empty()) drawn.emplace_back(stage, stages[stage][stream.below(stages[stage].size())]);
  }
  return drawn;
}

std::map<std::string, torch::Tensor> tensors_under(torch::nn::Module& network, const std::string& prefix) {
  std::map<std::string, torch::Tensor> found;
  for (const bool buffers : {false, true}) {
    for (const auto& item : buffers ? network.named_buffers() : network.named_parameters()) {
      if (item.key().starts_with(prefix)) found[item.key().substr(prefix.size())] = item.value();
    }
  }
  return found;
}

// Edges' rows change places.
EdgeWeights with_rows_swapped(const SearchSpace& space, CellType type, const EdgeWeights& weights,
                              const EdgePair& pair) {
  torch::Tensor values = weights.values.clone();
  values[pair.first] = weights.values[pair.second];
  values[pair.second] = weights.values[pair.first];
  const CellType other = type == CellType::kNormal ? CellType::kReduction : CellType::kNormal;
  const torch::Tensor unread = torch::zeros({space.edge_count(), space.most_candidates(other)});
  return type == CellType::kNormal ? weights_of(space, values, unread).of(type)
                                   : weights_of(space, unread, values).of(type);
}

}  // namespace

double ShuffleResult::mean() const {
  return after.empty() ? 0
                       : std::accumulate(after.begin(), after.end(), 0.0) / static_cast<double>(after.size());
}

double ShuffleResult::deviation() const {
  if (after.size() < 2) return 0;
  double squares = 0;
  for (const double value : after) squares += std::pow(value - mean(), 2);
  return std::sqrt(squares / static_cast<double>(after.size() - 1));
}

std::vector<std::vector<LayerPair>> layer_pairs(const ReferenceNetwork& network) {
  std::vector<std::vector<LayerPair>> result;
  for (const std::vector<std::string>& layers : network.interchangeable()) {
    result.emplace_back();
    for (std::size_t a = 0; a < layers.size(); ++a) {
      for (std::size_t b = a + 1; b < layers.size(); ++b) result.back().emplace_back(layers[a], layers[b]);
    }
  }
  return result;
}

std::vector<std::vector<EdgePair>> edge_pairs(const Supernet& network) {
  const SearchSpace& space = network.space();
  std::vector<std::vector<EdgePair>> result;
  for (int cell = 0; cell < network.shape().cells; ++cell) {
    const CellType type = network.cell_type(cell);
    const auto is_strided = [&](int edge) {
      return type == CellType::kReduction && space.edge(edge).from < space.inputs();
    };
    result.emplace_back();
    for (int a = 0; a < space.edge_count(); ++a) {
      for (int b = a + 1; b < space.edge_count(); ++b) {
        if (is_strided(a) == is_strided(b) &&
            space.of(type)[static_cast<std::size_t>(a)] == space.of(type)[static_cast<std::size_t>(b)])
          result.back().emplace_back(a, b);
      }
    }
  }
  return result;
}

void swap_layers(torch::nn::Module& network, const LayerPair& pair) {
  const torch::NoGradGuard no_grad;
  const auto first = tensors_under(network, pair.first), second = tensors_under(network, pair.second);
  if (first.size() != second.size()) fail("{} and {} are not layers alike", pair.first, pair.second);
  for (const auto& [name, tensor] : first) {
    const auto other = second.find(name);
    if (other == second.end() || other->second.sizes() != tensor.sizes())
      fail("{} and {} are not layers alike: they differ in {}", pair.first, pair.second, name);
    const torch::Tensor kept = tensor.clone();
    tensor.detach().copy_(other->second);
    other->second.detach().copy_(kept);
  }
}

ShuffleResult shuffle_layers(ReferenceNetwork& network, const Dataset& dataset, const ShuffleOptions& options,
                             torch::MemoryFormat format, torch::Device device) {
  network.eval();
  const Forward forward = [&](const torch::Tensor& images, std::int64_t) {
    return network.forward(images, 0, {}).logits;
  };
  const auto pairs = layer_pairs(network);
  ShuffleResult result;
  result.before = test_accuracy(dataset, options, forward, format, device);
  for (std::int64_t shuffle = 0; shuffle < options.shuffles; ++shuffle) {
    const auto drawn = draw_pairs(
        pairs, RandomStream(options.seed, Purpose::kShuffledLayers, static_cast<std::uint64_t>(shuffle)));
    result.exchanged.emplace_back();
    for (const auto& [stage, pair] : drawn) {
      swap_layers(network, pair);
      result.exchanged.back().push_back(pair);
    }
    result.after.push_back(test_accuracy(dataset, options, forward, format, device));
    for (const auto& [stage, pair] : drawn) swap_layers(network, pair);
    log_info("shuffle {}/{}: {:.2f} %", shuffle + 1, options.shuffles, 100 * result.after.back());
  }
  return result;
}

ShuffleResult shuffle_edges(SupernetTrainer& trainer, const ShuffleOptions& options) {
  Supernet& network = trainer.network();
  network.eval();
  SupernetWalk walk(network);
  const ArchitectureWeights weights = trainer.architecture().weights(/*with_gradient=*/false);
  std::vector<EdgeWeights> by_cell;
  const auto reset = [&] {
    by_cell.clear();
    for (int cell = 0; cell < walk.cells(); ++cell) by_cell.push_back(weights.of(network.cell_type(cell)));
  };
  const auto accuracy = [&] {
    return test_accuracy(
        trainer.dataset(), options,
        [&](const torch::Tensor& images, std::int64_t batch) {
          return walk.forward(
              images, [&](int cell) -> const EdgeWeights& { return by_cell[static_cast<std::size_t>(cell)]; },
              {trainer.seed(), evaluation_step(trainer.steps(), batch)});
        },
        trainer.format(), trainer.device());
  };
  const auto layers_of = [](std::size_t cell, const EdgePair& pair) {
    return LayerPair{fmt::format("cells.{}._ops.{}.", cell, pair.first),
                     fmt::format("cells.{}._ops.{}.", cell, pair.second)};
  };
  const auto pairs = edge_pairs(network);
  ShuffleResult result;
  reset();
  result.before = accuracy();
  for (std::int64_t shuffle = 0; shuffle < options.shuffles; ++shuffle) {
    const auto drawn = draw_pairs(
        pairs, RandomStream(options.seed, Purpose::kShuffledLayers, static_cast<std::uint64_t>(shuffle)));
    result.exchanged.emplace_back();
    for (const auto& [cell, pair] : drawn) {
      result.exchanged.back().push_back(layers_of(cell, pair));
      swap_layers(network, result.exchanged.back().back());
      if (options.alpha_moves) {
        by_cell[cell] = with_rows_swapped(network.space(), network.cell_type(static_cast<int>(cell)),
                                          by_cell[cell], pair);
      }
    }
    result.after.push_back(accuracy());
    for (const LayerPair& pair : result.exchanged.back()) swap_layers(network, pair);
    reset();
    log_info("shuffle {}/{}: {:.2f} %", shuffle + 1, options.shuffles, 100 * result.after.back());
  }
  return result;
}

}  // namespace ptnas
