#include "ptnas/data/fetch.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"
#include "ptnas/data/sha256.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

// The sums that sha256sum(1) prints of `one` and `two`, without a line's end.
constexpr const char* kOne = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
constexpr const char* kTwo = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3";

class FetchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "from");
    write_file(folder_ / "from/one.bin", "one");
    write_file(folder_ / "from/two.bin", "two");
    set_.files = {{"one.bin", "http://127.0.0.1:9/one.bin", 3, kOne, false},
                  {"two.bin", "http://127.0.0.1:9/two.bin", 3, kTwo, false}};
  }
  fs::path fetched(const std::string& out = "out") {
    return fetch(set_, {{(folder_ / "from").string()}, folder_ / out, ""});
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  ScratchDirectory folder_;
  FetchSet set_ = {"tiny", {}, "idx:", "its page", "its terms", "a list of sums", "by hand"};
};

TEST_F(FetchTest, LaysDownFilesThatHaveTheirSums) {
  EXPECT_EQ(fetched(), folder_ / "out");
  EXPECT_EQ(read_file(folder_ / "out/two.bin"), "two");
  const Json record = read_json(folder_ / "out/fetched.json");
  EXPECT_EQ(record["terms"], "its terms");
  EXPECT_EQ(record["files"][1]["sha256"], kTwo);
  EXPECT_EQ(record["files"][1]["compared_with"], "a list of sums");
  EXPECT_THAT(names(), testing::ElementsAre("from", "out"));
  fs::remove_all(folder_ / "from");
  fetched();  // it is there already
}

TEST_F(FetchTest, AWrongSumLeavesNoFolder) {
  write_file(folder_ / "from/two.bin", "too");
  expect_error([&] { fetched(); }, {"two.bin", kTwo, "a list of sums"});
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  EXPECT_EQ(read_file(folder_ / "from/two.bin"), "too");
  write_file(folder_ / "from/two.bin", "two");
  fetched();
  EXPECT_THAT(names(), testing::ElementsAre("from", "out"));
}

TEST_F(FetchTest, LeavesWhatIsThereAlone) {
  fs::create_directory(folder_ / "full");
  write_file(folder_ / "full/mine.txt", "mine");
  expect_error([&] { fetched("full"); }, {"full", "--out"});
  write_file(folder_ / "file", "mine");
  expect_error([&] { fetched("file"); }, {"file", "--out"});
  EXPECT_EQ(read_file(folder_ / "full/mine.txt"), "mine");
  fs::create_directory(folder_ / "empty");
  fetched("empty");
  set_.name = "another";
  expect_error([&] { fetched("empty"); }, {"another data set"});
}

TEST_F(FetchTest, RecordsASumThatNobodyPublishesOrComparesItWithTheGivenOne) {
  set_.files = {{"one.bin", "", 0, "", false}};
  const auto from_file = [&](const std::string& out, const std::string& sum) {
    return fetch(set_, {{(folder_ / "from/one.bin").string()}, folder_ / out, sum});
  };
  from_file("recorded", "");
  EXPECT_TRUE(read_json(folder_ / "recorded/fetched.json")["files"][0]["compared_with"].is_null());
  from_file("given", kOne);
  EXPECT_EQ(read_json(folder_ / "given/fetched.json")["files"][0]["compared_with"], "--sha256");
  expect_error([&] { from_file("wrong", kTwo); }, {kTwo, "--sha256"});
  expect_error([&] { from_file("wrong", "abc"); }, {"--sha256", "abc"}, ErrorKind::kUsage);
  expect_error([&] { fetch(set_, {{}, folder_ / "none", ""}); }, {"by hand", "--from"}, ErrorKind::kUsage);
}

TEST_F(FetchTest, SaysWhatFromMustBe) {
  const auto from = [&](std::vector<std::string> places) {
    fetch(set_, {std::move(places), folder_ / "out", ""});
  };
  expect_error([&] { from({(folder_ / "nowhere").string()}); }, {"nowhere", "one.bin"});
  expect_error([&] { from({"a", "b", "c"}); }, {"--from", "2 files"}, ErrorKind::kUsage);
  expect_error([&] { from({"http://127.0.0.1:9/x"}); }, {"--from", "`/`"}, ErrorKind::kUsage);
  from({(folder_ / "from/one.bin").string(), (folder_ / "from/two.bin").string()});
  EXPECT_EQ(read_file(folder_ / "out/two.bin"), "two");
}

TEST(FetchTable, HasASourceForEveryAddressAndSum) {
  for (const FetchSet& set : fetch_table()) {
    EXPECT_FALSE(set.terms.empty() || set.homepage.empty() || set.sums.empty()) << set.name;
    EXPECT_EQ(&find_fetch_set(set.name), &set);
    for (const FetchFile& file : set.files) {
      EXPECT_EQ(file.url.empty(), file.sha256.empty()) << file.name;
      EXPECT_EQ(file.url.empty(), !set.by_hand.empty()) << file.name;
      EXPECT_TRUE(file.sha256.empty() || is_sha256(file.sha256)) << file.name;
      EXPECT_TRUE(file.url.empty() || file.url.ends_with("/" + file.name)) << file.name;
    }
  }
  expect_error([] { find_fetch_set("imagenot"); }, {"imagenot", "cifar10"}, ErrorKind::kUsage);
}

TEST(FetchCache, FollowsTheSpecification) {
  const char* home = std::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(fetch_cache(), "/somewhere/ptnas");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(fetch_cache(), "/home/someone/.cache/ptnas");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  expect_error([] { fetch_cache(); }, {"HOME"}, ErrorKind::kUsage);
  if (!before.empty()) setenv("HOME", before.c_str(), 1);
}

}  // namespace
}  // namespace ptnas
