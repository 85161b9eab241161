#include "ptnas/search/run_search.h"

#include <gtest/gtest.h>

#include "ptnas/core/error.h"
#include "ptnas/search/search_table.h"
#include "ptnas/search/testing.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {
namespace {

class RunSearchTest : public SearchTest {
 protected:
  // With epochs enough for SGAS' six decisions.
  void use_nb201() {
    task.search.space = "nb201";
    task.search.nodes = 4;
    task.search.cells = 1;
    task.search.epochs = 6;
    task.search.sgas_first_decision = task.search.sgas_decide_every = 1;
    task.search.sgas_criterion = "2";
  }
};

TEST_F(RunSearchTest, WritesMetricsAndTheSupernet) {
  search("run");
  const std::vector<Json> lines = metrics("run");
  ASSERT_EQ(lines.size(), 2u);
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    const Json& line = lines[epoch];
    EXPECT_EQ(line["phase"], "search");
    EXPECT_EQ(line["epoch"], epoch);
    EXPECT_EQ(line["step"], 3 * (epoch + 1));
    for (const char* key : {"train_loss", "valid_loss"}) EXPECT_GT(line[key].get<double>(), 0);
    for (const char* key : {"train_accuracy", "valid_accuracy"}) {
      EXPECT_GE(line[key].get<double>(), 0);
      EXPECT_LE(line[key].get<double>(), 1);
    }
    EXPECT_EQ(line["alpha"]["normal"].size(), 5u);
    EXPECT_EQ(line["alpha"]["reduction"][0].size(), 2u);
  }
  EXPECT_DOUBLE_EQ(lines[0]["learning_rate"].get<double>(), 0.025);
  EXPECT_DOUBLE_EQ(lines[1]["learning_rate"].get<double>(), 0.013);  // half of the cosine
  EXPECT_NE(lines[0]["alpha"], lines[1]["alpha"]);
  const RunDirectory run = RunDirectory::open_for_reading(folder / "run");
  EXPECT_TRUE(run.finished("search"));
  EXPECT_TRUE(run.has(RunDirectory::kSupernet));
}

TEST_F(RunSearchTest, AFinishedSearchIsLeftAlone) {
  search("run");
  const std::string before = supernet("run");
  search("run");
  EXPECT_EQ(metrics("run").size(), 2u);
  EXPECT_EQ(supernet("run"), before);
}

TEST_F(RunSearchTest, InterruptedSearchesAreBitIdentical) {
  for (const char* batches : {"pass", "draws"}) {
    task.search.train_batches = batches;
    const std::string whole = fmt::format("whole-{}", batches), parts = fmt::format("parts-{}", batches);
    search(whole);
    EXPECT_GT(search_interrupted(parts), 1);
    EXPECT_EQ(supernet(whole), supernet(parts)) << batches;
    EXPECT_EQ(metrics(whole), metrics(parts)) << batches;
  }
}

// Every method, on both engines, where there is one cell type.
TEST_F(RunSearchTest, NasBench201IsSearchedByEveryMethodAndGoesOnToTheSameBits) {
  use_nb201();
  for (const std::string& method : search_method_names()) {
    task.search.method = method;
    for (const char* engine : {"fused", "plain"}) {
      task.runtime.engine = engine;
      const std::string whole = fmt::format("whole-{}-{}", method, engine),
                        parts = fmt::format("parts-{}-{}", method, engine);
      search(whole);
      EXPECT_GT(search_interrupted(parts), 1) << whole;
      EXPECT_EQ(supernet(whole), supernet(parts)) << whole;
      EXPECT_EQ(metrics(whole), metrics(parts)) << whole;
      const Json alpha = metrics(whole).back()["alpha"];
      EXPECT_EQ(alpha.size(), 1u);  // there is no other cell
      ASSERT_EQ(alpha["normal"].size(), 6u);
      EXPECT_EQ(alpha["normal"][5].size(), 5u);
    }
    const Json fused = metrics(fmt::format("whole-{}-fused", method))[0],
               plain = metrics(fmt::format("whole-{}-plain", method))[0];
    EXPECT_NEAR(fused["train_loss"].get<double>(), plain["train_loss"].get<double>(), 1e-3) << method;
  }
}

// Every method, on both engines: killed again and again, and at one go.
TEST_F(RunSearchTest, EveryMethodResumesBitIdentically) {
  task.search.space = "s3";  // has `none`, which SGAS asks for
  task.search.epochs = 5;
  task.search.sgas_first_decision = task.search.sgas_decide_every = 1;
  task.search.sgas_criterion = "2";
  for (const std::string& method : search_method_names()) {
    task.search.method = method;
    for (const char* engine : {"fused", "plain"}) {
      task.runtime.engine = engine;
      const std::string whole = fmt::format("whole-{}-{}", method, engine),
                        parts = fmt::format("parts-{}-{}", method, engine);
      search(whole);
      EXPECT_GT(search_interrupted(parts), 1) << whole;
      EXPECT_EQ(supernet(whole), supernet(parts)) << whole;
      EXPECT_EQ(metrics(whole), metrics(parts)) << whole;
    }
    // The same numbers but for rounding, which a few steps do not let grow far.
    const Json fused = metrics(fmt::format("whole-{}-fused", method))[0],
               plain = metrics(fmt::format("whole-{}-plain", method))[0];
    EXPECT_NEAR(fused["train_loss"].get<double>(), plain["train_loss"].get<double>(), 1e-3) << method;
  }
}

TEST_F(RunSearchTest, MethodsDifferFromFirstOrderDarts) {
  search("darts");
  for (const std::string& method : search_method_names()) {
    if (method == "darts" || method == "sgas") continue;
    task.search.method = method;
    search(method);
    EXPECT_NE(supernet(method), supernet("darts")) << method;
  }
  task.search.method = "darts-second-order";
  task.search.inner_momentum = false;
  search("plain-inner-step");
  EXPECT_NE(supernet("plain-inner-step"), supernet("darts-second-order"));
}

TEST_F(RunSearchTest, SgasDecidesEveryEdge) {
  task.search.space = "s3";
  task.search.method = "sgas";
  task.search.epochs = 4;
  task.search.sgas_first_decision = task.search.sgas_decide_every = 1;
  search("run");
  SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
  load_supernet((folder / "run") / RunDirectory::kSupernet, trainer);
  for (const CellType type : kCellTypes) {
    int decided = 0;
    for (int edge = 0; edge < 5; ++edge) {
      EXPECT_FALSE(trainer.architecture().open(type, edge));
      decided += trainer.architecture().decided(type, edge).has_value();
    }
    EXPECT_EQ(decided, 4);
  }
  // Batches grow, so that epochs have fewer steps: 3, then of 16 and 24 images 2 and 1.
  EXPECT_EQ(trainer.steps(), 3 + 2 + 1 + 1);
}

// All six edges, none of them removed and none of them `none`.
TEST_F(RunSearchTest, SgasDecidesEveryEdgeOfNasBench201) {
  use_nb201();
  task.search.method = "sgas";
  search("run");
  SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
  load_supernet((folder / "run") / RunDirectory::kSupernet, trainer);
  ASSERT_EQ(trainer.method_state()["decisions"].size(), 6u);
  for (const Json& decision : trainer.method_state()["decisions"]) {
    EXPECT_EQ(decision["cell"], "normal");
    EXPECT_TRUE(decision["removed"].empty());
    EXPECT_NE(decision["operation"], 0);
  }
  for (int edge = 0; edge < 6; ++edge)
    EXPECT_TRUE(trainer.architecture().decided(CellType::kNormal, edge).has_value());
  task.search.epochs = 5;
  EXPECT_THROW(search("too-short"), Error);
}

TEST_F(RunSearchTest, AMethodThatDoesNotFitIsRefusedBeforeAnythingIsWritten) {
  task.search.method = "sgas";  // space S4 has no `none`
  EXPECT_THROW(search("run"), Error);
  EXPECT_FALSE(std::filesystem::exists((folder / "run") / RunDirectory::kSearchCheckpoint));
}

TEST_F(RunSearchTest, LoadingThreadsDoNotMatterTheSeedDoes) {
  search("one");
  task.data.loader_threads = 3;
  search("three");
  EXPECT_EQ(supernet("one"), supernet("three"));
  task.runtime.seed = 1;
  search("other");
  EXPECT_NE(supernet("one"), supernet("other"));
}

TEST_F(RunSearchTest, FixedAlphaStaysWhereItBegan) {
  task.search.method = "fixed-alpha";
  task.search.fixed_alpha_deviation = 0.5;
  SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
  const torch::Tensor before = trainer.architecture().alpha(CellType::kReduction).detach().clone();
  search("run");
  load_supernet((folder / "run") / RunDirectory::kSupernet, trainer);
  EXPECT_TRUE(torch::equal(before, trainer.architecture().alpha(CellType::kReduction)));
  const std::vector<Json> lines = metrics("run");
  EXPECT_EQ(lines[0]["alpha"], lines[1]["alpha"]);
  EXPECT_NE(lines[0]["train_loss"], lines[1]["train_loss"]);
}

TEST_F(RunSearchTest, ADivergedSearchSaysWhatToTry) {
  task.search.learning_rate = 1e30;
  task.search.clip = 0;
  try {
    search("run");
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("smaller learning rate"), std::string::npos) << error.what();
  }
}

TEST(SearchTable, KnowsItsMethods) {
  for (const std::string& name : search_method_names()) EXPECT_NE(make_search_method(name), nullptr);
  EXPECT_TRUE(make_search_method("darts")->trains_alpha());
  EXPECT_FALSE(make_search_method("fixed-alpha")->trains_alpha());
  try {
    make_search_method("evolution");
    ADD_FAILURE() << "made";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("darts, darts-second-order"), std::string::npos);
  }
}

}  // namespace
}  // namespace ptnas
