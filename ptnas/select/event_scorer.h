#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ptnas/core/log.h"
#include "ptnas/select/scoring.h"
#include "ptnas/select/select_options.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// The scores of one decision: all on the same images, with the same noise, and with one progress bar. Lives
/// as long as the decision takes; `trainer` and `options` must outlive it. Throws Error where a loss is not
/// finite, and what `between_batches` (may be empty) throws.
class EventScorer {
 public:
  /// `event`: its number, from 0; `passes` over the images that are expected, for the bar.
  EventScorer(SupernetTrainer& trainer, const SelectOptions& options, std::size_t event, std::string label,
              std::int64_t passes, std::function<void()> between_batches);

  /// The supernet as it stands; never updates running statistics: it is ours, neither preset's. Then without
  /// each mask.
  std::vector<Score> score(const std::vector<Mask>& masks);
  Score without(const Mask& mask);

 private:
  std::vector<Score> score_sets(const std::vector<std::vector<Mask>>& sets, bool updates_statistics);

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
/// more candidates of an edge; the one whose removal hurts most. Fills `event`'s images, baseline, scores and
/// margin.
int choose_by_perturbation(EventScorer& scorer, const SupernetTrainer& trainer, const SelectOptions& options,
                           CellType type, int edge, const std::vector<int>& operations, Json& event);

}  // namespace ptnas
