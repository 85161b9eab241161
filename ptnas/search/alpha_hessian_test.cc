#include "ptnas/search/alpha_hessian.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

// Of a symmetric matrix, by the power iteration, shifted so that the largest is the largest in magnitude.
double by_power_iteration(const torch::Tensor& matrix) {
  const std::int64_t n = matrix.size(0);
  const torch::Tensor shifted = matrix + matrix.norm() * torch::eye(n, torch::kDouble);
  torch::Tensor vector = torch::ones({n}, torch::kDouble) + 0.1 * torch::arange(n, torch::kDouble);
  for (int step = 0; step < 5000; ++step) {
    vector = shifted.mv(vector);
    vector = vector / vector.norm();
  }
  return vector.dot(matrix.mv(vector)).item<double>();
}

TEST(LargestEigenvalue, OfMatricesWithKnownOnes) {
  const auto of = [](const torch::Tensor& matrix) {
    return largest_eigenvalue([&](const torch::Tensor& v) { return matrix.mv(v); }, matrix.size(0), 3, 1e-10);
  };
  // (2 1; 1 2): 3 and 1.
  EXPECT_NEAR(of(torch::tensor({{2.0, 1.0}, {1.0, 2.0}}, torch::kDouble)), 3, 1e-9);
  // The largest is not the largest in magnitude.
  EXPECT_NEAR(of(torch::diag(torch::tensor({-9.0, 0.5, 4.0, -1.0}, torch::kDouble))), 4, 1e-9);
  EXPECT_NEAR(of(torch::tensor({{-2.5}}, torch::kDouble)), -2.5, 1e-12);
  EXPECT_NEAR(of(torch::zeros({5, 5}, torch::kDouble)), 0, 1e-12);
  // The path of n nodes: 2 cos(pi / (n + 1)).
  const std::int64_t n = 30;
  torch::Tensor path = torch::zeros({n, n}, torch::kDouble);
  for (std::int64_t i = 0; i + 1 < n; ++i) {
    path[i][i + 1].fill_(1);
    path[i + 1][i].fill_(1);
  }
  EXPECT_NEAR(of(path), 2 * std::cos(3.14159265358979323846 / (n + 1)), 1e-6);
}

class AlphaHessianTest : public testing::Test {
 protected:
  AlphaHessianTest() {
    task.search.space = "s2";
    task.search.alpha_deviation = 0.5;
  }
  Batch batch() {
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 30; i < 46; ++i) indices.push_back(i);
    return make_batch(task.dataset, {Part::kTrain, indices, {}, 0, 0},
                      memory_format_of(task.runtime.memory_format));
  }
  TinyTask task;
};

// Every entry by differences of the trainer's own gradient, in double precision.
TEST_F(AlphaHessianTest, IsTheFullMatrixAndItsEigenvalue) {
  task.runtime.engine = "plain";
  SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
  trainer.network().to(torch::kDouble);
  trainer.network().train();
  for (const CellType type : kCellTypes) {
    torch::Tensor& alpha = trainer.architecture().alpha(type);
    alpha = alpha.detach().to(torch::kDouble).requires_grad_(true);
  }
  Batch images = batch();
  images.images = images.images.to(torch::kDouble);
  const auto gradient = [&] {
    const FrozenStatistics frozen(trainer.network());
    const auto parts =
        torch::autograd::grad({trainer.loss(images, trainer.architecture().weights(true), Half::kValidation)},
                              trainer.architecture().alphas());
    return torch::cat({parts[0].reshape({-1}), parts[1].reshape({-1})});
  };
  constexpr double kStep = 1e-6;
  std::vector<torch::Tensor> rows;
  for (const torch::Tensor& alpha : trainer.architecture().alphas()) {
    const torch::Tensor entries = alpha.detach().view({-1});
    for (std::int64_t i = 0; i < entries.numel(); ++i) {
      entries[i].add_(kStep);
      const torch::Tensor above = gradient();
      entries[i].sub_(2 * kStep);
      rows.push_back((above - gradient()) / (2 * kStep));
      entries[i].add_(kStep);
    }
  }
  const torch::Tensor expected = torch::stack(rows);

  const AlphaHessian hessian(trainer, images, torch::kDouble);
  ASSERT_EQ(hessian.size(), 2 * 5 * 2);
  std::vector<torch::Tensor> columns;
  for (std::int64_t i = 0; i < hessian.size(); ++i)
    columns.push_back(hessian.times(torch::eye(hessian.size(), torch::kDouble)[i]));
  const torch::Tensor found = torch::stack(columns);
  EXPECT_LT(((found - expected).norm() / expected.norm()).item<double>(), 1e-4);
  EXPECT_LT((found - found.t()).norm().item<double>(), 1e-8 * found.norm().item<double>());

  const double eigenvalue = by_power_iteration(expected);
  EXPECT_GT(std::abs(eigenvalue), 1e-5);
  EXPECT_NEAR(
      largest_eigenvalue([&](const torch::Tensor& v) { return hessian.times(v); }, hessian.size(), 5, 1e-8),
      eigenvalue, 1e-3 * std::abs(eigenvalue));
  // In single precision alike.
  const AlphaHessian single(trainer, images);
  EXPECT_NEAR(
      largest_eigenvalue([&](const torch::Tensor& v) { return single.times(v); }, single.size(), 5, 1e-8),
      eigenvalue, 1e-2 * std::abs(eigenvalue));
}

TEST_F(AlphaHessianTest, LeavesTheTrainerAsItIsWhateverTheEngine) {
  double eigenvalues[2];
  for (const bool fused : {false, true}) {
    task.runtime.engine = fused ? "fused" : "plain";
    SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
    State before, after;
    trainer.take(before);
    for (auto& [name, tensor] : before.tensors) tensor = tensor.detach().clone();
    eigenvalues[fused] = dominant_eigenvalue(trainer, 0);
    EXPECT_NE(eigenvalues[fused], dominant_eigenvalue(trainer, 1));  // another batch
    trainer.take(after);
    for (const auto& [name, tensor] : before.tensors) EXPECT_TRUE(torch::equal(tensor, after.tensors[name]));
    EXPECT_EQ(before.values, after.values);
    for (const torch::Tensor& parameter : trainer.parameters()) EXPECT_TRUE(parameter.requires_grad());
  }
  EXPECT_EQ(eigenvalues[0], eigenvalues[1]);  // the same twin
}

TEST_F(AlphaHessianTest, OneCellTypeAndShortRows) {
  task.search.space = "nb201";
  task.search.nodes = 4;
  task.search.cells = 1;
  EXPECT_TRUE(std::isfinite(dominant_eigenvalue(
      *std::make_unique<SupernetTrainer>(task.dataset, task.data, task.search, task.runtime), 0)));
  task.search.space = "s1";
  task.search.cells = 3;
  EXPECT_TRUE(std::isfinite(dominant_eigenvalue(
      *std::make_unique<SupernetTrainer>(task.dataset, task.data, task.search, task.runtime), 0)));
}

TEST_F(AlphaHessianTest, ADivergedSupernetIsOneError) {
  SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
  {
    const torch::NoGradGuard no_grad;
    torch::Tensor parameter = trainer.parameters()[0];
    parameter.fill_(std::nan(""));
  }
  EXPECT_THROW(dominant_eigenvalue(trainer, 0), Error);
}

}  // namespace
}  // namespace ptnas
