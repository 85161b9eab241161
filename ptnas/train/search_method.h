#pragma once

#include <functional>

#include "ptnas/data/batch.h"
#include "ptnas/train/operation_chooser.h"

namespace ptnas {

class SupernetTrainer;

/// What one weight step saw.
struct StepResult {
  double loss = 0;
  std::int64_t correct = 0;
  std::int64_t images = 0;
};

/// The end of an epoch of the search.
struct EpochEnd {
  std::int64_t epoch = 0;                      ///< from 0
  const OperationChooser* chooser = nullptr;   ///< chooses operations; nullptr: alpha does
  std::function<void()> between_batches = {};  ///< may be empty; may throw: the end is then made again
};

/// How a supernet's weights and alpha are trained: one iteration at a time. Selection tunes with the method
/// of the search. Methods have no state of their own: what they need over steps is the trainer's
/// (SupernetTrainer::method_state()).
class SearchMethod {
 public:
  virtual ~SearchMethod() = default;
  /// Whether it takes a validation batch at each iteration, for alpha.
  virtual bool trains_alpha() const = 0;
  /// One iteration. `validation` is defined only when trains_alpha().
  virtual StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const = 0;

  /// Before the first step of a search, fresh or resumed: throws Error where the space, the options or the
  /// trainer's state do not fit the method.
  virtual void check(const SupernetTrainer&) const {}
  /// Images a batch in the epoch that begins; `usual`: the option's.
  virtual std::int64_t batch(const SupernetTrainer&, std::int64_t usual) const { return usual; }
  /// After an epoch of the search and its evaluation, before it is saved.
  virtual void after_epoch(SupernetTrainer&, const EpochEnd&) const {}
};

}  // namespace ptnas
