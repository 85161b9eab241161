#include "ptnas/train/retrain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"
#include "ptnas/io/state.h"
#include "ptnas/train/model.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

// Two nodes; skips, a pool, convolutions, and noise, which is drawn in evaluations too.
Genotype small_genotype() {
  return genotype_from_text(
      "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ('noise', 0), ('dil_conv_3x3', 2)], "
      "normal_concat=range(2, 4), reduce=[('max_pool_3x3', 0), ('skip_connect', 1), ('sep_conv_3x3', 1), "
      "('skip_connect', 2)], reduce_concat=range(2, 4))",
      "a test");
}

// The bars, until a number of images have been read: then the process "dies" there, saving nothing.
class MortalDataset final : public Dataset {
 public:
  MortalDataset(const Dataset& inner, std::int64_t reads) : inner_(inner), reads_left_(reads) {
    info_ = inner.info();
  }
  std::int64_t size(Part part) const override { return inner_.size(part); }
  int label(Part part, std::int64_t index) const override { return inner_.label(part, index); }
  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override {
    if (--reads_left_ < 0) fail("dead");
    inner_.read(part, index, pixels);
  }

 private:
  const Dataset& inner_;
  mutable std::atomic<std::int64_t> reads_left_;
};

// The bars with another mean and deviation, or other classes.
class OtherDataset final : public Dataset {
 public:
  explicit OtherDataset(const Dataset& inner) : inner_(inner) { info_ = inner.info(); }
  DatasetInfo& info() { return info_; }
  std::int64_t size(Part part) const override { return inner_.size(part); }
  int label(Part part, std::int64_t index) const override { return inner_.label(part, index); }
  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override {
    inner_.read(part, index, pixels);
  }

 private:
  const Dataset& inner_;
};

class RetrainTest : public testing::Test {
 protected:
  RetrainTest() {
    train.channels = 4;
    train.cells = 3;
    train.epochs = 3;
    train.batch = 10;  // of 39 images left by the portion: a last batch of 9
    train.cutout = 3;
    train.drop_path = 0.4;
    train.validation_portion = 0.2;
    train.evaluate_every = 2;
    task.runtime.checkpoint_minutes = 0;
  }
  ~RetrainTest() override { set_interrupt_requested(false); }

  void retrain_in(const std::string& name, const Dataset& dataset) {
    RunDirectory run = RunDirectory::open_for_writing(folder / name);
    retrain(run, dataset, small_genotype(), task.data, train, task.runtime);
  }
  void retrain_in(const std::string& name) { retrain_in(name, task.dataset); }

  Json evaluation(const std::string& name) const { return read_json(folder / name / "evaluation.json"); }
  // All that a run leaves, without times.
  std::vector<std::string> results(const std::string& name) const {
    std::vector<std::string> all;
    for (Json line : RunDirectory::open_for_reading(folder / name).metrics()) {
      line.erase("seconds");
      all.push_back(line.dump());
    }
    Json json = evaluation(name);
    json.erase("milliseconds_per_image");
    all.push_back(json.dump());
    for (const char* file : {"model.safetensors", "model.best.safetensors"})
      all.push_back(std::filesystem::exists(folder / name / file) ? read_file(folder / name / file) : "");
    return all;
  }

  TinyTask task;
  TrainOptions train;
  ScratchDirectory folder;
};

TEST_F(RetrainTest, WritesWhatTheFormatsSay) {
  retrain_in("run");
  const RunDirectory run = RunDirectory::open_for_reading(folder / "run");
  EXPECT_TRUE(run.finished("train"));
  const std::vector<Json> lines = run.metrics();
  ASSERT_EQ(lines.size(), 3u);
  double best = -1;
  int best_epoch = -1;
  for (int epoch = 0; epoch < 3; ++epoch) {
    const Json& line = lines[static_cast<std::size_t>(epoch)];
    EXPECT_EQ(line.at("phase"), "train");
    EXPECT_EQ(line.at("epoch"), epoch);
    EXPECT_NEAR(line.at("drop_path").get<double>(), 0.4 * epoch / 3, 1e-12);
    for (const char* key : {"train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "learning_rate",
                            "seconds", "test_loss", "test_accuracy"})
      EXPECT_TRUE(line.contains(key)) << key;
    if (line["valid_accuracy"].get<double>() > best) {
      best = line["valid_accuracy"].get<double>();
      best_epoch = epoch;
    }
  }
  EXPECT_EQ(lines[0]["learning_rate"], 0.025);
  const Json json = evaluation("run");
  EXPECT_EQ(json.at("epoch"), 2);
  EXPECT_EQ(json.at("images"), 48);
  EXPECT_EQ(json.at("top1"), lines[2]["test_accuracy"]);  // the last epoch's
  EXPECT_EQ(json.at("best").at("epoch"), best_epoch);
  EXPECT_EQ(json.at("best").at("chosen_on"), "validation");
  EXPECT_EQ(json.at("best").at("top1"), lines[static_cast<std::size_t>(best_epoch)].at("test_accuracy"));
  std::int64_t images = 0, right = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(json.at("per_class").at(c).at("class"), task.dataset.info().classes[c]);
    for (std::size_t p = 0; p < 3; ++p) images += json.at("confusion").at(c).at(p).get<int>();
    right += json.at("confusion").at(c).at(c).get<int>();
  }
  EXPECT_EQ(images, 48);
  EXPECT_DOUBLE_EQ(json.at("top1").get<double>(), static_cast<double>(right) / 48);
}

TEST_F(RetrainTest, LearnsTheBars) {
  train.epochs = 12;
  train.drop_path = 0;
  train.cutout = 0;
  train.validation_portion = 0;
  train.evaluate_every = 100;
  retrain_in("run");
  EXPECT_GT(evaluation("run").at("top1").get<double>(), 0.8);
  EXPECT_FALSE(evaluation("run").contains("best"));
  const std::vector<Json> lines = RunDirectory::open_for_reading(folder / "run").metrics();
  EXPECT_TRUE(lines[5].at("test_accuracy").is_null());
  EXPECT_TRUE(lines[5].at("valid_loss").is_null());
  EXPECT_FALSE(lines[11].at("test_accuracy").is_null());
}

TEST_F(RetrainTest, ImageNetsStemScheduleAndLabelSmoothing) {
  train.stem = "imagenet";
  train.schedule = "exponential";
  train.learning_rate = 0.1;
  train.learning_rate_decay = 0.5;
  train.label_smoothing = 0.1;
  train.drop_path = 0;
  retrain_in("run");
  const RunDirectory run = RunDirectory::open_for_reading(folder / "run");
  const std::vector<Json> lines = run.metrics();
  ASSERT_EQ(lines.size(), 3u);
  for (std::size_t epoch = 0; epoch < 3; ++epoch)
    EXPECT_DOUBLE_EQ(lines[epoch].at("learning_rate").get<double>(), 0.1 / (1 << epoch));
  EXPECT_EQ(lines[2].at("test_top5"), 1.0);  // of three classes
  // The model remembers its stem.
  const Model model = load_model(run.file(RunDirectory::kModel), task.dataset.info());
  EXPECT_EQ(model.network->shape().stem, StemKind::kImageNet);
  EXPECT_EQ(evaluate_run(run, task.dataset, task.runtime, 250).at("loss"), evaluation("run").at("loss"));
  EXPECT_EQ(evaluation("run").at("parameters"),
            count_network(small_genotype(), model.network->shape()).parameters);
}

TEST_F(RetrainTest, SmoothedLabelsAreALossOfTheirOwn) {
  train.epochs = 1;
  train.validation_portion = 0;
  train.learning_rate = 0;  // the same network in every batch
  train.auxiliary_weight = 0;
  train.drop_path = 0;
  retrain_in("sharp");
  train.label_smoothing = 1;  // all classes alike, whatever the label
  retrain_in("even");
  const auto loss = [&](const char* name) {
    return RunDirectory::open_for_reading(folder / name).metrics().at(0).at("train_loss").get<double>();
  };
  EXPECT_GE(loss("even"), std::log(3.0));  // the least there is against an even target
  EXPECT_NE(loss("even"), loss("sharp"));
}

TEST_F(RetrainTest, ANetworkOfTooManyMultiplyAddsIsRefused) {
  const NetworkShape shape{
      .channels = 4, .cells = 3, .classes = 3, .image_channels = 1, .height = 8, .width = 8};
  const double millions = static_cast<double>(count_network(small_genotype(), shape).multiply_adds) / 1e6;
  train.epochs = 1;
  train.most_multiply_adds = millions;
  try {
    retrain_in("refused");
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("8x8"), std::string::npos) << error.what();
  }
  train.most_multiply_adds = 1.01 * millions;
  EXPECT_NO_THROW(retrain_in("allowed"));
}

TEST_F(RetrainTest, InterruptedAgainAndAgainItEndsInTheSameBits) {
  retrain_in("whole");
  int interrupts = 0;
  for (std::int64_t reads = 3; !std::filesystem::exists(folder / "broken/evaluation.json"); reads += 13) {
    set_interrupt_requested(false);
    task.dataset.reads_until_interrupt = reads;
    try {
      retrain_in("broken");
    } catch (const Interrupted&) {
      ++interrupts;
    }
  }
  EXPECT_GE(interrupts, 5);
  EXPECT_EQ(results("whole"), results("broken"));
}

TEST_F(RetrainTest, DeadAtAnyMomentItEndsInTheSameBits) {
  retrain_in("whole");
  for (const double minutes : {0.0, 1e-9}) {  // checkpoints of epochs only, and after every step
    task.runtime.checkpoint_minutes = minutes;
    const std::string name = minutes > 0 ? "steps" : "epochs";
    int deaths = 0;
    for (std::int64_t reads = 5; !std::filesystem::exists(folder / name / "evaluation.json"); reads += 17) {
      const MortalDataset mortal(task.dataset, reads);
      try {
        retrain_in(name, mortal);
      } catch (const Error& error) {
        ASSERT_STREQ(error.what(), "dead");
        ++deaths;
      }
    }
    EXPECT_GE(deaths, 5);
    EXPECT_EQ(results("whole"), results(name)) << name;
  }
}

TEST_F(RetrainTest, DeadBetweenTheMetricsLineAndItsCheckpoint) {
  retrain_in("whole");
  const std::vector<Json> lines = RunDirectory::open_for_reading(folder / "whole").metrics();
  try {  // 39 images and 9 held out, 48 tested in epoch 0, the best so far: dies in epoch 1
    retrain_in("dead", MortalDataset(task.dataset, 39 + 9 + 48 + 15));
  } catch (const Error&) {
  }
  {
    RunDirectory run = RunDirectory::open_for_writing(folder / "dead");
    ASSERT_EQ(run.metrics().size(), 1u);
    run.append_metrics(lines[1]);
    append_file(run.file(RunDirectory::kMetrics), "{\"phase\": \"tr");  // and half a line
  }
  retrain_in("dead");
  EXPECT_EQ(results("whole"), results("dead"));
}

TEST_F(RetrainTest, DeadBeforeTheRunWasMarkedAsFinished) {
  retrain_in("run");
  const std::vector<std::string> before = results("run");
  Json run = read_json(folder / "run/run.json");
  run["finished"] = Json::array();
  write_json(folder / "run/run.json", run);
  std::filesystem::remove(folder / "run/model.safetensors");
  std::filesystem::remove(folder / "run/evaluation.json");
  retrain_in("run");
  EXPECT_EQ(before, results("run"));
  EXPECT_TRUE(RunDirectory::open_for_reading(folder / "run").finished("train"));
}

TEST_F(RetrainTest, AFinishedRunIsLeftAlone) {
  train.epochs = 1;
  retrain_in("run");
  const auto written = std::filesystem::last_write_time(folder / "run/model.safetensors");
  retrain_in("run", MortalDataset(task.dataset, 0));  // reads nothing
  EXPECT_EQ(written, std::filesystem::last_write_time(folder / "run/model.safetensors"));
}

TEST_F(RetrainTest, TheSameForAnyNumberOfLoaderThreads) {
  retrain_in("one");
  task.data.loader_threads = 3;
  retrain_in("three");
  EXPECT_EQ(results("one"), results("three"));
}

TEST_F(RetrainTest, ALossThatIsNotFiniteStopsAndTheCheckpointStays) {
  train.learning_rate = std::numeric_limits<double>::infinity();
  try {
    retrain_in("run");
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("learning rate"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("step 1 of epoch 0"), std::string::npos) << error.what();
  }
  const RunDirectory run = RunDirectory::open_for_reading(folder / "run");
  EXPECT_FALSE(run.finished("train"));
  const State state = load_state(run.file(RunDirectory::kTrainCheckpoint), "ptnas-checkpoint", 1);
  for (const auto& [name, tensor] : state.tensors) {
    EXPECT_TRUE(tensor.isfinite().all().item<bool>()) << name;
  }
}

TEST_F(RetrainTest, ACheckpointOfAnotherNetworkIsRefused) {
  train.epochs = 1;
  retrain_in("run");
  std::filesystem::create_directories(folder / "other");
  { RunDirectory::open_for_writing(folder / "other"); }
  std::filesystem::copy_file(folder / "run/train.checkpoint.safetensors",
                             folder / "other/train.checkpoint.safetensors");
  for (const char* file : {"metrics.jsonl", RunDirectory::kEvents})
    std::filesystem::copy_file(folder / "run" / file, folder / "other" / file);
  train.channels = 8;
  EXPECT_THROW(retrain_in("other"), Error);
}

TEST_F(RetrainTest, APortionThatHoldsOutNothingIsRefused) {
  train.validation_portion = 0.001;
  try {
    retrain_in("run");
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  }
}

TEST_F(RetrainTest, EvaluatingARunGivesItsEvaluation) {
  retrain_in("run");
  const RunDirectory run = RunDirectory::open_for_reading(folder / "run");
  Json again = evaluate_run(run, task.dataset, task.runtime, 250);
  EXPECT_GT(again.at("milliseconds_per_image").get<double>(), 0);
  Json before = evaluation("run");
  for (const char* key :
       {"part", "images", "loss", "top1", "top5", "per_class", "confusion", "parameters", "multiply_adds"})
    EXPECT_EQ(before.at(key), again.at(key)) << key;
}

TEST_F(RetrainTest, AModelNormalisesAsInItsTraining) {
  retrain_in("run");
  const RunDirectory run = RunDirectory::open_for_reading(folder / "run");
  OtherDataset other(task.dataset);
  other.info().mean = {0.9};
  other.info().deviation = {0.05};
  EXPECT_NEAR(evaluate_run(run, other, task.runtime, 250).at("loss").get<double>(),
              evaluation("run").at("loss").get<double>(), 1e-4);
}

TEST_F(RetrainTest, AModelIsRefusedForAnotherDataSet) {
  train.epochs = 1;
  retrain_in("run");
  const RunDirectory run = RunDirectory::open_for_reading(folder / "run");
  OtherDataset classes(task.dataset), channels(task.dataset);
  classes.info().classes = {"high", "middle", "lowest"};
  EXPECT_THROW(evaluate_run(run, classes, task.runtime, 250), Error);
  channels.info().channels = 3;
  EXPECT_THROW(evaluate_run(run, channels, task.runtime, 250), Error);
}

TEST_F(RetrainTest, ARunWithoutAModelIsOneError) {
  { RunDirectory::open_for_writing(folder / "run"); }
  const RunDirectory run = RunDirectory::open_for_reading(folder / "run");
  EXPECT_THROW(evaluate_run(run, task.dataset, task.runtime, 250), Error);
  write_file(run.file(RunDirectory::kModel), "no tensors");
  EXPECT_THROW(evaluate_run(run, task.dataset, task.runtime, 250), Error);
  save_state(run.file(RunDirectory::kModel), State(), "ptnas-model", 1);
  EXPECT_THROW(evaluate_run(run, task.dataset, task.runtime, 250), Error);
}

}  // namespace
}  // namespace ptnas
