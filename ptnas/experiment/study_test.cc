#include "ptnas/experiment/study.h"

#include "ptnas/core/testing.h"
#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/cost.h"
#include "ptnas/experiment/run_experiment.h"

namespace ptnas {
namespace {

TEST(StudyTest, TheSameConfigurationIsOneRunOfOneName) {
  Study first({.name = "table3", .scale = "small"}), second({.name = "figure5", .scale = "small"});
  const Setting setting{"s2", "cifar10:/a", 0};
  const std::string run = trained_by(first, kDartsPt, setting);
  EXPECT_EQ(trained_by(first, kDartsPt, setting), run);
  EXPECT_EQ(first.runs().size(), 3u);
  EXPECT_EQ(trained_by(second, kDartsPt, {"s2", "cifar10:/b", 0}), run);  // files may move
  EXPECT_NE(trained_by(second, kDartsPt, {"s2", "cifar10:/b", 1}), run);
  EXPECT_TRUE(run.starts_with("train-cifar10-s2-darts-perturbation-seed0-")) << run;
  Study wider({.name = "table3", .scale = "small", .options = {{"channels", "9"}}});
  EXPECT_NE(trained_by(wider, kDartsPt, setting), run);
  Study paper({.name = "table3", .scale = "paper"});
  EXPECT_NE(trained_by(paper, kDartsPt, setting), run);
}

TEST(StudyTest, ThreadsDoNotMakeAnotherRun) {
  Study one({.name = "x", .options = {{"threads", "1"}}}), two({.name = "x", .options = {{"threads", "2"}}});
  const Setting setting{"s4", "fashion-mnist", 0};
  EXPECT_EQ(trained_by(one, kRandom, setting), trained_by(two, kRandom, setting));
}

TEST(StudyTest, WhatTheExperimentSetsIsNotTheUsers) {
  Study study({.name = "figure6", .options = {{"space", "s3"}}});
  expect_error(
      [&] {
        trained_by(study, kDarts, {"s2", "fashion-mnist", 0});
      },
      {"figure6", "--space"}, ErrorKind::kUsage);
}

TEST(StudyTest, NothingIsFinishedBeforeItRan) {
  Study study({.name = "x", .root = "/nowhere"});
  const std::string run = trained_by(study, kDarts, {"s2", "fashion-mnist", 0});
  EXPECT_FALSE(study.finished(run));
  EXPECT_FALSE(study.test_error(run));
  EXPECT_FALSE(study.hours(run));
}

TEST(StudyTest, EveryExperimentCanBePlannedAtEveryScaleAndTheLargerCostsMore) {
  for (const Experiment& experiment : experiments()) {
    double before = 0;
    for (const char* scale : {"smoke", "small", "paper"}) {
      Study study({.name = experiment.name, .scale = scale, .data = {"cifar10:/x"}});
      experiment.make(study);
      double seconds = 0;
      for (const PlannedRun& run : study.runs())
        seconds += CostModel().seconds(run, size_of_data(run.configuration.data));
      EXPECT_GT(seconds, before) << experiment.name << " " << scale;
      before = seconds;
    }
  }
}

TEST(StudyTest, EveryComparisonOfSelectionsHasTheRandomOne) {
  for (const char* name :
       {"table2", "figure4", "table3", "figure5", "pt-mag", "table4", "figure8", "table5", "figure9"}) {
    Study study({.name = name, .data = {"cifar10:/x"}});
    find_experiment(name).make(study);
    bool random = false;
    for (const PlannedRun& run : study.runs())
      random = random || (run.stage == "select" && run.configuration.select.selection == "random");
    EXPECT_TRUE(random) << name;
  }
}

}  // namespace
}  // namespace ptnas
