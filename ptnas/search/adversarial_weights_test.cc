#include "ptnas/search/adversarial_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

struct WeightSteps final : SearchMethod {
  bool trains_alpha() const override { return false; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch&) const override {
    return trainer.weight_step(train);
  }
};

class AdversarialWeightsTest : public testing::Test {
 protected:
  std::unique_ptr<SupernetTrainer> make() {
    auto trainer = std::make_unique<SupernetTrainer>(task.dataset, task.data, task.search, task.runtime);
    EpochProgress progress;
    trainer->run_epoch(WeightSteps(), 0.025, progress, "search", "search", [] {});
    return trainer;
  }
  Batch batch() {
    return make_batch(task.dataset, {Part::kTrain, {0, 1, 2, 3, 4, 5, 6, 7}, {}, 0, 0},
                      memory_format_of(task.runtime.memory_format));
  }
  double loss_under(SupernetTrainer& trainer, const HostWeights& weights) {
    const torch::NoGradGuard no_grad;
    trainer.network().eval();
    return trainer.loss(batch(), to_weights(trainer.architecture(), weights, false), Half::kTraining)
        .item<double>();
  }

  TinyTask task;
};

TEST_F(AdversarialWeightsTest, RaiseTheLossMoreThanTheRandomStart) {
  for (const char* engine : {"plain", "fused"}) {
    task.runtime.engine = engine;
    const std::unique_ptr<SupernetTrainer> trainer = make();
    const HostWeights start = host_weights(trainer->architecture()),
                      random = randomly_perturbed(trainer->architecture(), 0.2, 0, trainer->steps()),
                      found = adversarial_weights(*trainer, batch(), 0.2);
    EXPECT_GT(loss_under(*trainer, found), loss_under(*trainer, start)) << engine;
    EXPECT_GT(loss_under(*trainer, found), loss_under(*trainer, random)) << engine;
    for (std::size_t t = 0; t < 2; ++t) {
      for (std::size_t e = 0; e < found[t].size(); ++e) {
        EXPECT_NEAR(std::accumulate(found[t][e].begin(), found[t][e].end(), 0.0), 1, 1e-9);
        for (const double weight : found[t][e]) {
          EXPECT_GE(weight, 0);
          EXPECT_LE(weight, 1);
        }
      }
    }
  }
}

TEST_F(AdversarialWeightsTest, LeaveTheSupernetAlone) {
  const std::unique_ptr<SupernetTrainer> trainer = make();
  State before;
  trainer->take(before);
  for (auto& [name, tensor] : before.tensors) tensor = tensor.clone();
  adversarial_weights(*trainer, batch(), 0.2);
  State after;
  trainer->take(after);
  for (const auto& [name, tensor] : before.tensors)
    EXPECT_TRUE(torch::equal(tensor, after.tensors.at(name))) << name;
  for (const torch::Tensor& parameter : trainer->parameters()) EXPECT_TRUE(parameter.requires_grad());
}

TEST_F(AdversarialWeightsTest, DecidedEdgesStayOneHot) {
  const std::unique_ptr<SupernetTrainer> trainer = make();
  for (const CellType type : kCellTypes) {
    trainer->architecture().decide(type, 0, 1);
    trainer->architecture().remove(type, 3);
  }
  const HostWeights found = adversarial_weights(*trainer, batch(), 0.2);
  for (std::size_t t = 0; t < 2; ++t) {
    EXPECT_EQ(found[t][0], (std::vector<double>{0, 1}));
    EXPECT_EQ(found[t][3], (std::vector<double>{0, 0}));
  }
}

TEST_F(AdversarialWeightsTest, AreGivenUpWhereNothingRises) {
  const std::unique_ptr<SupernetTrainer> trainer = make();
  for (const CellType type : kCellTypes) {
    for (int edge = 0; edge < 5; ++edge) trainer->architecture().decide(type, edge, 1);
  }
  EXPECT_EQ(adversarial_weights(*trainer, batch(), 0.2), host_weights(trainer->architecture()));
}

}  // namespace
}  // namespace ptnas
