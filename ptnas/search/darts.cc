// DARTS, first order (Liu et al., ICLR 2019, Algorithm 1 with xi = 0): alpha by the validation loss at the
// present weights, then the weights by the training loss.

#include "ptnas/search/search_table.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

namespace {

class Darts final : public SearchMethod {
 public:
  bool trains_alpha() const override { return true; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const override {
    trainer.alpha_step(validation);
    return trainer.weight_step(train);
  }
};

}  // namespace

std::unique_ptr<SearchMethod> make_darts() { return std::make_unique<Darts>(); }

}  // namespace ptnas
