#include <gtest/gtest.h>

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/search/search_table.h"
#include "ptnas/train/supernet_trainer.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

constexpr CellType kNormal = CellType::kNormal, kReduction = CellType::kReduction;

// Alpha after each of six epochs, by cell type and edge: a random walk.
constexpr int kEpochs = 6, kEdges = 5;
constexpr float kAlpha[kEpochs][2][kEdges][3] = {{{{-0.27f, -0.24f, -0.16f},
                                                   {-0.07f, 0.16f, 0.08f},
                                                   {-0.07f, -0.34f, -0.1f},
                                                   {0.51f, -0.28f, 0.12f},
                                                   {0.0f, -0.51f, 0.07f}},
                                                  {{0.57f, -0.97f, -0.3f},
                                                   {-0.13f, -0.37f, 0.23f},
                                                   {-0.03f, -0.53f, 0.27f},
                                                   {0.3f, 0.42f, 0.51f},
                                                   {0.32f, 0.1f, -0.4f}}},
                                                 {{{-0.03f, -0.49f, -0.34f},
                                                   {-0.58f, -0.23f, -0.13f},
                                                   {0.45f, -1.15f, -0.69f},
                                                   {0.61f, 0.29f, 0.35f},
                                                   {-0.76f, -1.52f, 0.21f}},
                                                  {{0.28f, -1.42f, 0.09f},
                                                   {0.31f, -0.31f, 0.33f},
                                                   {0.14f, 0.1f, 0.51f},
                                                   {0.51f, 0.64f, -0.12f},
                                                   {0.83f, 0.49f, -0.19f}}},
                                                 {{{-0.82f, -0.74f, -0.0f},
                                                   {-1.3f, -0.3f, 0.27f},
                                                   {-0.08f, -0.51f, -0.47f},
                                                   {0.55f, 0.42f, 0.61f},
                                                   {-0.71f, -1.06f, -0.05f}},
                                                  {{0.11f, -1.01f, 0.1f},
                                                   {-0.04f, 0.07f, 0.91f},
                                                   {-0.03f, -0.45f, 0.46f},
                                                   {0.45f, 0.52f, 0.44f},
                                                   {0.42f, 0.99f, -0.7f}}},
                                                 {{{-1.13f, -0.49f, 0.45f},
                                                   {-0.96f, -0.16f, 0.33f},
                                                   {-0.02f, -0.28f, -0.54f},
                                                   {0.66f, 0.65f, 0.61f},
                                                   {-0.4f, -0.83f, 0.75f}},
                                                  {{0.24f, -1.18f, -0.05f},
                                                   {-0.05f, 0.44f, 0.78f},
                                                   {0.12f, 0.29f, -0.57f},
                                                   {-0.0f, 0.62f, 0.6f},
                                                   {0.51f, 0.82f, -0.43f}}},
                                                 {{{-1.02f, -0.7f, 1.42f},
                                                   {-0.82f, -0.38f, 0.29f},
                                                   {-0.11f, -0.3f, -1.63f},
                                                   {0.47f, 1.06f, 0.14f},
                                                   {-0.43f, -0.45f, 1.1f}},
                                                  {{0.84f, -1.86f, -0.19f},
                                                   {-0.18f, 0.69f, 1.22f},
                                                   {-0.95f, 0.72f, -1.14f},
                                                   {0.27f, 0.02f, 0.67f},
                                                   {0.99f, 0.76f, -0.36f}}},
                                                 {{{-0.7f, -0.64f, 1.38f},
                                                   {-0.21f, 0.03f, 0.17f},
                                                   {0.99f, -0.76f, -1.26f},
                                                   {0.36f, 1.11f, 0.42f},
                                                   {-0.34f, -0.2f, 0.48f}},
                                                  {{0.23f, -1.61f, -0.58f},
                                                   {-0.6f, 0.1f, 1.72f},
                                                   {-0.65f, 1.31f, -1.52f},
                                                   {0.27f, -0.44f, 0.98f},
                                                   {1.63f, 0.4f, 0.27f}}}};

// A decision as computed from that record apart from this program: edge, its operation, its measures.
struct Expected {
  int edge, operation;
  double importance, certainty, stability, score;
};

class SgasTest : public testing::Test {
 protected:
  SgasTest() {
    task.search.space = "s3";
    task.search.method = "sgas";
    task.search.epochs = kEpochs;
    task.search.sgas_first_decision = 2;
    task.search.sgas_decide_every = 1;
    task.search.sgas_batch_increase = 4;
  }
  SupernetTrainer make() { return SupernetTrainer(task.dataset, task.data, task.search, task.runtime); }
  Batch batch() {
    return make_batch(task.dataset, {Part::kTrain, {0, 1, 2, 3, 4, 5, 6, 7}, {}, 0, 0},
                      memory_format_of(task.runtime.memory_format));
  }
  // Open edges only: the others' alpha is frozen.
  static void set_alpha(SupernetTrainer& trainer, int epoch) {
    const torch::NoGradGuard no_grad;
    for (const CellType type : kCellTypes) {
      for (int e = 0; e < kEdges; ++e) {
        if (!trainer.architecture().open(type, e)) continue;
        for (int o = 0; o < 3; ++o)
          trainer.architecture().alpha(type)[e][o] = kAlpha[epoch][static_cast<int>(type)][e][o];
      }
    }
  }
  void expect_decisions(const std::vector<Expected>& expected, int removed_normal, int removed_reduction) {
    SupernetTrainer trainer = make();
    const std::unique_ptr<SearchMethod> method = make_search_method("sgas");
    method->check(trainer);
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      set_alpha(trainer, epoch);
      method->after_epoch(trainer, {epoch});
      const int events = std::clamp(epoch, 0, 4);
      EXPECT_EQ(method->batch(trainer, 64), 64 + 4 * events) << epoch;
    }
    const Json& decisions = trainer.method_state().at("decisions");
    ASSERT_EQ(decisions.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Json& decision = decisions[i];
      EXPECT_EQ(decision["epoch"], 1 + i / 2);
      EXPECT_EQ(decision["cell"], i % 2 == 0 ? "normal" : "reduction");
      ASSERT_EQ(decision["edge"], expected[i].edge) << i;
      EXPECT_EQ(decision["operation"], expected[i].operation) << i;
      for (const Json& edge : decision["edges"]) {
        if (edge["edge"] != expected[i].edge) continue;
        EXPECT_NEAR(edge["importance"].get<double>(), expected[i].importance, 2e-6) << i;
        EXPECT_NEAR(edge["certainty"].get<double>(), expected[i].certainty, 2e-6) << i;
        EXPECT_NEAR(edge["score"].get<double>(), expected[i].score, 2e-5) << i;
        EXPECT_EQ(edge.contains("stability"), expected[i].stability > 0);
        if (edge.contains("stability")) {
          EXPECT_NEAR(edge["stability"].get<double>(), expected[i].stability, 2e-6) << i;
        }
      }
    }
    for (const CellType type : kCellTypes) {
      const int removed = type == kNormal ? removed_normal : removed_reduction;
      for (int e = 0; e < kEdges; ++e) {
        EXPECT_FALSE(trainer.architecture().open(type, e));
        EXPECT_EQ(trainer.architecture().removed(type, e), e == removed) << name_of(type) << " " << e;
      }
    }
  }

  TinyTask task;
};

TEST_F(SgasTest, CriterionOneDecidesARecordedHistory) {
  expect_decisions({{4, 2, 0.756431, 0.388691, 0, 1.0},
                    {3, 1, 0.625667, 0.097097, 0, 0.141186},
                    {0, 2, 0.770315, 0.092382, 0, 0.151792},
                    {4, 1, 0.676851, 0.375892, 0, 0.495652},
                    {1, 2, 0.854192, 0.042033, 0, 0.107478},
                    {0, 2, 0.497482, 0.198108, 0, 0.0},
                    {3, 1, 0.716144, 0.137881, 0, 0.165221},
                    {1, 2, 0.86563, 0.048932, 0, 0.0}},
                   2, 2);
}

TEST_F(SgasTest, CriterionTwoDecidesARecordedHistory) {
  task.search.sgas_criterion = "2";
  expect_decisions({{0, 2, 0.577119, 0.004046, 0.982559, 0.004959},
                    {1, 2, 0.609092, 0.070249, 0.990903, 0.07353},
                    {4, 2, 0.725236, 0.162903, 0.895827, 0.124774},
                    {2, 2, 0.69599, 0.135186, 0.932531, 0.243186},
                    {1, 2, 0.854192, 0.042033, 0.915373, 0.087731},
                    {0, 2, 0.497482, 0.198108, 0.946244, 0.0},
                    {3, 1, 0.716144, 0.137881, 0.747197, 0.066769},
                    {4, 1, 0.513091, 0.195105, 0.916169, 0.045584}},
                   2, 3);
}

TEST_F(SgasTest, TheStateGoesThroughAFile) {
  task.search.sgas_criterion = "2";
  const ScratchDirectory folder;
  const std::unique_ptr<SearchMethod> method = make_search_method("sgas");
  SupernetTrainer whole = make(), parts = make();
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    for (SupernetTrainer* trainer : {&whole, &parts}) {
      set_alpha(*trainer, epoch);
      method->after_epoch(*trainer, {epoch});
    }
    save_supernet(folder / "supernet.safetensors", parts);
    parts.method_state() = Json::object();
    load_supernet(folder / "supernet.safetensors", parts);
    method->check(parts);
  }
  EXPECT_EQ(whole.method_state(), parts.method_state());
  EXPECT_EQ(whole.method_state()["history"]["normal"].size(), 4u);
}

TEST_F(SgasTest, AlphaWaitsForTheFirstDecisionUnlessAskedTo) {
  const std::unique_ptr<SearchMethod> method = make_search_method("sgas");
  for (const bool from_start : {false, true}) {
    task.search.sgas_alpha_from_start = from_start;
    SupernetTrainer trainer = make();
    const torch::Tensor before = trainer.architecture().alpha(kNormal).detach().clone();
    method->step(trainer, batch(), batch());
    EXPECT_EQ(torch::equal(before, trainer.architecture().alpha(kNormal)), !from_start);
    method->after_epoch(trainer, {1});
    method->step(trainer, batch(), batch());
    EXPECT_FALSE(torch::equal(before, trainer.architecture().alpha(kNormal)));
  }
}

TEST_F(SgasTest, ADecidedEdgesAlphaIsFrozenToTheBit) {
  const std::unique_ptr<SearchMethod> method = make_search_method("sgas");
  task.search.sgas_alpha_from_start = true;
  SupernetTrainer trainer = make();
  method->step(trainer, batch(), batch());  // Adam's moments are not zero
  method->after_epoch(trainer, {1});
  const torch::Tensor before = trainer.architecture().alpha(kReduction).detach().clone();
  for (int step = 0; step < 3; ++step) method->step(trainer, batch(), batch());
  for (int e = 0; e < kEdges; ++e) {
    EXPECT_EQ(torch::equal(before[e], trainer.architecture().alpha(kReduction)[e]),
              !trainer.architecture().open(kReduction, e))
        << e;
  }
}

TEST_F(SgasTest, SpacesAndEpochsThatDoNotFitAreUsageErrors) {
  const std::unique_ptr<SearchMethod> method = make_search_method("sgas");
  const auto expect_refused = [&](const std::string& says) {
    try {
      method->check(make());
      ADD_FAILURE() << "accepted, expected " << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
  };
  EXPECT_NO_THROW(method->check(make()));
  task.search.epochs = 4;
  expect_refused("--epochs");
  task.search.epochs = kEpochs;
  task.search.space = "s4";
  expect_refused("--with-none");
  task.search.with_none = true;
  EXPECT_NO_THROW(method->check(make()));
}

TEST_F(SgasTest, AnotherChooserWithinASearchIsRefused) {
  const std::unique_ptr<SearchMethod> method = make_search_method("sgas");
  struct First final : OperationChooser {
    Json description() const override { return Json{{"selection", "first"}}; }
    int choose(SupernetTrainer&, CellType, int, std::int64_t number, Json& measured,
               const std::function<void()>& between_batches) const override {
      between_batches();
      measured["number"] = number;
      return 1;
    }
  } first;
  int asked = 0;
  SupernetTrainer trainer = make();
  method->after_epoch(trainer, {1, &first, [&] { ++asked; }});
  EXPECT_EQ(asked, 2);
  const Json& decisions = trainer.method_state()["decisions"];
  ASSERT_EQ(decisions.size(), 2u);
  EXPECT_EQ(decisions[1]["operation"], 1);
  EXPECT_EQ(decisions[1]["measured"]["number"], 1);
  EXPECT_THROW(method->after_epoch(trainer, {2}), Error);
}

TEST_F(SgasTest, ADamagedStateIsRefused) {
  const std::unique_ptr<SearchMethod> method = make_search_method("sgas");
  SupernetTrainer trainer = make();
  method->after_epoch(trainer, {1});
  const Json whole = trainer.method_state();
  trainer.method_state()["decisions"][0].erase("cell");
  EXPECT_THROW(method->check(trainer), Error);
  trainer.method_state() = whole;
  trainer.method_state()["history"] = Json::object();
  EXPECT_THROW(method->check(trainer), Error);
  trainer.method_state() = whole;
  EXPECT_NO_THROW(method->check(trainer));
}

}  // namespace
}  // namespace ptnas
