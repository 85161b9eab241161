#include "ptnas/train/stage.h"

#include <gtest/gtest.h>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

constexpr const char* kFile = "train.checkpoint.safetensors";

Json line(int epoch) { return Json{{"phase", "train"}, {"epoch", epoch}, {"train_loss", 1.5}}; }

class StageTest : public testing::Test {
 protected:
  StageTest() : run(RunDirectory::open_for_writing(folder / "run")) {
    set_quiet(true);
    set_interrupt_requested(false);
  }
  ~StageTest() override { set_interrupt_requested(false); }
  StageCheckpoints make(double minutes = 0) {
    runtime.checkpoint_minutes = minutes;
    return StageCheckpoints(run, kFile, "retraining", runtime);
  }
  static std::function<void(State&)> putting(int number) {
    return [number](State& state) { state.values["number"] = number; };
  }
  int saved() { return load_state(run.file(kFile), "ptnas-checkpoint", 1).values.at("number").get<int>(); }

  ScratchDirectory folder;
  RunDirectory run;
  RuntimeOptions runtime;
};

TEST_F(StageTest, ResumingCutsWhatCameAfterTheCheckpoint) {
  StageCheckpoints checkpoints = make();
  State state;
  EXPECT_FALSE(checkpoints.load(state));
  run.append_metrics(line(0));
  checkpoints.save(putting(1));
  const std::string events = read_file(run.file(RunDirectory::kEvents));
  run.append_metrics(line(1));
  run.append_metrics(line(2));
  ASSERT_TRUE(make().load(state));
  EXPECT_EQ(state.values.at("number").get<int>(), 1);
  ASSERT_EQ(run.metrics().size(), 1u);
  EXPECT_EQ(run.metrics()[0], line(0));
  EXPECT_EQ(read_file(run.file(RunDirectory::kEvents)), events);
  run.append_metrics(line(1));  // and goes on
  EXPECT_EQ(run.metrics().size(), 2u);
}

TEST_F(StageTest, SavesWithinAnEpochWhenTheMinutesHavePassed) {
  StageCheckpoints never = make(0), later = make(1000), at_once = make(1e-9);
  never.after_step(putting(1));
  later.after_step(putting(2));
  EXPECT_FALSE(run.has(kFile));
  at_once.after_step(putting(3));
  EXPECT_EQ(saved(), 3);
}

TEST_F(StageTest, AfterCtrlCSavesAndSaysHowToGoOn) {
  StageCheckpoints checkpoints = make();
  set_interrupt_requested(true);
  try {
    checkpoints.after_step(putting(4));
    ADD_FAILURE() << "went on";
  } catch (const Interrupted& interrupted) {
    const std::string text = interrupted.what();
    EXPECT_NE(text.find("retraining"), std::string::npos) << text;
    EXPECT_NE(text.find("--resume"), std::string::npos) << text;
    EXPECT_NE(text.find(run.path().string()), std::string::npos) << text;
  }
  EXPECT_EQ(saved(), 4);
  EXPECT_THROW(checkpoints.between_steps(), Interrupted);
}

TEST_F(StageTest, ADamagedCheckpointIsAnErrorAndNothingIsCut) {
  run.append_metrics(line(0));
  State state;
  write_file(run.file(kFile), "not a tensor file");
  EXPECT_THROW(make().load(state), Error);
  save_state(run.file(kFile), State(), "ptnas-checkpoint", 1);  // without a position
  EXPECT_THROW(make().load(state), Error);
  save_state(run.file(kFile), State(), "ptnas-model", 1);
  EXPECT_THROW(make().load(state), Error);
  EXPECT_EQ(run.metrics().size(), 1u);
}

TEST(EpochProgress, GoesThroughJson) {
  EpochProgress progress{3, 0, 0, 0, 0};
  progress.add(0.1, 5, 8);
  progress.add(0.7, 2, 3);
  EXPECT_EQ(progress.step, 2);
  EXPECT_DOUBLE_EQ(progress.loss(), (0.1 * 8 + 0.7 * 3) / 11);
  EXPECT_DOUBLE_EQ(progress.accuracy(), 7.0 / 11);
  const EpochProgress back = progress_from_json(parse_json(to_json(progress).dump(), "a test"));
  EXPECT_EQ(back.epoch, 3);
  EXPECT_EQ(back.step, 2);
  EXPECT_EQ(back.loss_sum, progress.loss_sum);
  EXPECT_EQ(back.images, 11);
  EXPECT_THROW(progress_from_json(Json::object()), Error);
  EXPECT_EQ(EpochProgress().loss(), 0);
}

}  // namespace
}  // namespace ptnas
