#include "ptnas/analysis/shuffling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "ptnas/analysis/reference_training.h"
#include "ptnas/analysis/supernet_walk.h"
#include "ptnas/core/error.h"
#include "ptnas/network/layout.h"
#include "ptnas/search/run_search.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

std::map<std::string, torch::Tensor> tensors_of(torch::nn::Module& network) {
  std::map<std::string, torch::Tensor> all;
  for (const auto& item : network.named_parameters()) all[item.key()] = item.value().detach().clone();
  for (const auto& item : network.named_buffers()) all[item.key()] = item.value().clone();
  return all;
}

void expect_equal(const std::map<std::string, torch::Tensor>& a,
                  const std::map<std::string, torch::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(torch::equal(tensor, b.at(name))) << name;
}

class ShufflingTest : public testing::Test {
 protected:
  ShufflingTest() {
    task.search.space = "s2";
    options.shuffles = 4;
    options.images = 30;
  }
  // A supernet with an epoch behind it.
  std::unique_ptr<SupernetTrainer> trained() {
    task.search.epochs = 1;
    RunDirectory run = RunDirectory::open_for_writing(folder / "search");
    run_search(run, task.dataset, task.data, task.search, task.runtime);
    auto trainer = std::make_unique<SupernetTrainer>(task.dataset, task.data, task.search, task.runtime);
    load_supernet(run.file(RunDirectory::kSupernet), *trainer);
    return trainer;
  }
  ReferenceNetwork reference(ReferenceKind kind) {
    ReferenceNetwork network({.kind = kind, .channels = 4, .blocks = 3, .classes = 3, .image_channels = 1});
    initialise(network, 5);
    return network;
  }
  ScratchDirectory folder;
  TinyTask task;
  ShuffleOptions options;
};

TEST_F(ShufflingTest, WeightsAndStatisticsChangePlacesAndComeBack) {
  ReferenceNetwork network = reference(ReferenceKind::kResNet);
  network.train();
  network.forward(torch::randn({4, 1, 8, 8}), 0, {});  // statistics that differ
  const auto before = tensors_of(network);
  swap_layers(network, {"layers.1.", "layers.3."});
  const auto after = tensors_of(network);
  for (const char* name : {"0.weight", "1.running_mean", "3.running_var"}) {
    EXPECT_TRUE(
        torch::equal(before.at(std::string("layers.1.") + name), after.at(std::string("layers.3.") + name)));
    EXPECT_TRUE(
        torch::equal(before.at(std::string("layers.3.") + name), after.at(std::string("layers.1.") + name)));
  }
  EXPECT_FALSE(torch::equal(before.at("layers.1.1.running_mean"), after.at("layers.1.1.running_mean")));
  EXPECT_TRUE(torch::equal(before.at("layers.2.0.weight"), after.at("layers.2.0.weight")));
  swap_layers(network, {"layers.1.", "layers.3."});
  expect_equal(before, tensors_of(network));
  EXPECT_THROW(swap_layers(network, {"layers.1.", "layers.4."}), Error);  // of another shape
}

TEST_F(ShufflingTest, PairsAreOfOneStageStrideAndKindOfEdge) {
  const auto pairs = layer_pairs(reference(ReferenceKind::kVgg16));
  std::vector<std::size_t> counts;
  for (const auto& stage : pairs) counts.push_back(stage.size());
  EXPECT_EQ(counts, (std::vector<std::size_t>{0, 0, 1, 1, 3}));

  SearchSpace space = make_space("s2", 4, false);
  const Supernet network(space, {.channels = 4, .cells = 3});
  const auto edges = edge_pairs(network);
  ASSERT_EQ(edges.size(), 3u);
  EXPECT_EQ(edges[0].size(), 14u * 13 / 2);
  // A reduction cell: 8 edges from the inputs have stride 2, 6 have not.
  EXPECT_EQ(edges[1].size(), 8u * 7 / 2 + 6 * 5 / 2);
  // S1's edges differ: of its normal ones 3 have skip and dil3, and so on.
  const Supernet s1(make_space("s1", 4, false), {.channels = 4, .cells = 3});
  const auto s1_pairs = edge_pairs(s1);
  for (const auto& [a, b] : s1_pairs[0])
    EXPECT_EQ(s1.space().of(CellType::kNormal)[static_cast<std::size_t>(a)],
              s1.space().of(CellType::kNormal)[static_cast<std::size_t>(b)]);
}

TEST_F(ShufflingTest, ReferenceNetworksAreShuffledAndStayAsTheyWere) {
  for (const ReferenceKind kind : {ReferenceKind::kVgg16, ReferenceKind::kResNet}) {
    task.runtime.engine = "plain";
    RunDirectory run = RunDirectory::open_for_writing(folder / name_of(kind));
    TrainOptions train;
    train.epochs = 6;
    train.batch = 8;
    train.cutout = 0;
    const auto network = train_reference(run, task.dataset, {.kind = kind, .channels = 4, .blocks = 3},
                                         task.data, train, task.runtime);
    const auto before = tensors_of(*network);
    options.shuffles = 8;
    options.images = 0;
    const auto shuffle = [&](std::uint64_t seed) {
      options.seed = seed;
      return shuffle_layers(*network, task.dataset, options, torch::MemoryFormat::Contiguous, torch::kCPU);
    };
    const ShuffleResult first = shuffle(0), second = shuffle(1);
    EXPECT_EQ(first.before, second.before);
    EXPECT_EQ(first.before, read_json(run.file("evaluation.json"))["top1"]);
    EXPECT_EQ(first.after, shuffle(0).after);
    EXPECT_EQ(first.exchanged, shuffle(0).exchanged);
    EXPECT_NE(first.exchanged, second.exchanged);
    EXPECT_EQ(second.after.size(), 8u);
    expect_equal(before, tensors_of(*network));
    // A second call loads what is trained; another shape is refused.
    EXPECT_TRUE(run.finished("train"));
    expect_equal(before,
                 tensors_of(*train_reference(run, task.dataset, {.kind = kind, .channels = 4, .blocks = 3},
                                             task.data, train, task.runtime)));
    EXPECT_THROW(
        train_reference(run, task.dataset, {.kind = kind, .channels = 8}, task.data, train, task.runtime),
        Error);
  }
}

TEST_F(ShufflingTest, ASupernetIsShuffledAndStaysAsItWas) {
  const auto trainer = trained();
  const auto before = tensors_of(trainer->network());
  options.images = 0;
  const ShuffleResult first = shuffle_edges(*trainer, options);
  options.seed = 1;
  const ShuffleResult second = shuffle_edges(*trainer, options);
  options.alpha_moves = false;
  shuffle_edges(*trainer, options);
  EXPECT_EQ(first.before, second.before);
  EXPECT_EQ(first.after.size(), 4u);
  EXPECT_EQ(second.after.size(), 4u);
  EXPECT_NE(first.exchanged, second.exchanged);
  expect_equal(before, tensors_of(trainer->network()));
}

TEST_F(ShufflingTest, TheWalkIsTheNetwork) {
  for (const char* space : {"s1", "s2", "darts"}) {
    task.search.space = space;
    task.search.nodes = 4;
    task.runtime.engine = "plain";
    SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
    const torch::NoGradGuard no_grad;
    trainer.network().train();
    const FrozenStatistics frozen(trainer.network());
    const ArchitectureWeights weights = trainer.architecture().weights(false);
    const torch::Tensor images = torch::randn({3, 1, 8, 8});
    const torch::Tensor expected = trainer.network().forward(images, weights, {});
    SupernetWalk walk(trainer.network());
    const auto of = [&](int cell) -> const EdgeWeights& {
      return weights.of(trainer.network().cell_type(cell));
    };
    EXPECT_TRUE(torch::equal(walk.forward(images, of, {}), expected));
    int cells = 0;
    const torch::Tensor recorded = walk.record(images, of, {}, [&](int cell, const CellRecord& record) {
      EXPECT_EQ(cell, cells++);
      EXPECT_EQ(record.edges.size(), 14u);
      EXPECT_EQ(record.nodes.size(), 4u);
      EXPECT_TRUE(torch::allclose(record.nodes[0], record.edges[0] + record.edges[1], 1e-4, 1e-5));
    });
    EXPECT_EQ(cells, 3);
    EXPECT_TRUE(torch::allclose(recorded, expected, 1e-3, 1e-4));
  }
  task.search.space = "nb201";
  SupernetTrainer other(task.dataset, task.data, task.search, task.runtime);
  EXPECT_THROW(SupernetWalk walk(other.network()), Error);
}

TEST(ShuffleResultTest, MeanAndDeviationByHand) {
  ShuffleResult result;
  result.after = {0.1, 0.2, 0.6};
  EXPECT_NEAR(result.mean(), 0.3, 1e-12);
  EXPECT_NEAR(result.deviation(), std::sqrt((0.04 + 0.01 + 0.09) / 2), 1e-12);
  result.after = {0.5};
  EXPECT_EQ(result.deviation(), 0);
}

}  // namespace
}  // namespace ptnas
