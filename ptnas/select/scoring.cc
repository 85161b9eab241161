#include "ptnas/select/scoring.h"

#include <optional>

namespace ptnas {

std::vector<Score> score_weights(Supernet& network, const std::vector<ArchitectureWeights>& weights,
                                 const ScoringImages& images, const ScoringMode& mode) {
  if (mode.updates_statistics && weights.size() > 1) {
    std::vector<Score> scores;
    for (const ArchitectureWeights& one : weights)
      scores.push_back(score_weights(network, {one}, images, mode).front());
    return scores;
  }
  network.train();
  std::optional<FrozenStatistics> frozen;
  if (!mode.updates_statistics) frozen.emplace(network);
  const std::vector<Evaluation> evaluations = evaluate_many(
      mode.dataset, images.plan_of, images.batches, weights.size(),
      [&](const torch::Tensor& batch, std::int64_t number) {
        if (mode.before_batch) mode.before_batch();
        return network.forward_many(batch, weights,
                                    {mode.seed, mode.first_step + static_cast<std::uint64_t>(number)});
      },
      mode.format, mode.device, mode.loader_threads);
  std::vector<Score> scores;
  for (const Evaluation& evaluation : evaluations) scores.push_back({evaluation.loss, evaluation.top1()});
  return scores;
}

}  // namespace ptnas
