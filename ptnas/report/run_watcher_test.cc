#include "ptnas/report/run_watcher.h"

#include <gmock/gmock.h>

#include "ptnas/core/run_directory.h"
#include "ptnas/core/testing.h"
#include "ptnas/report/page.h"
#include "ptnas/report/report_data.h"

namespace ptnas {
namespace {

using ::testing::HasSubstr;

class RunWatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Json run = versioned("ptnas-run", 1);
    run["finished"] = Json::array();
    std::filesystem::create_directory(path_);
    write_json(path_ / "run.json", run);
  }
  ScratchDirectory folder_;
  std::filesystem::path path_ = folder_ / "run";
};

TEST_F(RunWatcherTest, HasAPageAndItsDataAndNothingElse) {
  RunWatcher watcher(path_);
  EXPECT_THAT(watcher.reply("/", "").body, HasSubstr("<!DOCTYPE html>"));
  EXPECT_EQ(watcher.reply("/data.json", "").body,
            script_json(collect_report_data(RunDirectory::open_for_reading(path_))));
  for (const char* path : {"", "/run.json", "/../run/run.json", "//", "/data.json/", "/DATA.JSON"})
    EXPECT_EQ(watcher.reply(path, "").status, 404) << path;
}

TEST_F(RunWatcherTest, ATagHoldsUntilAFileChanges) {
  RunWatcher watcher(path_);
  const std::string tag = watcher.reply("/data.json", "").tag;
  EXPECT_EQ(watcher.reply("/data.json", tag).status, 304);
  write_file(path_ / "metrics.jsonl", "{\"phase\": \"search\", \"epoch\": 0, \"valid_accuracy\": 0.5}\n");
  const PageReply reply = watcher.reply("/data.json", tag);
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.tag, tag);
  EXPECT_EQ(Json::parse(reply.body)["metrics"].size(), 1u);
}

TEST_F(RunWatcherTest, NamesWhatIsDamagedOrMissing) {
  expect_error([&] { RunWatcher watcher(folder_ / "nowhere"); }, {"nowhere"});
  RunWatcher watcher(path_);
  write_file(path_ / "selection.json", "{");
  expect_error([&] { watcher.reply("/data.json", ""); }, {"selection.json"});
  expect_error([&] { watcher.reply("/", ""); }, {"selection.json"});
}

TEST(PageServer, ListensWhereItIsToldOrSaysWhyNot) {
  const auto answer = [](const std::string&, const std::string&) { return PageReply{}; };
  const PageServer server("127.0.0.1", 0, answer);
  EXPECT_TRUE(server.is_loopback());
  EXPECT_THAT(server.url(), testing::MatchesRegex("http://127.0.0.1:[0-9]+/"));
  const int port = std::stoi(server.url().substr(17));
  expect_error([&] { PageServer("127.0.0.1", port, answer); }, {std::to_string(port), "--port"});
  expect_error([&] { PageServer("localhost", 0, answer); }, {"--address", "localhost"}, ErrorKind::kUsage);
  EXPECT_FALSE(PageServer("0.0.0.0", 0, answer).is_loopback());
}

}  // namespace
}  // namespace ptnas
