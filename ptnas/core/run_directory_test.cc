#include "ptnas/core/run_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

Json metrics_line(int epoch, double loss = 0.5) {
  Json line = Json::object();
  line["phase"] = "search";
  line["epoch"] = epoch;
  line["step"] = 10 * (epoch + 1);
  line["train_loss"] = loss;
  line["valid_loss"] = nullptr;
  line["alpha"]["normal"] = {{0.5, 0.5}, {1.0, nullptr}};
  line["alpha"]["reduction"] = {{0.25, 0.75}};
  return line;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

class RunDirectoryTest : public ::testing::Test {
 protected:
  RunDirectory open() { return RunDirectory::open_for_writing(path_); }
  std::string content(const std::string& name) { return read_file(path_ / name); }

  ScratchDirectory scratch_;
  fs::path path_ = scratch_ / "runs/one";
};

TEST_F(RunDirectoryTest, ANewRunIsMadeAndFoundAgain) {
  {
    RunDirectory run = open();
    EXPECT_EQ(run.path(), path_);
    EXPECT_FALSE(run.finished("search"));
    EXPECT_FALSE(run.parent());
    EXPECT_FALSE(run.has(RunDirectory::kMetrics));
    EXPECT_TRUE(run.metrics().empty());
    EXPECT_TRUE(run.configuration().empty());
    run.set_finished("search");
    run.set_finished("search");
    run.set_parent("/the/parent");
  }
  const RunDirectory run = RunDirectory::open_for_reading(path_);
  EXPECT_TRUE(run.finished("search"));
  EXPECT_FALSE(run.finished("train"));
  EXPECT_EQ(run.parent(), fs::path("/the/parent"));
  const Json json = read_json(path_ / RunDirectory::kRun);
  EXPECT_EQ(json["format"], "ptnas-run");
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["finished"], Json{"search"});
}

TEST_F(RunDirectoryTest, AnEmptyDirectoryServes) {
  fs::create_directories(path_);
  EXPECT_NO_THROW(open());
}

TEST_F(RunDirectoryTest, OneWriterAtATimeButReadersAlways) {
  RunDirectory run = open();
  expect_error([&] { open(); }, {path_.string(), "in use by process " + std::to_string(::getpid())});
  EXPECT_NO_THROW(RunDirectory::open_for_reading(path_));
  const RunDirectory moved = std::move(run);
  expect_error([&] { open(); }, {"in use by process"});
}

TEST_F(RunDirectoryTest, OtherPlacesAreRefusedAndLeftAlone) {
  fs::create_directories(path_);
  write_file(path_ / "holiday.jpg", "picture");
  write_file(path_ / "notes.tmp", "mine");
  expect_error([&] { open(); }, {"not empty and not a run directory", "--out"});
  expect_error([&] { RunDirectory::open_for_reading(path_); }, {"not a run directory"});
  EXPECT_EQ(names_in(path_), (std::vector<std::string>{"holiday.jpg", "notes.tmp"}));
  expect_error([&] { RunDirectory::open_for_writing(path_ / "holiday.jpg"); }, {"is a file", "--out"});
  expect_error([&] { RunDirectory::open_for_writing(path_ / "holiday.jpg/x"); },
               {"cannot make the run directory", "Not a directory"});
  expect_error([&] { RunDirectory::open_for_reading(path_ / "absent"); }, {"not a run directory"});
  expect_error([&] { RunDirectory::open_for_writing(""); }, {"--out"}, ErrorKind::kUsage);
}

TEST_F(RunDirectoryTest, APlaceThatCannotBeWrittenIsNamed) {
  expect_error([] { RunDirectory::open_for_writing("/proc/ptnas-run"); },
               {"cannot make the run directory /proc/ptnas-run"});
}

TEST_F(RunDirectoryTest, ANewerFormatIsRefusedByName) {
  { open(); }
  Json json = read_json(path_ / RunDirectory::kRun);
  json["version"] = 2;
  write_json(path_ / RunDirectory::kRun, json);
  write_file(path_ / "x.tmp", "");
  expect_error([&] { open(); }, {"run.json", "version 2", "ptnas-run", "newer ptnas"});
  expect_error([&] { RunDirectory::open_for_reading(path_); }, {"version 2"});
  EXPECT_TRUE(fs::exists(path_ / "x.tmp"));
}

TEST_F(RunDirectoryTest, ADamagedRunJsonIsRefused) {
  { open(); }
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "not valid JSON"},
      {"{}", "not a file of format ptnas-run"},
      {R"({"format": "ptnas-run", "version": 1})", "finished"},
      {R"({"format": "ptnas-run", "version": 1, "finished": "search"})", "finished"},
      {R"({"format": "ptnas-run", "version": 1, "finished": [1]})", "finished"},
      {R"({"format": "ptnas-run", "version": 1, "finished": [], "parent": 3})", "parent"},
  };
  for (const auto& [text, says] : bad) {
    write_file(path_ / RunDirectory::kRun, text);
    expect_error([&] { open(); }, {"run.json", says});
    EXPECT_EQ(content(RunDirectory::kRun), text);
  }
}

TEST_F(RunDirectoryTest, WhatACrashLeftIsCleanedUp) {
  { open(); }
  write_file(path_ / "run.json.tmp", "{ half");
  write_file(path_ / "supernet.safetensors.tmp", "half");
  fs::create_directories(path_ / "folder.tmp");
  { open(); }
  EXPECT_EQ(names_in(path_), (std::vector<std::string>{"folder.tmp", "lock", "run.json"}));
}

TEST_F(RunDirectoryTest, ACrashBeforeTheFirstRunJsonLeavesAUsableDirectory) {
  fs::create_directories(path_);
  write_file(path_ / "lock", "12345");
  write_file(path_ / "run.json.tmp", "{");
  { open(); }
  EXPECT_EQ(names_in(path_), (std::vector<std::string>{"lock", "run.json"}));
}

TEST_F(RunDirectoryTest, TheConfigurationIsSavedAndMayNotChange) {
  RunDirectory run = open();
  run.set_configuration({{"epochs", "5", "5"}, {"name", "a \"b\"", R"("a \"b\"")"}, {"threads", "2", "2"}},
                        {});
  EXPECT_EQ(run.configuration(), (OptionValues{{"epochs", "5"}, {"name", "a \"b\""}, {"threads", "2"}}));
  const std::string before = content(RunDirectory::kConfiguration);
  expect_error(
      [&] {
        run.set_configuration({{"threads", "1", "1"}, {"epochs", "6", "6"}}, {"threads"});
      },
      {path_.string(), "--epochs 5", "now it is 6", "--out"}, ErrorKind::kUsage);
  EXPECT_EQ(content(RunDirectory::kConfiguration), before);
  run.set_configuration({{"epochs", "5", "5"}, {"name", "a \"b\"", R"("a \"b\"")"}, {"threads", "1", "1"}},
                        {"threads"});
  EXPECT_EQ(run.configuration().at("threads"), "1");
}

TEST_F(RunDirectoryTest, MetricsAreAppendedAndReadBack) {
  RunDirectory run = open();
  run.append_metrics(metrics_line(0));
  run.append_metrics(metrics_line(1, 1.0 / 3));
  EXPECT_EQ(run.metrics(), (std::vector<Json>{metrics_line(0), metrics_line(1, 1.0 / 3)}));
  EXPECT_EQ(count_of(content(RunDirectory::kMetrics), "\n"), 2u);
}

TEST_F(RunDirectoryTest, NumbersAndAlphaGoToTensorBoard) {
  RunDirectory run = open();
  run.append_metrics(metrics_line(0));
  run.append_metrics(Json{{"phase", "train"}, {"epoch", 3}, {"test_loss", 1.5}, {"chosen", "noise"}});
  const std::string events = content(RunDirectory::kEvents);
  for (const char* tag :
       {"search/train_loss", "search/alpha.normal", "search/alpha.reduction", "train/test_loss"}) {
    EXPECT_EQ(count_of(events, tag), 1u) << tag;
  }
  for (const char* tag :
       {"search/epoch", "search/step", "search/valid_loss", "train/epoch", "train/chosen"}) {
    EXPECT_EQ(count_of(events, tag), 0u) << tag;
  }
}

TEST_F(RunDirectoryTest, AnUnfinishedLastLineIsNotYetThereAndADamagedOneIsNamed) {
  RunDirectory run = open();
  run.append_metrics(metrics_line(0));
  append_file(path_ / RunDirectory::kMetrics, R"({"phase": "sea)");
  EXPECT_EQ(run.metrics().size(), 1u);
  append_file(path_ / RunDirectory::kMetrics, "\n");
  expect_error([&] { run.metrics(); }, {"line 2 of", "metrics.jsonl"});
}

TEST_F(RunDirectoryTest, RewindingGivesTheFilesOfARunThatNeverWentOn) {
  Json beginning, middle;
  std::string metrics, events;
  {
    RunDirectory run = open();
    beginning = run.position();
    run.append_metrics(metrics_line(0));
    middle = parse_json(run.position().dump(), "position");  // as a checkpoint keeps it
    metrics = content(RunDirectory::kMetrics);
    events = content(RunDirectory::kEvents);
    run.append_metrics(metrics_line(1));
    append_file(path_ / RunDirectory::kMetrics, "{ torn");
  }
  RunDirectory run = open();
  run.rewind(middle);
  EXPECT_EQ(content(RunDirectory::kMetrics), metrics);
  EXPECT_EQ(content(RunDirectory::kEvents), events);
  run.append_metrics(metrics_line(1));
  EXPECT_EQ(run.metrics(), (std::vector<Json>{metrics_line(0), metrics_line(1)}));
  // Back to nothing, with the event file open: it begins with its version again.
  run.rewind(beginning);
  EXPECT_TRUE(run.metrics().empty());
  run.append_metrics(metrics_line(0));
  EXPECT_EQ(content(RunDirectory::kMetrics), metrics);
  EXPECT_EQ(content(RunDirectory::kEvents).size(), events.size());
  EXPECT_EQ(count_of(content(RunDirectory::kEvents), "brain.Event:2"), 1u);
}

TEST_F(RunDirectoryTest, ABadPositionIsAnError) {
  RunDirectory run = open();
  run.append_metrics(metrics_line(0));
  const std::string before = content(RunDirectory::kMetrics);
  for (const Json& bad : {Json(), Json::object(), Json{{"metrics", 0}}, Json{{"metrics", -1}, {"events", 0}},
                          Json{{"metrics", "0"}, {"events", 0}}}) {
    expect_error([&] { run.rewind(bad); }, {path_.string(), "damaged"});
  }
  expect_error([&] { run.rewind(Json{{"metrics", 100000}, {"events", 0}}); }, {"metrics.jsonl", "100000"});
  EXPECT_EQ(content(RunDirectory::kMetrics), before);
}

}  // namespace
}  // namespace ptnas
