#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ptnas/network/reference_network.h"
#include "ptnas/train/evaluation.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

// Table 1: two layers (or edges) of equal shape and stride in each stage (cell) change places at test time,
// their weights and statistics moving along.

struct ShuffleOptions {
  std::int64_t shuffles = 20;
  std::int64_t images = 0;  ///< the first of the test part; 0: all
  std::uint64_t seed = 0;
  /// Supernet: an edge takes its softmax weights along, else only its operations move.
  bool alpha_moves = true;
};

/// Two layers that may change places, by the prefixes of their parameters and buffers.
using LayerPair = std::pair<std::string, std::string>;

/// Accuracies (fractions) on the test part, running statistics.
struct ShuffleResult {
  double before = 0;
  std::vector<double> after;  ///< by shuffle
  /// By shuffle, what changed places in each stage (cell) that has a pair.
  std::vector<std::vector<LayerPair>> exchanged;
  double mean() const;
  double deviation() const;  ///< of the shuffles, with n - 1; 0 of one
};

/// All pairs, by stage. A stage with fewer than two such layers has none and stays as it is.
std::vector<std::vector<LayerPair>> layer_pairs(const ReferenceNetwork& network);

/// Of each cell of a supernet, the pairs of edges of the same stride and candidates.
using EdgePair = std::pair<int, int>;
std::vector<std::vector<EdgePair>> edge_pairs(const Supernet& network);

/// Exchanges parameters and buffers under two prefixes, in place. Throws Error where they differ in names or
/// shapes.
void swap_layers(torch::nn::Module& network, const LayerPair& pair);

/// Both leave the network as it was, to the bit. `format` and `device` are the network's.
ShuffleResult shuffle_layers(ReferenceNetwork& network, const Dataset& dataset, const ShuffleOptions& options,
                             torch::MemoryFormat format, torch::Device device);
ShuffleResult shuffle_edges(SupernetTrainer& trainer, const ShuffleOptions& options);

}  // namespace ptnas
