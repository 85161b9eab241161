#include "ptnas/select/event_scorer.h"

#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/select/selection_record.h"

namespace ptnas {

EventScorer::EventScorer(SupernetTrainer& trainer, const SelectOptions& options, std::size_t event,
                         std::string label, std::int64_t passes, std::function<void()> between_batches)
    : trainer_(trainer), options_(options), event_(event), between_batches_(std::move(between_batches)) {
  const std::vector<std::int64_t>& validation = trainer.halves().validation;
  const std::int64_t size = options.scoring_batch;
  images_.batches = batch_count(static_cast<std::int64_t>(validation.size()), size);
  images_.plan_of = options.scoring_images == "fixed"
                        ? ordered_pass(Part::kTrain, validation, size)
                        : augmented_pass(validation, size, kSearchAugmentation, trainer.seed(), event);
  bar_.emplace(std::move(label), passes * images_.batches);
}

std::vector<Score> EventScorer::score(const std::vector<Mask>& masks) {
  if (options_.scoring_updates_statistics) {
    std::vector<Score> scores = score_sets({{}}, false);
    for (const Mask& mask : masks) scores.push_back(without(mask));
    return scores;
  }
  std::vector<std::vector<Mask>> sets = {{}};
  for (const Mask& mask : masks) sets.push_back({mask});
  return score_sets(sets, false);
}

Score EventScorer::without(const Mask& mask) {
  return score_sets({{mask}}, options_.scoring_updates_statistics).front();
}

std::vector<Score> EventScorer::score_sets(const std::vector<std::vector<Mask>>& sets,
                                           bool updates_statistics) {
  ScoringMode mode{trainer_.dataset(),
                   trainer_.format(),
                   trainer_.device(),
                   trainer_.loader_threads(),
                   updates_statistics,
                   trainer_.seed(),
                   scoring_step(static_cast<std::int64_t>(event_), 0)};
  const auto passes = static_cast<std::int64_t>(sets.size());
  mode.before_batch = [this, passes] {
    if (between_batches_) between_batches_();
    if (batches_done_ > 0)
      bar_->update(batches_done_, last_.loss, last_.accuracy, batches_done_ * options_.scoring_batch);
    batches_done_ += passes;
  };
  std::vector<ArchitectureWeights> weights;
  for (const std::vector<Mask>& masks : sets)
    weights.push_back(trainer_.architecture().weights(/*with_gradient=*/false, masks));
  std::vector<Score> scores = score_weights(trainer_.network(), weights, images_, mode);
  for (const Score& score : scores) {
    if (!std::isfinite(score.loss)) {
      fail(
          "the loss is {} while scoring event {} of the selection: the supernet has diverged; search again "
          "with a smaller learning rate, or lower --tune-learning-rate",
          score.loss, event_);
    }
  }
  last_ = scores.back();
  return scores;
}

int choose_by_perturbation(EventScorer& scorer, const SupernetTrainer& trainer, const SelectOptions& options,
                           CellType type, int edge, const std::vector<int>& operations, Json& event) {
  const Architecture& architecture = trainer.architecture();
  const std::vector<double> alpha = architecture.softmax(type)[static_cast<std::size_t>(edge)];
  const Criterion criterion = parse_criterion(options.criterion);
  const Ties ties = parse_ties(options.ties);
  event["images"] = trainer.halves().validation.size();
  std::vector<Mask> masks;
  for (const int o : operations) masks.push_back({type, edge, o});
  std::vector<Score> scores = scorer.score(masks);
  event["baseline"] = score_json(scores.front());
  scores.erase(scores.begin());
  event["scores"] = Json::array();
  for (std::size_t i = 0; i < operations.size(); ++i) {
    Json entry = Json::object();
    entry["operation"] = candidate_name(architecture.space(), type, edge, operations[i]);
    entry.update(score_json(scores[i]));
    entry["alpha"] = alpha[static_cast<std::size_t>(operations[i])];
    event["scores"].push_back(std::move(entry));
  }
  event["margin"] = *choice_margin(scores, criterion, ties);
  return operations[static_cast<std::size_t>(choose_operation(scores, criterion, ties))];
}

}  // namespace ptnas
