#pragma once

#include "ptnas/data/batch.h"

namespace ptnas {

class SupernetTrainer;

/// What one weight step saw.
struct StepResult {
  double loss = 0;
  std::int64_t correct = 0;
  std::int64_t images = 0;
};

/// How a supernet's weights and alpha are trained: one iteration at a time. Selection tunes with the method
/// of the search. Methods have no state of their own: what they need over steps is the trainer's.
class SearchMethod {
 public:
  virtual ~SearchMethod() = default;
  /// Whether it takes a validation batch at each iteration, for alpha.
  virtual bool trains_alpha() const = 0;
  /// One iteration. `validation` is defined only when trains_alpha().
  virtual StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const = 0;
};

}  // namespace ptnas
