// SDARTS-ADV (Chen and Hsieh, ICML 2020): as first-order DARTS, but each weight step sees the weights of the
// operations that are worst for it within a small distance. Alpha's step and all evaluation do not.

#include "ptnas/search/adversarial_weights.h"
#include "ptnas/search/search_table.h"

namespace ptnas {

namespace {

class SdartsAdv final : public SearchMethod {
 public:
  bool trains_alpha() const override { return true; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const override {
    trainer.alpha_step(validation);
    const double epsilon = sdarts_epsilon(trainer.options(), trainer.epoch());
    const HostWeights weights = adversarial_weights(trainer, train, epsilon);
    return trainer.weight_step(train, to_weights(trainer.architecture(), weights, /*with_gradient=*/false));
  }
};

}  // namespace

std::unique_ptr<SearchMethod> make_sdarts_adv() { return std::make_unique<SdartsAdv>(); }

}  // namespace ptnas
