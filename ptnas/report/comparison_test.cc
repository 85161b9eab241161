#include "ptnas/report/comparison.h"

#include <gmock/gmock.h>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ComparisonTest : public ::testing::Test {
 protected:
  RunDirectory make_run(const std::string& name, const std::string& configuration) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path);
    Json run = versioned("ptnas-run", 1);
    run["finished"] = Json::array();
    write_json(path / "run.json", run);
    write_file(path / "config.toml", configuration);
    write_file(path / "metrics.jsonl", R"({"phase": "search", "epoch": 0, "alpha": {"normal": [[1.0]]}})"
                                       "\n");
    return RunDirectory::open_for_reading(path);
  }
  // What the page's script gets.
  static Json data_of(const std::string& html) {
    const std::string start = "id=\"data\">";
    const std::size_t from = html.find(start) + start.size();
    return Json::parse(html.substr(from, html.find("</script>", from) - from));
  }
  ScratchDirectory folder_;
};

TEST_F(ComparisonTest, HasEveryRunWithItsConfigurationAndWithoutItsBulk) {
  std::vector<RunDirectory> runs;
  runs.push_back(make_run("one", "seed = 1\n"));
  runs.push_back(make_run("two", "seed = 2\n"));
  const std::string html = make_comparison(runs);
  EXPECT_THAT(html, HasSubstr("2 runs side by side"));
  EXPECT_THAT(html, HasSubstr("No architecture has been selected yet."));
  const Json data = data_of(html);
  EXPECT_EQ(data["runs"][0]["label"], "one");
  EXPECT_EQ(data["runs"][1]["configuration"]["seed"], "2");
  EXPECT_FALSE(data["runs"][0]["metrics"][0].contains("alpha"));
}

TEST_F(ComparisonTest, TellsRunsOfOneNameApartAndKeepsNamesTexts) {
  std::vector<RunDirectory> runs;
  runs.push_back(make_run("a/<script>", ""));
  runs.push_back(make_run("b/<script>", ""));
  const std::string html = make_comparison(runs);
  EXPECT_THAT(html, Not(HasSubstr("a/<script>")));
  EXPECT_THAT(html, HasSubstr("a/&lt;script&gt;"));
  EXPECT_EQ(data_of(html)["runs"][1]["label"], (folder_ / "b/<script>").string());
}

}  // namespace
}  // namespace ptnas
