#include "ptnas/select/scoring.h"

#include <algorithm>
#include <optional>

namespace ptnas {

namespace {

// The weights that a batch is put to.
class RunningWeights {
 public:
  explicit RunningWeights(const std::vector<ArchitectureWeights>& all)
      : all_(all), runs_(all.size(), true), running_(all) {}

  void set(std::vector<bool> runs) {
    if (runs == runs_) return;
    runs_ = std::move(runs);
    running_.clear();
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (runs_[i]) running_.push_back(all_[i]);
    }
  }
  const std::vector<ArchitectureWeights>& running() const { return running_; }

  // Logits by their place among all weights; undefined for those that do not run.
  std::vector<torch::Tensor> spread(std::vector<torch::Tensor> logits) const {
    if (logits.size() == all_.size()) return logits;
    std::vector<torch::Tensor> result(all_.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (runs_[i]) result[i] = std::move(logits.at(next++));
    }
    return result;
  }

 private:
  const std::vector<ArchitectureWeights>& all_;
  std::vector<bool> runs_;
  std::vector<ArchitectureWeights> running_;
};

}  // namespace

std::vector<Measured> score_weights(Supernet& network, const std::vector<ArchitectureWeights>& weights,
                                    const ScoringImages& images, const ScoringMode& mode) {
  if (mode.updates_statistics && weights.size() > 1) {
    std::vector<Measured> scores;
    for (const ArchitectureWeights& one : weights)
      scores.push_back(std::move(score_weights(network, {one}, images, mode).front()));
    return scores;
  }
  network.train();
  std::optional<FrozenStatistics> frozen;
  if (!mode.updates_statistics) frozen.emplace(network);
  RunningWeights running(weights);
  PassExtras extras{true, {}};
  if (mode.going_on) {
    extras.after_batch = [&](const std::vector<Evaluation>& so_far, std::int64_t batches) {
      running.set(mode.going_on(so_far, batches));
      return !running.running().empty();
    };
  }
  std::vector<Evaluation> evaluations = evaluate_many(
      mode.dataset, images.plan_of, images.batches, weights.size(),
      [&](const torch::Tensor& batch, std::int64_t number) {
        if (mode.before_batch) mode.before_batch(running.running().size());
        return running.spread(network.forward_many(
            batch, running.running(), {mode.seed, mode.first_step + static_cast<std::uint64_t>(number)}));
      },
      mode.format, mode.device, mode.loader_threads, extras);
  std::vector<Measured> scores;
  for (Evaluation& evaluation : evaluations)
    scores.push_back({{evaluation.loss, evaluation.top1()}, std::move(evaluation.of_images)});
  return scores;
}

}  // namespace ptnas
