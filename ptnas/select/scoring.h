#pragma once

#include <functional>
#include <vector>

#include "ptnas/network/supernet.h"
#include "ptnas/select/rules.h"
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
  std::function<void()> before_batch = {};  ///< may be empty; may throw
};

/// Loss and accuracy of the supernet under each of the weights (masks and all): training mode, batch
/// statistics. All in one pass over the images, where what they share is computed once; or, where running
/// statistics are updated, one after another.
std::vector<Score> score_weights(Supernet& network, const std::vector<ArchitectureWeights>& weights,
                                 const ScoringImages& images, const ScoringMode& mode);

}  // namespace ptnas
