#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/core/random.h"
#include "ptnas/network/derived_network.h"
#include "ptnas/network/engine_check.h"
#include "ptnas/network/layout.h"
#include "ptnas/network/supernet.h"
#include "ptnas/space/derive.h"

namespace ptnas {
namespace {

struct Case {
  const char* space;
  int channels, cells, size, batch;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.space << "_C" << c.channels << "_cells" << c.cells << "_size" << c.size << "_batch"
             << c.batch;
}

// Rounding of sums of some hundred terms through some ten layers. Where a ReLU's input lies within rounding
// of 0 the two engines may take its gradient two ways, which shows far above rounding in what lies before it:
// in few tensors.
constexpr double kRounding = 2e-5, kCrossing = 2e-2;

double relative(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a - b).norm() / (b.norm() + 1e-12)).item<double>();
}

class FusedCellTest : public testing::TestWithParam<Case> {};

TEST_P(FusedCellTest, AgreesWithThePlainEngine) {
  const Case& c = GetParam();
  SearchSpace space = make_space(c.space, 4, false);
  SupernetShape shape{c.channels, c.cells, 10, 3, Engine::kPlain};
  Supernet plain(space, shape);
  shape.engine = Engine::kFused;
  Supernet fused(space, shape);
  initialise(plain, 3);
  initialise(fused, 3);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({c.batch, 3, c.size, c.size});
  const torch::Tensor labels = torch::randint(10, {c.batch}, torch::kLong);
  Architecture a(space, 0.3, 5), b(space, 0.3, 5);
  const auto loss_of = [&](Supernet& net, Architecture& arch) {
    const torch::Tensor loss =
        torch::cross_entropy_loss(net.forward(images, arch.weights(true), {7, 8}), labels);
    loss.backward();
    return loss.item<double>();
  };
  const double expected = loss_of(plain, a), found = loss_of(fused, b);
  EXPECT_NEAR(found, expected, 1e-5 * std::abs(expected));
  std::vector<double> apart;
  for (const CellType type : kCellTypes)
    apart.push_back(relative(b.alpha(type).grad(), a.alpha(type).grad()));
  for (const auto& item : plain.named_parameters()) {
    const torch::Tensor other = fused.named_parameters()[item.key()];
    ASSERT_EQ(item.value().grad().defined(), other.grad().defined()) << item.key();
    if (item.value().grad().defined()) {
      apart.push_back(relative(other.grad(), item.value().grad()));
      EXPECT_LT(apart.back(), kCrossing) << item.key();
    }
  }
  std::sort(apart.begin(), apart.end());
  EXPECT_LT(apart[apart.size() / 2], kRounding);
  for (const auto& item : plain.named_buffers()) {
    const torch::Tensor other = fused.named_buffers()[item.key()];
    EXPECT_TRUE(torch::allclose(other.to(torch::kFloat), item.value().to(torch::kFloat), 1e-4, 1e-5))
        << item.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Spaces, FusedCellTest,
                         testing::Values(Case{"darts", 16, 3, 16, 4}, Case{"darts", 4, 3, 8, 3},
                                         Case{"s1", 5, 3, 9, 3}, Case{"s2", 8, 3, 12, 2},
                                         Case{"s3", 6, 3, 11, 9}, Case{"s4", 36, 3, 8, 2}));

// Candidates that differ on an edge give, all in one pass, the bits that each gives alone.
TEST(FusedForwardManyTest, SharingChangesNoBit) {
  const SearchSpace space = make_space("darts", 4, false);
  Supernet network(space, {.channels = 4, .cells = 4, .engine = Engine::kFused});
  initialise(network, 3);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({3, 3, 12, 12});
  Architecture architecture(space, 0.3, 5);
  architecture.decide(CellType::kNormal, 8, 3);
  const FrozenStatistics frozen(network);
  const torch::NoGradGuard no_grad;
  for (const CellType type : kCellTypes) {
    for (const int edge : {0, 4, 13}) {
      std::vector<ArchitectureWeights> weights = {architecture.weights(false)};
      for (int o = 0; o < 7; ++o) weights.push_back(architecture.weights(false, {{type, edge, o}}));
      weights.push_back(architecture.weights(false, {{type, edge, std::nullopt}}));
      const std::vector<torch::Tensor> together = network.forward_many(images, weights, {7, 8});
      ASSERT_EQ(together.size(), weights.size());
      for (std::size_t i = 0; i < weights.size(); ++i) {
        EXPECT_TRUE(torch::equal(together[i], network.forward(images, weights[i], {7, 8})))
            << name_of(type) << " edge " << edge << ", candidate " << i;
      }
    }
  }
}

class EngineCheckTest : public testing::TestWithParam<const char*> {};

// Every space, undecided, masked on an edge, with an edge removed and with all edges one-hot: both engines in
// every cell, there and back.
TEST_P(EngineCheckTest, EnginesAgreeInEveryState) {
  const SearchSpace space = make_space(GetParam(), 4, std::string(GetParam()) == "darts");
  Supernet network(space, {.channels = 6, .cells = 4, .engine = Engine::kCheck});
  initialise(network, 3);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({3, 3, 10, 10}), labels = torch::randint(10, {3}, torch::kLong);
  Architecture undecided(space, 0.3, 5), one_hot(space, 0.3, 5);
  RandomStream stream(1, Purpose::kRandomSelection);
  for (const CellType type : kCellTypes) {
    for (int e = 0; e < space.edge_count(); ++e) {
      const auto candidates = space.of(type)[static_cast<std::size_t>(e)].size();
      one_hot.decide(type, e, static_cast<int>(stream.below(candidates)));
    }
  }
  one_hot.remove(CellType::kReduction, 5);
  reset_engine_differences();
  const auto differentiate = [&](const ArchitectureWeights& weights) {
    torch::cross_entropy_loss(network.forward(images, weights, {7, 8}), labels).backward();
  };
  differentiate(undecided.weights(true));
  differentiate(undecided.weights(true, {{CellType::kNormal, 3, 1}, {CellType::kReduction, 8, 0}}));
  differentiate(undecided.weights(true, {{CellType::kNormal, 4, std::nullopt}}));
  differentiate(one_hot.weights(true));
  network.eval();
  network.forward(images, one_hot.weights(false), {7, 8});
  const EngineDifferences found = engine_differences();
  EXPECT_EQ(found.passes, 5 * 4);
  EXPECT_LT(found.output.value, kRounding) << describe(found);
  EXPECT_LT(found.statistics.value, kRounding) << describe(found);
  for (const auto& gradient : {found.input_gradient, found.weight_gradient, found.alpha_gradient})
    EXPECT_LT(gradient.value, kCrossing) << describe(found);
}

INSTANTIATE_TEST_SUITE_P(Spaces, EngineCheckTest, testing::Values("darts", "s1", "s2", "s3", "s4"));

// A difference has to show: two cells that are not the same.
TEST(EngineCheckTest, ADifferenceIsFound) {
  const torch::Tensor x = torch::randn({2, 3, 4, 4}).requires_grad_();
  reset_engine_differences();
  const auto plain = [](const torch::Tensor& a, const torch::Tensor&, const torch::Tensor&) { return 2 * a; };
  const auto wrong = [](const torch::Tensor& a, const torch::Tensor&, const torch::Tensor&) {
    return 2 * a + 1e-3;
  };
  const auto wrong_back = [](const torch::Tensor& a, const torch::Tensor&, const torch::Tensor&) {
    return a + a.detach();
  };
  EXPECT_THROW(check_cell({3, plain, wrong, {}, {}}, x, x, {}), Error);
  check_cell({3, plain, wrong_back, {}, {}}, x, x, {}).sum().backward();
  EXPECT_NEAR(engine_differences().input_gradient.value, 0.5, 1e-6);
  EXPECT_TRUE(torch::allclose(x.grad(), torch::ones_like(x))) << "the fused engine's gradient";
}

// Loss, gradients and running statistics after a few steps, as bits.
std::vector<torch::Tensor> after_steps(int threads) {
  const int before = torch::get_num_threads();
  torch::set_num_threads(threads);
  const SearchSpace space = make_space("darts", 4, false);
  Supernet network(space, {.channels = 8, .cells = 3, .engine = Engine::kFused});
  initialise(network, 3);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({11, 3, 16, 16}), labels = torch::randint(10, {11}, torch::kLong);
  Architecture architecture(space, 0.3, 5);
  std::vector<torch::Tensor> results;
  for (int step = 0; step < 2; ++step) {
    const torch::Tensor loss =
        torch::cross_entropy_loss(network.forward(images, architecture.weights(true), {7, 8}), labels);
    loss.backward();
    results.push_back(loss.detach());
  }
  for (const torch::Tensor& parameter : network.parameters()) results.push_back(parameter.grad());
  for (const torch::Tensor& buffer : network.buffers()) results.push_back(buffer);
  for (const CellType type : kCellTypes) results.push_back(architecture.alpha(type).grad());
  torch::set_num_threads(before);
  return results;
}

TEST(FusedThreadsTest, TheNumberOfThreadsChangesNoBit) {
  const std::vector<torch::Tensor> one = after_steps(1);
  for (const int threads : {2, 3}) {
    const std::vector<torch::Tensor> other = after_steps(threads);
    ASSERT_EQ(one.size(), other.size());
    for (std::size_t i = 0; i < one.size(); ++i)
      EXPECT_TRUE(torch::equal(one[i], other[i])) << threads << " threads, " << i;
  }
}

// A derived network with affine norms, auxiliary head, drop-path: the way there and back. Behind the stem for
// ImageNet the first cell's inputs are of two sizes.
TEST(FusedDerivedTest, AgreesWithThePlainEngine) {
  const SearchSpace space = make_space("darts", 4, false);
  RandomStream stream(1, Purpose::kRandomSelection);
  const auto shape_of = [](int channels, int size, StemKind stem) {
    return NetworkShape{.channels = channels, .cells = 5, .height = size, .width = size, .stem = stem};
  };
  for (const NetworkShape& shape : {shape_of(4, 16, StemKind::kCifar), shape_of(12, 16, StemKind::kCifar),
                                    shape_of(36, 16, StemKind::kCifar), shape_of(6, 64, StemKind::kImageNet),
                                    shape_of(16, 90, StemKind::kImageNet)}) {
    const Genotype genotype = random_genotype(space, stream);
    DerivedNetwork plain(genotype, shape, true), fused(genotype, shape, true, Engine::kFused);
    torch::manual_seed(2);
    for (DerivedNetwork* network : {&plain, &fused}) {
      initialise(*network, 3);
      torch::manual_seed(4);
      const torch::NoGradGuard no_grad;
      for (auto& item : network->named_parameters()) {
        if (item.value().dim() == 1) item.value().add_(torch::randn_like(item.value()), 0.3);
      }
    }
    const torch::Tensor images = torch::randn({5, 3, shape.height, shape.width});
    const torch::Tensor labels = torch::randint(10, {5}, torch::kLong);
    const auto loss_of = [&](DerivedNetwork& network) {
      const auto output = network.forward(images, 0.3, {5, 6});
      const torch::Tensor loss = torch::cross_entropy_loss(output.logits, labels) +
                                 0.4 * torch::cross_entropy_loss(output.auxiliary, labels);
      loss.backward();
      return loss.item<double>();
    };
    const double expected = loss_of(plain);
    EXPECT_NEAR(loss_of(fused), expected, 1e-5 * std::abs(expected));
    std::vector<double> apart;
    const auto found = fused.named_parameters();
    for (const auto& item : plain.named_parameters()) {
      apart.push_back(relative(found[item.key()].grad(), item.value().grad()));
      EXPECT_LT(apart.back(), kCrossing) << item.key() << ", " << to_text(genotype);
    }
    std::sort(apart.begin(), apart.end());
    EXPECT_LT(apart[apart.size() / 2], 5 * kRounding) << to_text(genotype);
    plain.eval();
    fused.eval();
    const torch::NoGradGuard no_grad;
    EXPECT_LT(relative(fused.forward(images, 0, {}).logits, plain.forward(images, 0, {}).logits), 1e-4);
  }
}

// At ImageNet's full size.
TEST(FusedDerivedTest, AgreesOnImagesOf224) {
  const SearchSpace space = make_space("darts", 4, false);
  RandomStream stream(3, Purpose::kRandomSelection);
  const Genotype genotype = random_genotype(space, stream);
  const NetworkShape shape{
      .channels = 8, .cells = 4, .height = 224, .width = 224, .stem = StemKind::kImageNet};
  DerivedNetwork plain(genotype, shape, true), fused(genotype, shape, true, Engine::kFused);
  for (DerivedNetwork* network : {&plain, &fused}) initialise(*network, 3);
  torch::manual_seed(2);
  const torch::Tensor images = torch::randn({2, 3, 224, 224});
  const torch::NoGradGuard no_grad;
  const auto a = plain.forward(images, 0, {1, 1}), b = fused.forward(images, 0, {1, 1});
  EXPECT_LT(relative(b.logits, a.logits), 1e-4);
  EXPECT_LT(relative(b.auxiliary, a.auxiliary), 1e-3);
}

}  // namespace
}  // namespace ptnas
