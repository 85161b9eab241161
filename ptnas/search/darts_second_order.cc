// DARTS, second order (Liu et al., ICLR 2019, Algorithm 1): alpha by the validation loss after one step of
// the weights, then the weights by the training loss.

#include "ptnas/search/search_table.h"
#include "ptnas/search/second_order.h"

namespace ptnas {

namespace {

class DartsSecondOrder final : public SearchMethod {
 public:
  bool trains_alpha() const override { return true; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const override {
    const AlphaGradient gradient = second_order_gradient(trainer, train, validation);
    trainer.update_alpha(gradient.of[0], gradient.of[1]);
    return trainer.weight_step(train);
  }
};

}  // namespace

std::unique_ptr<SearchMethod> make_darts_second_order() { return std::make_unique<DartsSecondOrder>(); }

}  // namespace ptnas
