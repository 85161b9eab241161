#include "ptnas/select/scoring.h"

#include <optional>

namespace ptnas {

Score score_weights(Supernet& network, const ArchitectureWeights& weights, const ScoringImages& images,
                    const ScoringMode& mode) {
  network.train();
  std::optional<FrozenStatistics> frozen;
  if (!mode.updates_statistics) frozen.emplace(network);
  const Evaluation evaluation = evaluate(
      mode.dataset, images.plan_of, images.batches,
      [&](const torch::Tensor& batch, std::int64_t number) {
        if (mode.before_batch) mode.before_batch();
        return network.forward(batch, weights,
                               {mode.seed, mode.first_step + static_cast<std::uint64_t>(number)});
      },
      mode.format, mode.device, mode.loader_threads);
  return {evaluation.loss, evaluation.top1()};
}

}  // namespace ptnas
