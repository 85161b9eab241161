// SDARTS-RS (Chen and Hsieh, ICML 2020): as first-order DARTS, but each weight step sees randomly perturbed
// weights of the operations. Alpha's step and all evaluation do not.

#include "ptnas/search/perturbed_weights.h"
#include "ptnas/search/search_table.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

namespace {

class SdartsRs final : public SearchMethod {
 public:
  bool trains_alpha() const override { return true; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const override {
    trainer.alpha_step(validation);
    const Architecture& architecture = trainer.architecture();
    const double epsilon = sdarts_epsilon(trainer.options(), trainer.epoch());
    const HostWeights weights = randomly_perturbed(architecture, epsilon, trainer.seed(), trainer.steps());
    return trainer.weight_step(train, to_weights(architecture, weights, /*with_gradient=*/false));
  }
};

}  // namespace

std::unique_ptr<SearchMethod> make_sdarts_rs() { return std::make_unique<SdartsRs>(); }

}  // namespace ptnas
