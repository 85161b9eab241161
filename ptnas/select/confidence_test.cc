#include "ptnas/select/confidence.h"

#include <algorithm>
#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/select/selection_testing.h"

namespace ptnas {
namespace {

class ConfidenceTest : public SelectionTask {
 protected:
  ConfidenceTest() : images(600) {
    options.tune_epochs = 0;
    options.scoring_batch = 10;
  }
  void early_stop(const std::string& criterion = "accuracy", double confidence = 0.99) {
    options.scoring = "early-stop";
    options.criterion = criterion;
    options.confidence = confidence;
  }
  // 300 of them validate.
  SupernetTrainer trained() {
    SupernetTrainer trainer(images, task.data, task.search, task.runtime);
    for (int epoch = 0; epoch < 2; ++epoch) {
      EpochProgress progress{epoch, 0, 0, 0, 0};
      trainer.run_epoch(AlternatingSteps(), 0.025, progress, "search", "search", [] {});
    }
    return trainer;
  }
  static std::vector<Mask> masks_of(const SearchSpace& space, CellType type, int edge) {
    std::vector<Mask> masks;
    for (int o = 0; o < static_cast<int>(space.of(type)[static_cast<std::size_t>(edge)].size()); ++o)
      masks.push_back({type, edge, o});
    return masks;
  }

  BarDataset images;
};

TEST_F(ConfidenceTest, EveryScoreHasItsStandardErrorAndEveryDecisionItsTests) {
  options.scoring_batch = 16;
  select("run");
  const Json selection = record("run");
  EXPECT_EQ(selection["scoring"], "exact");
  EXPECT_EQ(selection["within_noise"]["measured"], 12);
  std::int64_t within = 0;
  for (const Json& event : selection["events"]) {
    const Json& scores = event["kind"] == "operation" ? event["scores"] : event["rounds"][0];
    for (const Json& score : scores) {
      const double accuracy = score["accuracy"];
      EXPECT_NEAR(score["accuracy_error"].get<double>(), std::sqrt(accuracy * (1 - accuracy) / 23), 1e-12);
      EXPECT_GT(score["loss_error"].get<double>(), 0);
      EXPECT_FALSE(score.contains("images"));
    }
    EXPECT_TRUE(event["baseline"].contains("loss_error"));
    EXPECT_FALSE(event.contains("evaluations"));
    const std::size_t winners = event["kind"] == "operation" ? 1 : 2;
    ASSERT_EQ(event["tests"].size(), winners * (scores.size() - winners));
    bool noise = false;
    double least = 1;
    for (const Json& test : event["tests"]) {
      EXPECT_EQ(test["images"], 24);
      noise |= test["p"].get<double>() * event["comparisons"].get<double>() > 0.01;
      least = std::min(least, test["difference"].get<double>());
      if (winners == 1) {
        EXPECT_EQ(test["better"], event["chosen"]);
      }
    }
    EXPECT_NEAR(event["margin"].get<double>(), least, 1e-12);
    EXPECT_EQ(event["within_noise"], noise);
    within += noise;
  }
  EXPECT_EQ(selection["within_noise"]["decisions"], within);
}

TEST_F(ConfidenceTest, TheReleasedRulesHaveThemToo) {
  options.scoring_updates_statistics = true;
  options.topology = "rounds";
  options.genotype_rule = "weights";
  options.scoring_images = "augmented";
  task.search.nodes = 3;  // a node of four inputs: two rounds
  select("run");
  for (const Json& event : record("run")["events"]) {
    const std::size_t winners = event["kind"] == "operation" ? 1 : 2;
    const Json& scores = winners == 1 ? event["scores"] : event["rounds"][0];
    EXPECT_EQ(event["tests"].size(), winners * (scores.size() - winners));
    for (const Json& score : scores) EXPECT_TRUE(score.contains("loss_error"));
  }
}

// Image by image a race sees what the full evaluation in the same batches does, and it ends with its choice.
TEST_F(ConfidenceTest, ARaceChoosesWhatTheFullEvaluationChooses) {
  SupernetTrainer trainer = trained();
  std::int64_t made = 0, all = 0;
  for (const char* criterion : {"accuracy", "loss"}) {
    early_stop(criterion);
    for (int edge = 0; edge < 5; ++edge) {
      const std::vector<Mask> masks = masks_of(trainer.network().space(), CellType::kNormal, edge);
      EventScorer scorer(trainer, options, 3, "race", 9, {});
      const EventScores raced = scorer.score(masks, 1);
      EventScores full = raced;
      full.left.clear();
      for (std::size_t i = 0; i < masks.size(); ++i) {
        full.candidates[i] = scorer.without(masks[i]);
        full.left.push_back(static_cast<int>(i));
        const ImageResults &some = raced.candidates[i].images, &whole = full.candidates[i].images;
        ASSERT_EQ(whole.size(), 300u);
        ASSERT_LE(some.size(), 300u);
        EXPECT_TRUE(std::equal(some.losses.begin(), some.losses.end(), whole.losses.begin()));
        EXPECT_TRUE(std::equal(some.right.begin(), some.right.end(), whole.right.begin()));
        made += static_cast<std::int64_t>(some.size());
        all += 300;
      }
      EXPECT_EQ(best_left(raced, 1, options), best_left(full, 1, options)) << criterion << " " << edge;
    }
  }
  EXPECT_LT(made, all);  // something was saved
}

TEST_F(ConfidenceTest, ExactScoringSeesTheSameImagesInTheirOrder) {
  SupernetTrainer trainer = trained();
  EventScorer scorer(trainer, options, 0, "exact", 3, {});
  const std::vector<Mask> masks = masks_of(trainer.network().space(), CellType::kNormal, 2);
  const EventScores scores = scorer.score(masks, 1);
  EXPECT_EQ(scores.left.size(), masks.size());
  EXPECT_TRUE(scores.looks.empty());
  for (const Measured& candidate : scores.candidates) {
    ASSERT_EQ(candidate.images.size(), 300u);
    double loss = 0, right = 0;
    for (std::size_t i = 0; i < 300; ++i) {
      loss += candidate.images.losses[i];
      right += candidate.images.right[i];
    }
    EXPECT_NEAR(loss / 300, candidate.score.loss, 1e-5);
    EXPECT_DOUBLE_EQ(right / 300, candidate.score.accuracy);
  }
}

TEST_F(ConfidenceTest, ASelectionByEarlyStopSaysWhatItSaved) {
  early_stop("accuracy", 0.6);
  options.scoring_batch = 2;  // 12 batches of validation
  select("run");
  const Json selection = record("run");
  EXPECT_EQ(selection["scoring"], "early-stop");
  EXPECT_EQ(selection["confidence"], 0.6);
  std::int64_t made = 0, saved = 0;
  for (const Json& event : selection["events"]) {
    const Json& scores = event["kind"] == "operation" ? event["scores"] : event["rounds"][0];
    const std::int64_t here = event["evaluations"]["made"], not_here = event["evaluations"]["saved"];
    EXPECT_EQ(here + not_here, 24 * (static_cast<std::int64_t>(scores.size()) + 1));
    std::int64_t counted = event["images"];
    for (const Json& score : scores) {
      counted += score.value("images", event["images"].get<std::int64_t>());
      EXPECT_EQ(score.contains("images"), score.contains("baseline"));
    }
    EXPECT_EQ(counted, here);
    EXPECT_GE(event["looks"].size(), 1u);
    made += here;
    saved += not_here;
  }
  EXPECT_EQ(selection["evaluations"]["made"], made);
  EXPECT_EQ(selection["evaluations"]["saved"], saved);
}

TEST_F(ConfidenceTest, InterruptedRacesAreBitIdentical) {
  early_stop("loss", 0.6);
  options.tune_epochs = 1;
  options.scoring_batch = 2;
  select("whole");
  EXPECT_GT(select_interrupted("parts", 40, 29), 3);
  EXPECT_EQ(timeless_record("whole"), timeless_record("parts"));
  EXPECT_EQ(genotype("whole"), genotype("parts"));
}

TEST_F(ConfidenceTest, ADroppedScoreIsComparedByItsDistanceFromItsOwnBaseline) {
  const Json event = Json::parse(R"({"baseline": {"loss": 1.0, "accuracy": 0.5}})");
  const Score dropped = comparable_score(
      Json::parse(R"({"loss": 1.5, "accuracy": 0.6, "baseline": {"loss": 1.25, "accuracy": 0.75}})"), event);
  EXPECT_DOUBLE_EQ(dropped.loss, 1.25);
  EXPECT_DOUBLE_EQ(dropped.accuracy, 0.35);
  const Score whole = comparable_score(Json::parse(R"({"loss": 1.5, "accuracy": 0.6})"), Json::object());
  EXPECT_DOUBLE_EQ(whole.loss, 1.5);
}

}  // namespace
}  // namespace ptnas
