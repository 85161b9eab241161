#include "ptnas/search/second_order.h"

#include <gtest/gtest.h>

#include <limits>

#include "ptnas/core/error.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

struct WeightsOnly final : SearchMethod {
  bool trains_alpha() const override { return false; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch&) const override {
    return trainer.weight_step(train);
  }
};

class SecondOrderTest : public testing::Test {
 protected:
  SecondOrderTest() {
    task.search.space = "s2";
    task.search.alpha_deviation = 0.5;
  }
  // With an epoch behind it, so that there is a rate and the momentum buffers are not zero.
  std::unique_ptr<SupernetTrainer> make(double rate) {
    auto trainer = std::make_unique<SupernetTrainer>(task.dataset, task.data, task.search, task.runtime);
    EpochProgress progress;
    trainer->run_epoch(WeightsOnly(), rate, progress, "search", "search", [] {});
    return trainer;
  }
  Batch batch(std::int64_t first) {
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < 8; ++i) indices.push_back(first + i);
    return make_batch(task.dataset, {Part::kTrain, indices, {}, 0, 0},
                      memory_format_of(task.runtime.memory_format));
  }
  static std::vector<torch::Tensor> copies(const std::vector<torch::Tensor>& tensors) {
    std::vector<torch::Tensor> result;
    for (const torch::Tensor& tensor : tensors) result.push_back(tensor.detach().clone());
    return result;
  }

  TinyTask task;
};

// The validation loss after the inner step as a function of alpha, in double precision.
class Unrolled {
 public:
  Unrolled(SupernetTrainer& trainer, const Batch& train, const Batch& validation)
      : trainer_(trainer), train_(train), validation_(validation), frozen_(trainer.network()) {}

  double operator()() {
    const auto& parameters = trainer_.parameters();
    const torch::Tensor inner = trainer_.loss(train_, weights(), Half::kTraining);
    const auto gradients = torch::autograd::grad({inner}, parameters, {}, false, false, true);
    const std::vector<torch::Tensor> moved =
        trainer_.sgd().unrolled(gradients, trainer_.rate(), trainer_.options().inner_momentum);
    const torch::NoGradGuard no_grad;
    std::vector<torch::Tensor> saved;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      saved.push_back(parameters[i].clone());
      parameters[i].detach().copy_(moved[i]);
    }
    const auto loss = trainer_.loss(validation_, weights(), Half::kValidation).item<double>();
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].detach().copy_(saved[i]);
    return loss;
  }

 private:
  ArchitectureWeights weights() { return trainer_.architecture().weights(false); }

  SupernetTrainer& trainer_;
  const Batch &train_, &validation_;
  FrozenStatistics frozen_;
};

double relative(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

// By alpha at the weights as they are.
AlphaGradient first_order_gradient(SupernetTrainer& trainer, const Batch& validation) {
  const FixedWeights fixed(trainer.parameters());
  const FrozenStatistics frozen(trainer.network());
  const torch::Tensor loss =
      trainer.loss(validation, trainer.architecture().weights(true), Half::kValidation);
  const auto gradients = torch::autograd::grad({loss}, {trainer.architecture().alpha(CellType::kNormal),
                                                        trainer.architecture().alpha(CellType::kReduction)});
  return {{gradients[0], gradients[1]}};
}

TEST_F(SecondOrderTest, IsTheGradientOfTheUnrolledLoss) {
  task.runtime.engine = "plain";
  for (const bool momentum : {true, false}) {
    task.search.inner_momentum = momentum;
    const std::unique_ptr<SupernetTrainer> trainer = make(0.1);
    trainer->network().to(torch::kDouble);
    trainer->network().train();
    for (const CellType type : kCellTypes) {
      torch::Tensor& alpha = trainer->architecture().alpha(type);
      alpha = alpha.detach().to(torch::kDouble).requires_grad_(true);
    }
    Batch train = batch(0), validation = batch(30);
    for (Batch* one : {&train, &validation}) one->images = one->images.to(torch::kDouble);

    Unrolled unrolled(*trainer, train, validation);
    // Steps so small that next to no ReLU switches: across one the gradient jumps, and differences say
    // nothing.
    constexpr double kStep = 1e-5, kDistance = 1e-5;
    torch::Tensor expected[2];
    for (const CellType type : kCellTypes) {
      const torch::Tensor alpha = trainer->architecture().alpha(type).detach();
      torch::Tensor& numerical = expected[static_cast<int>(type)];
      numerical = torch::zeros_like(alpha);
      for (std::int64_t i = 0; i < alpha.numel(); ++i) {
        const torch::Tensor entry = alpha.view({-1})[i];
        entry.add_(kStep);
        const double above = unrolled();
        entry.sub_(2 * kStep);
        const double below = unrolled();
        entry.add_(kStep);
        numerical.view({-1})[i] = (above - below) / (2 * kStep);
      }
    }
    const AlphaGradient found = second_order_gradient(*trainer, train, validation, kDistance);
    const AlphaGradient first = first_order_gradient(*trainer, validation);
    for (std::size_t t = 0; t < 2; ++t) {
      EXPECT_LT(relative(found.of[t], expected[t]), 1e-3) << "cell type " << t << ", momentum " << momentum;
      EXPECT_GT(relative(first.of[t], expected[t]), 0.1) << "the second order does not matter here";
    }
  }
}

TEST_F(SecondOrderTest, EnginesAgree) {
  AlphaGradient gradients[2];
  for (const bool fused : {false, true}) {
    task.runtime.engine = fused ? "fused" : "plain";
    gradients[fused] = second_order_gradient(*make(0.025), batch(0), batch(30));
  }
  for (std::size_t t = 0; t < 2; ++t) EXPECT_LT(relative(gradients[1].of[t], gradients[0].of[t]), 0.02);
}

TEST_F(SecondOrderTest, WeightsComeBackToTheBitAndStatisticsMoveAsInDarts) {
  const std::unique_ptr<SupernetTrainer> trainer = make(0.025);
  const std::vector<torch::Tensor> before = copies(trainer->parameters());
  const auto batches = [&] {
    return trainer->network().named_buffers()["stem.1.num_batches_tracked"].item<std::int64_t>();
  };
  const std::int64_t seen = batches();
  second_order_gradient(*trainer, batch(0), batch(30));
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(torch::equal(before[i], trainer->parameters()[i])) << i;
    EXPECT_TRUE(trainer->parameters()[i].requires_grad());
  }
  EXPECT_EQ(batches(), seen + 3);  // thrice the training batch
}

TEST_F(SecondOrderTest, ALossThatIsNotFiniteStopsAndTheWeightsComeBack) {
  const std::unique_ptr<SupernetTrainer> trainer = make(0.025);
  const std::vector<torch::Tensor> before = copies(trainer->parameters());
  Batch bad = batch(30);
  bad.images.fill_(std::numeric_limits<float>::infinity());
  EXPECT_THROW(second_order_gradient(*trainer, batch(0), bad), Error);
  EXPECT_THROW(second_order_gradient(*trainer, bad, batch(0)), Error);
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(torch::equal(before[i], trainer->parameters()[i])) << i;
}

}  // namespace
}  // namespace ptnas
