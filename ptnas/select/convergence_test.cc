#include "ptnas/select/convergence.h"

#include <gtest/gtest.h>

namespace ptnas {
namespace {

TEST(Convergence, ByDefaultAfterFiveEpochs) {
  const SelectOptions options;
  std::vector<double> accuracies;
  for (int epoch = 0; epoch < 5; ++epoch) {
    EXPECT_FALSE(has_converged(accuracies, 0, options)) << epoch;
    accuracies.push_back(0.1 * epoch);
  }
  EXPECT_TRUE(has_converged(accuracies, 0, options));
}

TEST(Convergence, APlateauIsWhereTheBestNoLongerRises) {
  SelectOptions options;
  options.converged = "plateau";
  options.converged_epochs = 2;
  options.converged_gain = 0.01;
  options.converged_most = 6;
  EXPECT_FALSE(has_converged({}, 0.3, options));
  EXPECT_FALSE(has_converged({0.2}, 0.3, options));        // too short to tell
  EXPECT_TRUE(has_converged({0.2, 0.3}, 0.3, options));    // no better than before
  EXPECT_FALSE(has_converged({0.2, 0.32}, 0.3, options));  // rises
  EXPECT_FALSE(has_converged({0.32, 0.3, 0.34}, 0.3, options));
  EXPECT_TRUE(has_converged({0.32, 0.3, 0.325}, 0.3, options));  // by less than the gain
  EXPECT_FALSE(has_converged({0.1, 0.2, 0.3, 0.4, 0.5}, 0, options));
  EXPECT_TRUE(has_converged({0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, 0, options));  // long enough
}

}  // namespace
}  // namespace ptnas
