#include "ptnas/select/event_scorer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ptnas/core/error.h"
#include "ptnas/select/confidence.h"
#include "ptnas/select/selection_record.h"

namespace ptnas {

EventScorer::EventScorer(SupernetTrainer& trainer, const SelectOptions& options, std::size_t event,
                         std::string label, std::int64_t passes, std::function<void()> between_batches)
    : trainer_(trainer), options_(options), event_(event), between_batches_(std::move(between_batches)) {
  const std::vector<std::int64_t>& validation = trainer.halves().validation;
  const std::int64_t size = options.scoring_batch;
  images_.batches = batch_count(image_count(), size);
  if (options.scoring_images == "augmented") {
    images_.plan_of = augmented_pass(validation, size, kSearchAugmentation, trainer.seed(), event);
  } else if (options.scoring == "early-stop") {
    // A part of the images speaks for all only where it is drawn at random.
    images_.plan_of = augmented_pass(validation, size, Augmentation{}, trainer.seed(), event);
  } else {
    images_.plan_of = ordered_pass(Part::kTrain, validation, size);
  }
  bar_.emplace(std::move(label), passes * images_.batches);
}

EventScores EventScorer::score(const std::vector<Mask>& masks, std::int64_t winners) {
  if (options_.scoring == "early-stop") return race(masks, winners);
  EventScores scores;
  scores.images = image_count();
  if (options_.scoring_updates_statistics) {
    scores.baseline = std::move(score_sets({{}}, mode(false)).front());
    for (const Mask& mask : masks) scores.candidates.push_back(without(mask));
  } else {
    std::vector<std::vector<Mask>> sets = {{}};
    for (const Mask& mask : masks) sets.push_back({mask});
    scores.candidates = score_sets(sets, mode(false));
    scores.baseline = std::move(scores.candidates.front());
    scores.candidates.erase(scores.candidates.begin());
  }
  scores.left.resize(masks.size());
  std::iota(scores.left.begin(), scores.left.end(), 0);
  return scores;
}

EventScores EventScorer::race(const std::vector<Mask>& masks, std::int64_t winners) {
  const std::vector<std::int64_t> looks = look_batches(images_.batches);
  EventScores scores;
  scores.images = image_count();
  scores.planned_looks = std::max<std::int64_t>(1, static_cast<std::int64_t>(looks.size()));
  Race race(masks.size(), {parse_criterion(options_.criterion), winners, options_.confidence, scores.images,
                           scores.planned_looks});
  ScoringMode mode = this->mode(false);
  mode.going_on = [&](const std::vector<Evaluation>& so_far, std::int64_t batches) {
    if (std::binary_search(looks.begin(), looks.end(), batches)) {
      std::vector<const ImageResults*> results;
      for (std::size_t i = 1; i < so_far.size(); ++i) results.push_back(&so_far[i].of_images);
      race.look(results);
    }
    std::vector<bool> runs(so_far.size(), false);
    if (race.decided()) return runs;
    runs.front() = true;  // the supernet as it stands
    for (const int candidate : race.running()) runs[static_cast<std::size_t>(candidate) + 1] = true;
    return runs;
  };
  std::vector<std::vector<Mask>> sets = {{}};
  for (const Mask& mask : masks) sets.push_back({mask});
  scores.candidates = score_sets(sets, mode);
  scores.baseline = std::move(scores.candidates.front());
  scores.candidates.erase(scores.candidates.begin());
  scores.left = race.running();
  scores.looks = race.looks();
  return scores;
}

Measured EventScorer::without(const Mask& mask) {
  return std::move(score_sets({{mask}}, mode(options_.scoring_updates_statistics)).front());
}

ScoringMode EventScorer::mode(bool updates_statistics) const {
  return {trainer_.dataset(),
          trainer_.format(),
          trainer_.device(),
          trainer_.loader_threads(),
          updates_statistics,
          trainer_.seed(),
          scoring_step(static_cast<std::int64_t>(event_), 0)};
}

std::vector<Measured> EventScorer::score_sets(const std::vector<std::vector<Mask>>& sets, ScoringMode mode) {
  mode.before_batch = [this](std::size_t passes) {
    if (between_batches_) between_batches_();
    if (batches_done_ > 0)
      bar_->update(batches_done_, last_.loss, last_.accuracy, batches_done_ * options_.scoring_batch);
    batches_done_ += static_cast<std::int64_t>(passes);
  };
  std::vector<ArchitectureWeights> weights;
  for (const std::vector<Mask>& masks : sets)
    weights.push_back(trainer_.architecture().weights(/*with_gradient=*/false, masks));
  std::vector<Measured> scores = score_weights(trainer_.network(), weights, images_, mode);
  for (const Measured& measured : scores) {
    if (!std::isfinite(measured.score.loss)) {
      fail(
          "the loss is {} while scoring event {} of the selection: the supernet has diverged; search again "
          "with a smaller learning rate, or lower --tune-learning-rate",
          measured.score.loss, event_);
    }
  }
  last_ = scores.back().score;
  return scores;
}

int choose_by_perturbation(EventScorer& scorer, const SupernetTrainer& trainer, const SelectOptions& options,
                           CellType type, int edge, const std::vector<int>& operations, Json& event) {
  const Architecture& architecture = trainer.architecture();
  const std::vector<double> alpha = architecture.softmax(type)[static_cast<std::size_t>(edge)];
  std::vector<Mask> masks;
  std::vector<Json> names;
  for (const int o : operations) {
    masks.push_back({type, edge, o});
    names.emplace_back(candidate_name(architecture.space(), type, edge, o));
  }
  const EventScores scores = scorer.score(masks, /*winners=*/1);
  put_measured(event, scores, names);
  event["scores"] = Json::array();
  for (std::size_t i = 0; i < operations.size(); ++i) {
    Json entry = Json::object();
    entry["operation"] = names[i];
    entry.update(candidate_json(scores, i));
    entry["alpha"] = alpha[static_cast<std::size_t>(operations[i])];
    event["scores"].push_back(std::move(entry));
  }
  const int chosen = best_left(scores, 1, options).front();
  if (scores.left.size() == operations.size()) {
    event["margin"] =
        *choice_margin(left_scores(scores), parse_criterion(options.criterion), parse_ties(options.ties));
  }
  put_tests(event, scores, {chosen}, names, options);
  return operations[static_cast<std::size_t>(chosen)];
}

}  // namespace ptnas
