#include "ptnas/search/run_search.h"

#include <gtest/gtest.h>

#include "ptnas/core/error.h"
#include "ptnas/search/search_table.h"
#include "ptnas/train/supernet_trainer.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

class RunSearchTest : public testing::Test {
 protected:
  void search(const std::string& name) {
    RunDirectory run = RunDirectory::open_for_writing(folder / name);
    run_search(run, task.dataset, task.data, task.search, task.runtime);
  }
  std::vector<Json> metrics(const std::string& name) {
    std::vector<Json> lines = RunDirectory::open_for_reading(folder / name).metrics();
    for (Json& line : lines) line.erase("seconds");
    return lines;
  }
  std::string supernet(const std::string& name) {
    return read_file((folder / name) / RunDirectory::kSupernet);
  }
  // Interrupts again and again, a few images later each time, until the search is done.
  int search_interrupted(const std::string& name) {
    for (int interruptions = 0;; ++interruptions) {
      task.dataset.reads_until_interrupt = 30 + 5 * interruptions;
      try {
        search(name);
        task.dataset.reads_until_interrupt = 0;
        set_interrupt_requested(false);
        return interruptions;
      } catch (const Interrupted& interrupted) {
        EXPECT_NE(std::string(interrupted.what()).find("--resume"), std::string::npos);
        set_interrupt_requested(false);
      }
    }
  }

  ScratchDirectory folder;
  TinyTask task;
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

TEST_F(RunSearchTest, NasBench201IsSearchedAndGoesOnToTheSameBits) {
  task.search.space = "nb201";
  task.search.nodes = 4;
  task.search.cells = 1;
  for (const char* method : {"darts", "fixed-alpha"}) {
    task.search.method = method;
    const std::string whole = fmt::format("whole-{}", method), parts = fmt::format("parts-{}", method);
    search(whole);
    EXPECT_GT(search_interrupted(parts), 1);
    EXPECT_EQ(supernet(whole), supernet(parts)) << method;
    EXPECT_EQ(metrics(whole), metrics(parts)) << method;
    const Json alpha = metrics(whole).back()["alpha"];
    EXPECT_EQ(alpha.size(), 1u);  // there is no other cell
    ASSERT_EQ(alpha["normal"].size(), 6u);
    EXPECT_EQ(alpha["normal"][5].size(), 5u);
  }
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
    EXPECT_NE(std::string(error.what()).find("darts, fixed-alpha"), std::string::npos);
  }
}

}  // namespace
}  // namespace ptnas
