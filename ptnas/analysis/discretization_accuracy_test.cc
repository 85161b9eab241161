#include "ptnas/analysis/discretization_accuracy.h"

#include <gtest/gtest.h>

#include "ptnas/core/error.h"
#include "ptnas/search/run_search.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

class DiscretizationAccuracyTest : public testing::Test {
 protected:
  DiscretizationAccuracyTest() {
    task.search.epochs = 1;
    task.search.alpha_deviation = 0.5;
    select.converged_epochs = 1;
  }
  Json measure(
      const std::vector<EdgeOf>& edges, Json done = {},
      const std::function<void(const Json&)>& save = [](const Json&) {}) {
    SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
    return measure_discretization(trainer, supernet(), edges, select, std::move(done), save);
  }
  std::filesystem::path supernet() {
    const std::string name = fmt::format("seed-{}", task.runtime.seed);
    RunDirectory run = RunDirectory::open_for_writing(folder / name);
    run_search(run, task.dataset, task.data, task.search, task.runtime);
    return run.file(RunDirectory::kSupernet);
  }
  ScratchDirectory folder;
  TinyTask task;
  SelectOptions select;
};

TEST_F(DiscretizationAccuracyTest, EdgesAreDrawnBySeedAndDifferent) {
  const SearchSpace space = make_space("darts", 4, false);
  const std::vector<EdgeOf> edges = random_edges(space, 28, 0);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(edges[i] == edges[j]);
  }
  EXPECT_EQ(random_edges(space, 3, 0), random_edges(space, 3, 0));
  EXPECT_NE(random_edges(space, 3, 0), random_edges(space, 3, 1));
  EXPECT_THROW(random_edges(space, 29, 0), Error);
}

TEST_F(DiscretizationAccuracyTest, MeasuresEveryOperationFromTheSameSupernet) {
  const std::vector<EdgeOf> edges = {{CellType::kNormal, 2}, {CellType::kReduction, 0}};
  const Json result = measure(edges);
  ASSERT_EQ(result.size(), 2u);
  for (const Json& entry : result) {
    ASSERT_EQ(entry["operations"].size(), 2u);
    EXPECT_EQ(entry["operations"][0]["operation"], "noise");
    EXPECT_EQ(entry["operations"][1]["epochs"], 1);
    EXPECT_NEAR(entry["alpha"][0].get<double>() + entry["alpha"][1].get<double>(), 1, 1e-6);
    EXPECT_EQ(entry["agree"], entry["alpha_choice"] == entry["best"]);
  }
  // An edge does not depend on those before it.
  EXPECT_EQ(measure({edges[1]})[0], result[1]);
  // Tuning moved the accuracies: one of them at least.
  bool moved = false;
  for (const Json& one : result[0]["operations"]) moved |= one["accuracy"] != one["accuracy_before_tuning"];
  EXPECT_TRUE(moved);
  task.runtime.seed = 1;
  EXPECT_NE(measure(edges), result);
}

TEST_F(DiscretizationAccuracyTest, GoesOnTrialByTrialToTheSameNumbers) {
  const std::vector<EdgeOf> edges = {{CellType::kNormal, 2}, {CellType::kReduction, 0}};
  std::vector<Json> saved;
  const Json whole = measure(edges, {}, [&](const Json& so_far) { saved.push_back(so_far); });
  ASSERT_EQ(saved.size(), 4u);
  for (const Json& so_far : saved) EXPECT_EQ(measure(edges, so_far), whole);
  EXPECT_THROW(measure({edges[1]}, saved[0]), Error);
}

}  // namespace
}  // namespace ptnas
