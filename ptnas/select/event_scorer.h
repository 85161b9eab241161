#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ptnas/core/log.h"
#include "ptnas/select/race.h"
#include "ptnas/select/scoring.h"
#include "ptnas/select/select_options.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// What one decision measured.
struct EventScores {
  Measured baseline;                   ///< the supernet as it stands
  std::vector<Measured> candidates;    ///< without each mask
  std::vector<int> left;               ///< candidates that were not dropped; exact scoring: all
  std::int64_t images = 0;             ///< of the full evaluation
  std::vector<Race::Look> looks = {};  ///< of early-stop
  std::int64_t planned_looks = 1;      ///< over which its error is spent
};

/// The scores of one decision: all on the same images, with the same noise, and with one progress bar. Lives
/// as long as the decision takes; `trainer` and `options` must outlive it. Throws Error where a loss is not
/// finite, and what `between_batches` (may be empty) throws.
class EventScorer {
 public:
  /// `event`: its number, from 0; `passes` over the images that are expected, for the bar.
  EventScorer(SupernetTrainer& trainer, const SelectOptions& options, std::size_t event, std::string label,
              std::int64_t passes, std::function<void()> between_batches);

  /// The supernet as it stands; never updates running statistics: it is ours, neither preset's. Then without
  /// each mask. With --scoring early-stop a mask is dropped once it can no longer be among the `winners`
  /// whose absence hurts most, and all end once these are known; else all are put to all images.
  EventScores score(const std::vector<Mask>& masks, std::int64_t winners);
  Measured without(const Mask& mask);

 private:
  EventScores race(const std::vector<Mask>& masks, std::int64_t winners);
  std::vector<Measured> score_sets(const std::vector<std::vector<Mask>>& sets, ScoringMode mode);
  ScoringMode mode(bool updates_statistics) const;
  std::int64_t image_count() const { return static_cast<std::int64_t>(trainer_.halves().validation.size()); }

  SupernetTrainer& trainer_;
  const SelectOptions& options_;
  std::size_t event_;
  std::function<void()> between_batches_;
  ScoringImages images_;
  std::optional<Progress> bar_;
  std::int64_t batches_done_ = 0;
  Score last_;
};

/// Algorithm 1: "evaluate the validation accuracy of S when o is removed", for each of `operations`, two or
/// more candidates of an edge; the one whose removal hurts most. Fills `event`'s images, baseline, scores,
/// margin and tests.
int choose_by_perturbation(EventScorer& scorer, const SupernetTrainer& trainer, const SelectOptions& options,
                           CellType type, int edge, const std::vector<int>& operations, Json& event);

}  // namespace ptnas
