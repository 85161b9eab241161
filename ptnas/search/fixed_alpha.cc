// Fixed alpha (Section 6.3): the supernet's weights alone are trained; alpha stays where it began.

#include "ptnas/search/search_table.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

namespace {

class FixedAlpha final : public SearchMethod {
 public:
  bool trains_alpha() const override { return false; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch&) const override {
    return trainer.weight_step(train);
  }
};

}  // namespace

std::unique_ptr<SearchMethod> make_fixed_alpha() { return std::make_unique<FixedAlpha>(); }

}  // namespace ptnas
