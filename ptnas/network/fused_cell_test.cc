#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>

#include "ptnas/core/error.h"
#include "ptnas/core/random.h"
#include "ptnas/network/derived_network.h"
#include "ptnas/network/engine_check.h"
#include "ptnas/network/fused_convolution.h"
#include "ptnas/network/layout.h"
#include "ptnas/network/supernet.h"
#include "ptnas/space/derive.h"
#include "ptnas/space/genotype.h"

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

// As training has the weights.
void put_in_channels_last(torch::nn::Module& network) {
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : network.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
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
  for (const CellType type : space.cell_types())
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
                                         Case{"s3", 6, 3, 11, 9}, Case{"s4", 36, 3, 8, 2},
                                         Case{"nb201", 16, 1, 16, 4}, Case{"nb201", 5, 2, 9, 3}));

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
  // Cells that are searched: 4, or in NAS-Bench-201 those of three stages.
  const int cells = std::string(GetParam()) == "nb201" ? 2 : 4, searched = cells == 2 ? 6 : 4;
  const SearchSpace space = make_space(GetParam(), 4, std::string(GetParam()) == "darts");
  Supernet network(space, {.channels = 6, .cells = cells, .engine = Engine::kCheck});
  initialise(network, 3);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({3, 3, 10, 10}), labels = torch::randint(10, {3}, torch::kLong);
  Architecture undecided(space, 0.3, 5), one_hot(space, 0.3, 5);
  RandomStream stream(1, Purpose::kRandomSelection);
  for (const CellType type : space.cell_types()) {
    for (int e = 0; e < space.edge_count(); ++e) {
      const auto candidates = space.of(type)[static_cast<std::size_t>(e)].size();
      one_hot.decide(type, e, static_cast<int>(stream.below(candidates)));
    }
  }
  one_hot.remove(space.cell_types().back(), 5);
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
  EXPECT_EQ(found.passes, 5 * searched);
  EXPECT_LT(found.output.value, kRounding) << describe(found);
  EXPECT_LT(found.statistics.value, kRounding) << describe(found);
  for (const auto& gradient : {found.input_gradient, found.weight_gradient, found.alpha_gradient})
    EXPECT_LT(gradient.value, kCrossing) << describe(found);
}

INSTANTIATE_TEST_SUITE_P(Spaces, EngineCheckTest, testing::Values("darts", "s1", "s2", "s3", "s4", "nb201"));

// Every operation there is on every edge, in a space of one's own.
SearchSpace space_of_all_operations() {
  const std::string file = testing::TempDir() + "/ptnas_all_operations.toml";
  std::string all;
  for (const OperationInfo& info : operation_table())
    all += (all.empty() ? "'" : ", '") + std::string(info.name) + "'";
  std::ofstream(file) << "nodes = 2\n[normal]\nall = [" << all << "]\n[reduction]\nall = [" << all << "]\n";
  return make_space(file, 2, false);
}

SearchSpace space_for(const std::string& name) {
  if (name == "all operations") return space_of_all_operations();
  if (name == "darts with none") return make_space("darts", 4, true);
  if (name == "example") return make_space(PTNAS_SOURCE_DIR "/examples/space.toml", 4, false);
  return make_space(name, 4, false);
}

class EngineStateTest : public testing::TestWithParam<const char*> {};

// Every mask of an operation, every removed edge and every edge that is one operation alone, in both cells at
// once: both engines in every cell, there and back.
TEST_P(EngineStateTest, EnginesAgreeUnderEveryMaskAndOneHotEdge) {
  const SearchSpace space = space_for(GetParam());
  const int cells = space.inputs() == 2 ? 3 : 1;
  Supernet network(space, {.channels = 4, .cells = cells, .engine = Engine::kCheck});
  initialise(network, 3);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({2, 3, 8, 8}), labels = torch::randint(10, {2}, torch::kLong);
  std::vector<double> gradients;  // the largest difference of each state
  const auto differentiate = [&](const ArchitectureWeights& weights) {
    reset_engine_differences();
    torch::cross_entropy_loss(network.forward(images, weights, {7, 8}), labels).backward();
    const EngineDifferences found = engine_differences();
    EXPECT_EQ(found.passes, 3);
    // A norm over eight numbers a channel enlarges the rounding of what comes before it.
    EXPECT_LT(found.output.value, 5 * kRounding) << describe(found);
    EXPECT_LT(found.statistics.value, kRounding) << describe(found);
    gradients.push_back(
        std::max({found.input_gradient.value, found.weight_gradient.value, found.alpha_gradient.value}));
  };
  const Architecture undecided(space, 0.3, 5);
  for (int edge = 0; edge < space.edge_count(); ++edge) {
    int most = 0;
    std::vector<Mask> removed;
    for (const CellType type : space.cell_types()) {
      most = std::max(most, static_cast<int>(space.of(type)[static_cast<std::size_t>(edge)].size()));
      removed.push_back({type, edge, std::nullopt});
    }
    if (space.inputs() == 2) differentiate(undecided.weights(true, removed));
    for (int operation = 0; operation < most; ++operation) {
      std::vector<Mask> masks;
      Architecture one_hot(space, 0.3, 5);
      for (const CellType type : space.cell_types()) {
        const auto count = static_cast<int>(space.of(type)[static_cast<std::size_t>(edge)].size());
        masks.push_back({type, edge, operation % count});
        one_hot.decide(type, edge, operation % count);
      }
      differentiate(undecided.weights(true, masks));
      differentiate(one_hot.weights(true));
    }
  }
  // In tensors of eight numbers a channel one crossing of a ReLU is much: it may happen in few states.
  std::sort(gradients.begin(), gradients.end());
  EXPECT_LT(gradients[gradients.size() / 2], kRounding);
  EXPECT_LT(gradients[gradients.size() * 9 / 10], kCrossing);
}

INSTANTIATE_TEST_SUITE_P(Spaces, EngineStateTest,
                         testing::Values("darts", "darts with none", "s1", "s2", "s3", "s4", "nb201",
                                         "example", "all operations"));

// NAS-Bench-201: what is computed with weight 0 has statistics, and gradients that are 0 but there, so that
// weights decay; in both engines.
TEST(FusedNb201Test, OperationsOfWeightZeroAreComputedAlike) {
  const SearchSpace space = make_space("nb201", 4, false);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({4, 3, 8, 8}), labels = torch::randint(10, {4}, torch::kLong);
  for (const bool frozen : {false, true}) {
    std::vector<std::shared_ptr<Supernet>> networks;
    for (const Engine engine : {Engine::kPlain, Engine::kFused}) {
      auto network = std::make_shared<Supernet>(space, SupernetShape{6, 1, 10, 3, engine});
      initialise(*network, 3);
      put_in_channels_last(*network);
      std::optional<FrozenStatistics> guard;
      if (frozen) guard.emplace(*network);
      Architecture architecture(space, 0.3, 5);
      architecture.decide(CellType::kNormal, 0, 3);
      architecture.decide(CellType::kNormal, 4, 1);
      const ArchitectureWeights weights = architecture.weights(true, {{CellType::kNormal, 5, 2}});
      torch::cross_entropy_loss(network->forward(images, weights, {}), labels).backward();
      networks.push_back(network);
    }
    const auto plain = networks[0]->named_parameters(), fused = networks[1]->named_parameters();
    for (const auto& item : plain) {
      ASSERT_TRUE(item.value().grad().defined() && fused[item.key()].grad().defined()) << item.key();
      EXPECT_LT(relative(fused[item.key()].grad(), item.value().grad()), kCrossing) << item.key();
    }
    EXPECT_EQ(fused["cells.0.edges.3<-1.3.op.1.weight"].grad().abs().max().item<float>(), 0);
    EXPECT_EQ(fused["cells.2.edges.3<-2.2.op.1.weight"].grad().abs().max().item<float>(), 0);
    for (const auto& item : networks[0]->named_buffers()) {
      const torch::Tensor other = networks[1]->named_buffers()[item.key()];
      EXPECT_TRUE(torch::allclose(other.to(torch::kFloat), item.value().to(torch::kFloat), 1e-4, 1e-5))
          << item.key();
      if (item.key().ends_with("num_batches_tracked")) {
        EXPECT_EQ(other.item<int>(), frozen ? 0 : 1) << item.key();
      }
    }
  }
}

// The residual block's convolutions: ReLU, stride, no norm; sizes odd and even, one image and several.
TEST(FusedConvolutionTest, AgreesWithLibtorchThereAndBack) {
  struct Shape {
    int in, out, kernel, stride, height, width;
    bool norm, relu;
  };
  for (const Shape& s : {Shape{16, 32, 3, 2, 8, 8, true, true}, Shape{5, 10, 3, 2, 7, 9, true, true},
                         Shape{6, 12, 1, 1, 4, 3, false, false}, Shape{3, 7, 3, 1, 5, 6, true, false}}) {
    torch::manual_seed(s.in);
    const torch::Tensor x = torch::randn({3, s.in, s.height, s.width}),
                        w = torch::randn({s.out, s.in, s.kernel, s.kernel});
    const auto norm = std::make_shared<BatchNorm>(s.out, true),
               other = std::make_shared<BatchNorm>(s.out, true);
    torch::Tensor inputs[2] = {x.clone().requires_grad_(), x.clone().requires_grad_()};
    torch::Tensor weights[2] = {w.clone().requires_grad_(), w.clone().requires_grad_()};
    const torch::Tensor fused = fused_convolution(inputs[0], weights[0], s.norm ? norm : nullptr,
                                                  {.relu = s.relu, .stride = s.stride});
    torch::Tensor plain =
        torch::conv2d(s.relu ? torch::relu(inputs[1]) : inputs[1], weights[1], {}, s.stride, s.kernel / 2);
    if (s.norm) plain = other->forward(plain);
    ASSERT_EQ(fused.sizes(), plain.sizes());
    EXPECT_TRUE(torch::allclose(fused, plain, 1e-4, 1e-4));
    const torch::Tensor g = torch::randn(plain.sizes());
    fused.backward(g);
    plain.backward(g);
    EXPECT_LT(relative(inputs[0].grad(), inputs[1].grad()), kRounding);
    EXPECT_LT(relative(weights[0].grad(), weights[1].grad()), kRounding);
    if (!s.norm) continue;
    EXPECT_LT(relative(norm->weight().grad(), other->weight().grad()), kRounding);
    EXPECT_LT(relative(norm->bias().grad(), other->bias().grad()), kRounding);
    EXPECT_TRUE(torch::allclose(norm->running_var(), other->running_var(), 1e-4, 1e-5));
  }
}

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
std::vector<torch::Tensor> after_steps(const char* name, int threads) {
  const int before = torch::get_num_threads();
  torch::set_num_threads(threads);
  const SearchSpace space = make_space(name, 4, false);
  Supernet network(space, {.channels = 8, .cells = space.inputs() == 2 ? 3 : 1, .engine = Engine::kFused});
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
  for (const torch::Tensor& alpha : architecture.alphas()) results.push_back(alpha.grad());
  torch::set_num_threads(before);
  return results;
}

TEST(FusedThreadsTest, TheNumberOfThreadsChangesNoBit) {
  for (const char* space : {"darts", "nb201"}) {
    const std::vector<torch::Tensor> one = after_steps(space, 1);
    for (const int threads : {2, 3}) {
      const std::vector<torch::Tensor> other = after_steps(space, threads);
      ASSERT_EQ(one.size(), other.size());
      for (std::size_t i = 0; i < one.size(); ++i)
        EXPECT_TRUE(torch::equal(one[i], other[i])) << space << ", " << threads << " threads, " << i;
    }
  }
}

// Candidates that differ on an edge of NAS-Bench-201 give, all in one pass, the bits that each gives alone.
TEST(FusedNb201Test, SharingChangesNoBit) {
  const SearchSpace space = make_space("nb201", 4, false);
  Supernet network(space, {.channels = 4, .cells = 1, .engine = Engine::kFused});
  initialise(network, 3);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({3, 3, 12, 12});
  Architecture architecture(space, 0.3, 5);
  architecture.decide(CellType::kNormal, 3, 3);
  const FrozenStatistics frozen(network);
  const torch::NoGradGuard no_grad;
  for (const int edge : {0, 2, 5}) {
    std::vector<ArchitectureWeights> weights = {architecture.weights(false)};
    for (int o = 0; o < 5; ++o)
      weights.push_back(architecture.weights(false, {{CellType::kNormal, edge, o}}));
    const std::vector<torch::Tensor> together = network.forward_many(images, weights, {7, 8});
    for (std::size_t i = 0; i < weights.size(); ++i)
      EXPECT_TRUE(torch::equal(together[i], network.forward(images, weights[i], {7, 8})))
          << edge << ", " << i;
  }
}

// NAS-Bench-201's derived networks, with `none` on edges and nodes that lead nowhere.
TEST(FusedDerivedTest, NasBench201AgreesWithThePlainEngine) {
  for (const char* text :
       {"|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        "|skip_connect~0|+|nor_conv_1x1~0|none~1|+|none~0|skip_connect~1|none~2|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"}) {
    const Genotype genotype = genotype_from_text(text, "text");
    const NetworkShape shape{.channels = 6, .cells = 2, .height = 10, .width = 9};
    DerivedNetwork plain(genotype, shape, false), fused(genotype, shape, false, Engine::kFused);
    torch::manual_seed(1);
    const torch::Tensor images = torch::randn({4, 3, 10, 9}), labels = torch::randint(10, {4}, torch::kLong);
    for (DerivedNetwork* network : {&plain, &fused}) {
      initialise(*network, 3);
      put_in_channels_last(*network);
      torch::cross_entropy_loss(network->forward(images, 0, {}).logits, labels).backward();
    }
    const auto found = fused.named_parameters();
    for (const auto& item : plain.named_parameters()) {
      // One engine gives nothing where the other gives zeros.
      const torch::Tensor none = torch::zeros_like(item.value());
      const torch::Tensor expected = item.value().grad().defined() ? item.value().grad() : none;
      const torch::Tensor ours = found[item.key()].grad().defined() ? found[item.key()].grad() : none;
      EXPECT_TRUE(torch::allclose(ours, expected, 1e-3, 1e-5)) << item.key() << ", " << text;
    }
    plain.eval();
    fused.eval();
    const torch::NoGradGuard no_grad;
    EXPECT_TRUE(torch::allclose(fused.forward(images, 0, {}).logits, plain.forward(images, 0, {}).logits,
                                1e-4, 1e-5));
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
// Both edges of every node leave the same state: their gradients meet in one tensor.
TEST(FusedDerivedTest, TwoEdgesFromOneStateGiveTheSameBitsOnEveryNumberOfThreads) {
  const Genotype genotype = genotype_from_text(
      "Genotype(normal=[('sep_conv_3x3', 0), ('dil_conv_5x5', 0), ('sep_conv_5x5', 1), ('dil_conv_3x3', 1), "
      "('sep_conv_3x3', 2), ('sep_conv_5x5', 2), ('dil_conv_3x3', 3), ('sep_conv_3x3', 3)], "
      "normal_concat=range(2, 6), reduce=[('sep_conv_3x3', 0), ('dil_conv_5x5', 0), ('sep_conv_5x5', 1), "
      "('dil_conv_3x3', 1), ('sep_conv_3x3', 2), ('sep_conv_5x5', 2), ('dil_conv_3x3', 3), "
      "('sep_conv_3x3', 3)], reduce_concat=range(2, 6))",
      "test");
  const NetworkShape shape{.channels = 8, .cells = 4, .height = 16, .width = 16};
  const int before = torch::get_num_threads();
  torch::manual_seed(2);
  const torch::Tensor images = torch::randn({16, 3, 16, 16});
  const auto gradients = [&](int threads, Engine engine) {
    torch::set_num_threads(threads);
    DerivedNetwork network(genotype, shape, false, engine);
    initialise(network, 3);
    network.forward(images, 0, {1, 1}).logits.square().sum().backward();
    std::vector<torch::Tensor> all;
    for (const auto& parameter : network.parameters()) all.push_back(parameter.grad());
    return all;
  };
  const std::vector<torch::Tensor> one = gradients(1, Engine::kFused), plain = gradients(1, Engine::kPlain);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_LT(relative(one[i], plain[i]), kCrossing) << i;
  for (int repeat = 0; repeat < 8; ++repeat) {
    const std::vector<torch::Tensor> two = gradients(2, Engine::kFused);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(torch::equal(one[i], two[i])) << i;
  }
  torch::set_num_threads(before);
}

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
