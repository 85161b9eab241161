#pragma once

#include <functional>
#include <vector>

#include "ptnas/network/supernet.h"
#include "ptnas/select/pair_comparison.h"
#include "ptnas/train/evaluation.h"

namespace ptnas {

/// Where a scoring event gets its images: the same for all its candidates.
struct ScoringImages {
  std::function<BatchPlan(std::int64_t)> plan_of;
  std::int64_t batches = 0;
};

/// How masked passes run.
struct ScoringMode {
  const Dataset& dataset;
  torch::MemoryFormat format = torch::MemoryFormat::ChannelsLast;
  torch::Device device = torch::kCPU;
  int loader_threads = 1;
  bool updates_statistics = false;  ///< masked passes update running statistics (preset `released`)
  std::uint64_t seed = 0;
  /// The forward pass of batch b has step first_step + b, for all candidates of an event.
  std::uint64_t first_step = 0;
  /// Gets the number of weights that the batch is put to; may be empty; may throw.
  std::function<void(std::size_t)> before_batch = {};
  /// After each batch, with what there is so far (losses still sums) and the number of batches done: which of
  /// the weights go on; none ends the pass. Empty: all, to the end.
  std::function<std::vector<bool>(const std::vector<Evaluation>&, std::int64_t)> going_on = {};
};

/// Loss and accuracy of the supernet under each of the weights (masks and all), and each image's: training
/// mode, batch statistics. All in one pass over the images, where what they share is computed once; or, where
/// running statistics are updated, one after another. Which others go on with it changes no bit of a score.
std::vector<Measured> score_weights(Supernet& network, const std::vector<ArchitectureWeights>& weights,
                                    const ScoringImages& images, const ScoringMode& mode);

}  // namespace ptnas
