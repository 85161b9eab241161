#include "ptnas/search/early_stop.h"

#include <gtest/gtest.h>

#include "ptnas/core/error.h"
#include "ptnas/search/testing.h"

namespace ptnas {
namespace {

TEST(EigenvalueHasRisen, ByHand) {
  SearchOptions options;  // five, four before, 1.3
  // Means of the last five: 2 (of 1, 2, 2, 2, 3); of the five that end four before: 1.
  std::vector<double> values = {1, 1, 1, 1, 1, 2, 2, 2, 3};
  EXPECT_TRUE(eigenvalue_has_risen(values, options));
  options.hessian_factor = 2;
  EXPECT_FALSE(eigenvalue_has_risen(values, options));  // not above 2 times
  options.hessian_factor = 1.3;
  values.pop_back();
  EXPECT_FALSE(eigenvalue_has_risen(values, options));  // eight are not enough
  EXPECT_FALSE(eigenvalue_has_risen({2, 2, 2, 2, 2, 1, 1, 1, 1}, options));
  options.hessian_window = 1;
  options.hessian_distance = 2;
  EXPECT_TRUE(eigenvalue_has_risen({1, 9, 1.31}, options));
  EXPECT_FALSE(eigenvalue_has_risen({1, 9, 1.29}, options));
}

class EarlyStopTest : public SearchTest {
 protected:
  EarlyStopTest() {
    task.search.space = "s2";
    task.search.epochs = 8;
    task.search.hessian_every = 1;
    task.search.hessian_from = 4;
    task.search.hessian_window = 1;
    task.search.hessian_distance = 2;
  }
};

TEST_F(EarlyStopTest, MeasuringDoesNotChangeTheSearch) {
  search("measured");
  task.search.hessian_every = 3;
  search("seldom");
  task.search.hessian_every = 0;
  search("not");
  EXPECT_EQ(supernet("measured"), supernet("not"));
  for (std::size_t epoch = 0; epoch < 8; ++epoch) {
    EXPECT_TRUE(metrics("measured")[epoch].contains("hessian"));
    EXPECT_EQ(metrics("seldom")[epoch].contains("hessian"), epoch == 2 || epoch == 5);
    EXPECT_FALSE(metrics("not")[epoch].contains("hessian"));
  }
  EXPECT_EQ(metrics("measured")[5]["hessian"], metrics("seldom")[5]["hessian"]);
}

TEST_F(EarlyStopTest, EndsWithTheSupernetFromBeforeAndResumesToTheSameBits) {
  task.search.hessian_stop = true;
  task.search.hessian_factor = -1e9;  // of positive eigenvalues: as soon as it may
  search("whole");
  ASSERT_EQ(metrics("whole").size(), 4u);
  const Json told = read_json(folder / "whole/early_stop.json");
  EXPECT_EQ(told["stopped_after_epoch"], 3);
  EXPECT_EQ(told["supernet_of_epoch"], 1);
  for (int epoch = 0; epoch < 8; ++epoch)
    EXPECT_FALSE(std::filesystem::exists(folder / fmt::format("whole/hessian.{}.safetensors", epoch)));
  SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
  load_supernet(folder / "whole/supernet.safetensors", trainer);
  EXPECT_EQ(trainer.steps(), 2 * 3);
  EXPECT_EQ(trainer.alpha_json(), metrics("whole")[1]["alpha"]);

  EXPECT_GT(search_interrupted("parts"), 1);
  EXPECT_EQ(supernet("whole"), supernet("parts"));
  EXPECT_EQ(metrics("whole"), metrics("parts"));
}

TEST_F(EarlyStopTest, GoesToTheEndWhereNothingRises) {
  task.search.hessian_stop = true;
  task.search.hessian_factor = 1e9;
  search("run");
  EXPECT_EQ(metrics("run").size(), 8u);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/early_stop.json"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run/hessian.7.safetensors"));
}

TEST_F(EarlyStopTest, OptionsThatContradictEachOtherAreUsageErrors) {
  const auto expect_refused = [&] {
    try {
      search("run");
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    }
  };
  task.search.hessian_window = 0;
  expect_refused();
  task.search.hessian_window = 1;
  task.search.hessian_every = 0;
  task.search.hessian_stop = true;
  expect_refused();
}

}  // namespace
}  // namespace ptnas
