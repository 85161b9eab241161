#include "ptnas/train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>

#include "ptnas/core/error.h"

namespace ptnas {
namespace {

std::vector<torch::Tensor> make_parameters() {
  torch::manual_seed(3);
  std::vector<torch::Tensor> parameters = {torch::randn({4, 3}), torch::randn({5}), torch::randn({2})};
  for (torch::Tensor& parameter : parameters) parameter.set_requires_grad(true);
  return parameters;
}

// Gradients that differ from step to step; the last parameter gets one in odd steps only.
void set_gradients(std::vector<torch::Tensor>& parameters, int step) {
  torch::manual_seed(100 + step);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const torch::Tensor gradient = torch::randn(parameters[i].sizes());
    const bool has_one = i + 1 < parameters.size() || step % 2 == 1;
    parameters[i].mutable_grad() = has_one ? gradient : torch::Tensor();
  }
}

void expect_near(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(torch::allclose(a[i], b[i], 1e-5, 1e-6)) << i;
  }
}

void expect_equal(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(torch::equal(a[i], b[i])) << i;
  }
}

TEST(Sgd, IsPyTorchsWithClippedGradients) {
  std::vector<torch::Tensor> ours = make_parameters(), theirs = make_parameters();
  Sgd sgd(ours, 0.9, 3e-4);
  torch::optim::SGD reference(theirs, torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(3e-4));
  for (int step = 0; step < 5; ++step) {
    set_gradients(ours, step);
    set_gradients(theirs, step);
    const double norm = sgd.step(0.1, 2.0);
    EXPECT_NEAR(norm, torch::nn::utils::clip_grad_norm_(theirs, 2.0), 1e-5);
    reference.step();
  }
  expect_near(ours, theirs);
}

TEST(Sgd, NesterovsMomentumIsPyTorchs) {
  std::vector<torch::Tensor> ours = make_parameters(), theirs = make_parameters();
  Sgd sgd(ours, 0.9, 5e-4, /*nesterov=*/true);
  torch::optim::SGD reference(theirs,
                              torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(5e-4).nesterov(true));
  for (int step = 0; step < 5; ++step) {
    set_gradients(ours, step);
    set_gradients(theirs, step);
    sgd.step(0.1, 0);
    reference.step();
  }
  expect_near(ours, theirs);
}

TEST(Sgd, UnrolledIsWhereAStepGoes) {
  std::vector<torch::Tensor> parameters = make_parameters();
  Sgd sgd(parameters, 0.9, 3e-4);
  set_gradients(parameters, 1);
  sgd.step(0.1, 0);  // buffers that are not zero
  set_gradients(parameters, 2);
  std::vector<torch::Tensor> gradients, before;
  for (const torch::Tensor& parameter : parameters) {
    gradients.push_back(parameter.grad().defined() ? parameter.grad().clone() : torch::Tensor());
    before.push_back(parameter.detach().clone());
  }
  const std::vector<torch::Tensor> unrolled = sgd.unrolled(gradients, 0.1, true),
                                   plain = sgd.unrolled(gradients, 0.1, false);
  expect_equal(parameters, before);
  expect_near(plain, Sgd(parameters, 0, 3e-4).unrolled(gradients, 0.1, true));
  EXPECT_FALSE(torch::allclose(plain[0], unrolled[0]));
  sgd.step(0.1, 0);
  expect_near(unrolled, parameters);
}

TEST(Sgd, ClipOfZeroIsNone) {
  std::vector<torch::Tensor> parameters = {torch::zeros({2}).set_requires_grad(true)};
  parameters[0].mutable_grad() = torch::tensor({300.0f, 400.0f});
  Sgd sgd(parameters, 0, 0);
  EXPECT_DOUBLE_EQ(sgd.step(1, 0), 500);
  EXPECT_EQ(parameters[0][1].item<float>(), -400);
}

TEST(Sgd, WithoutAnyGradientNothingMoves) {
  std::vector<torch::Tensor> parameters = make_parameters();
  const std::vector<torch::Tensor> before = make_parameters();
  Sgd sgd(parameters, 0.9, 0.1);
  sgd.zero_gradients();
  EXPECT_EQ(sgd.step(0.1, 5), 0);
  expect_equal(parameters, before);
}

TEST(Sgd, ReturnsANormThatIsNotFinite) {
  std::vector<torch::Tensor> parameters = make_parameters();
  set_gradients(parameters, 1);
  parameters[1].mutable_grad().fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_FALSE(std::isfinite(Sgd(parameters, 0.9, 0).step(0.1, 5)));
}

TEST(Sgd, GoesOnFromItsStateBitIdentically) {
  std::vector<torch::Tensor> whole = make_parameters(), resumed = make_parameters();
  Sgd one(whole, 0.9, 3e-4), first(resumed, 0.9, 3e-4), second(resumed, 0.9, 3e-4);
  for (int step = 0; step < 4; ++step) {
    set_gradients(whole, step);
    set_gradients(resumed, step);
    one.step(0.1, 5);
    (step < 2 ? first : second).step(0.1, 5);
    if (step != 1) continue;
    State state;
    first.take(state, "sgd.");
    second.put(state, "sgd.");
  }
  expect_equal(whole, resumed);
}

TEST(Adam, IsPyTorchs) {
  std::vector<torch::Tensor> ours = make_parameters(), theirs = make_parameters();
  Adam adam({ours[0], ours[1]}, 3e-4, 1e-3);
  torch::optim::Adam reference(
      {theirs[0], theirs[1]},
      torch::optim::AdamOptions(3e-4).betas(std::make_tuple(0.5, 0.999)).weight_decay(1e-3));
  for (int step = 0; step < 5; ++step) {
    set_gradients(ours, step);
    set_gradients(theirs, step);
    adam.step();
    reference.step();
  }
  expect_near(ours, theirs);
}

TEST(Adam, GoesOnFromItsStateInAFileBitIdentically) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "ptnas-adam.safetensors";
  std::vector<torch::Tensor> whole = make_parameters(), resumed = make_parameters();
  Adam one(whole, 3e-4, 1e-3), first(resumed, 3e-4, 1e-3), second(resumed, 3e-4, 1e-3);
  for (int step = 0; step < 4; ++step) {
    set_gradients(whole, step);
    set_gradients(resumed, step);
    one.step();
    (step < 2 ? first : second).step();
    if (step != 1) continue;
    State state;
    first.take(state, "adam.");
    save_state(file, state, "ptnas-test", 1);
    second.put(load_state(file, "ptnas-test", 1), "adam.");
  }
  std::filesystem::remove(file);
  expect_equal(whole, resumed);
}

TEST(CosineRate, FallsFromStartToEnd) {
  EXPECT_DOUBLE_EQ(cosine_rate(0.025, 0.001, 0, 50), 0.025);
  EXPECT_DOUBLE_EQ(cosine_rate(0.025, 0.001, 25, 50), 0.013);
  EXPECT_NEAR(cosine_rate(0.025, 0.001, 50, 50), 0.001, 1e-15);
  EXPECT_GT(cosine_rate(0.025, 0, 599, 600), 0);
}

TEST(ExponentialRate, FallsByTheSameShareEachEpoch) {
  EXPECT_DOUBLE_EQ(exponential_rate(0.1, 0.97, 0), 0.1);
  EXPECT_DOUBLE_EQ(exponential_rate(0.1, 0.97, 2), 0.1 * 0.97 * 0.97);
  EXPECT_NEAR(exponential_rate(0.1, 0.97, 249), 0.1 * std::exp(249 * std::log(0.97)), 1e-12);
  EXPECT_DOUBLE_EQ(exponential_rate(0.1, 1, 100), 0.1);
}

TEST(CheckFinite, SaysWhereAndWhatToTry) {
  EXPECT_NO_THROW(check_finite(1e30, "retraining", 3, 17, 0.5));
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    try {
      check_finite(bad, "retraining", 3, 17, 0.5, "gradient's norm");
      ADD_FAILURE() << "went on";
    } catch (const Error& error) {
      const std::string text = error.what();
      for (const char* part : {"gradient's norm", "step 17", "epoch 3", "retraining", "0.5", "smaller"})
        EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace ptnas
