#include "ptnas/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/report/report_data.h"
#include "ptnas/report/resources.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHostile = "</script><script>alert(1)</script><!-- \"'&\u2028\U0001F600";

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("ptnas-report-{}-{}", getpid(), count_++);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A run directory with these files; run.json is added.
  fs::path make_run(const std::string& name, const std::map<std::string, std::string>& files,
                    const std::string& parent = "") {
    const fs::path path = folder_ / name;
    fs::create_directories(path);
    Json run = versioned("ptnas-run", 1);
    run["finished"] = Json::array();
    if (!parent.empty()) run["parent"] = parent;
    write_json(path / "run.json", run);
    for (const auto& [file, content] : files) write_file(path / file, content);
    return path;
  }
  static std::string report_of(const fs::path& path) {
    return make_report(RunDirectory::open_for_reading(path));
  }
  // The message with which a run of these files is refused.
  std::string refusal(const std::map<std::string, std::string>& files) {
    try {
      report_of(make_run(fmt::format("refused-{}", count_++), files));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
  static inline int count_ = 0;
};

// Both cells of one node with the same operation on its two edges.
Json cells_of(const char* operation) {
  Json cells = Json::object();
  for (const char* cell : {"normal", "reduction"})
    cells[cell] = Json::parse(fmt::format(R"([[["{0}", 0], ["{0}", 1]]])", operation));
  return cells;
}

// One node, two edges, two candidates; one event measured.
Json selection_json() {
  const Json names = Json::parse(R"([["skip_connect", "sep_conv_3x3"], ["skip_connect", "sep_conv_3x3"]])");
  const Json weights = Json::parse("[[0.6, 0.4], [0.7, 0.3]]");
  Json json = versioned("ptnas-selection", 1);
  json["selection"] = "perturbation";
  json["criterion"] = "accuracy";
  json["space"] = "mine";
  json["candidates"] = {{"normal", names}, {"reduction", names}};
  json["alpha"] = {{"normal", weights}, {"reduction", weights}};
  json["magnitude_genotype"] = cells_of("skip_connect");
  json["events"] =
      Json::parse(R"([{"event": 0, "kind": "operation", "cell": "normal", "edge": 1, "from": 1, "node": 0,
      "baseline": {"loss": 1.0, "accuracy": 0.5}, "chosen": "sep_conv_3x3", "alpha_choice": "skip_connect", "margin": 0.1,
      "scores": [{"operation": "skip_connect", "loss": 1.1, "accuracy": 0.4, "alpha": 0.7},
                 {"operation": "sep_conv_3x3", "loss": 1.2, "accuracy": 0.3, "alpha": 0.3}]}])");
  return json;
}

Json genotype_json() {
  Json json = versioned("ptnas-genotype", 1);
  json["cells"] = cells_of("sep_conv_3x3");
  return json;
}

Json data_json(const std::string& class_name) {
  Json json = versioned("ptnas-data", 1);
  json.update(
      {{"name", "photos"}, {"channels", 3}, {"height", 16}, {"width", 16}, {"train", 2}, {"test", 1}});
  json["classes"] = {class_name};
  json["train_counts"] = {2};
  json["test_counts"] = {1};
  json["mean"] = json["deviation"] = {0.5, 0.5, 0.5};
  return json;
}

TEST_F(ReportTest, ARunThatHasOnlyBegunHasAPage) {
  const std::string html = report_of(make_run("begun", {}));
  EXPECT_THAT(html, HasSubstr("No architecture has been selected yet."));
  EXPECT_THAT(html, HasSubstr("Content-Security-Policy"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST_F(ReportTest, IsWrittenBesideTheOtherFiles) {
  const fs::path path = make_run("run", {});
  write_report(RunDirectory::open_for_reading(path));
  EXPECT_EQ(read_file(path / "report.html"), report_of(path));
}

TEST_F(ReportTest, DrawsTheChosenCellsAndThoseOfAlpha) {
  const std::string html = report_of(make_run(
      "run", {{"selection.json", selection_json().dump()}, {"genotype.json", genotype_json().dump()}}));
  EXPECT_THAT(html, HasSubstr("the cells that alpha alone would have chosen"));
  const std::string drawings = html.substr(0, html.find("<script type=\"application/json\""));
  EXPECT_THAT(drawings, HasSubstr("sep_conv_3x3"));
  EXPECT_THAT(drawings, HasSubstr("skip_connect"));
}

TEST_F(ReportTest, HasTheConfiguredStack) {
  const std::string html =
      report_of(make_run("run", {{"genotype.json", genotype_json().dump()},
                                 {"config.toml", "train-cells = 3\ntrain-channels = 4\n"}}));
  EXPECT_THAT(html, HasSubstr("3 cells"));
}

TEST_F(ReportTest, OnlyTheLivePageAsksItsServer) {
  const RunDirectory run = RunDirectory::open_for_reading(make_run("run", {}));
  EXPECT_THAT(make_live_report(run), HasSubstr("connect-src 'self'"));
  EXPECT_THAT(make_live_report(run), HasSubstr("data.json"));
  EXPECT_THAT(make_report(run), Not(HasSubstr("connect-src")));
  EXPECT_THAT(make_report(run), Not(HasSubstr("data.json'")));
}

TEST_F(ReportTest, NamesOfStrangersStayTexts) {
  const std::string html = report_of(make_run("a<b>&\"'c", {{"data.json", data_json(kHostile).dump()},
                                                            {"config.toml", "data = \"</script><b>\"\n"}}));
  EXPECT_THAT(html, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(html, Not(HasSubstr("a<b>")));
  EXPECT_THAT(html, HasSubstr("a&lt;b&gt;&amp;&quot;&#39;c"));
}

TEST(Resources, CanStandInTheirElements) {
  std::vector<std::string_view> scripts = report_scripts();
  for (const std::string_view script : compare_scripts()) scripts.push_back(script);
  scripts.insert(scripts.end(), {chart_js(), draw_once_script(), follow_script()});
  for (const std::string_view script : scripts) {
    EXPECT_GT(script.size(), 50u);
    EXPECT_EQ(script.find("</script"), std::string_view::npos);
    EXPECT_EQ(script.find("<!--"), std::string_view::npos);
  }
  EXPECT_GT(page_css().size(), 1000u);
  EXPECT_EQ(page_css().find("</style"), std::string_view::npos);
  EXPECT_EQ(page_css().find("url("), std::string_view::npos);
}

TEST_F(ReportTest, AChildHasTheSearchOfItsParent) {
  const std::string search = R"({"phase": "search", "epoch": 0, "valid_accuracy": 0.5})";
  const std::string other = R"({"phase": "train", "epoch": 0})";
  const fs::path parent = make_run("parent", {{"metrics.jsonl", search + "\n" + other + "\n"}});
  const fs::path child = make_run("child", {{"metrics.jsonl", other + "\n"}}, parent.string() + "/");
  Json data = collect_report_data(RunDirectory::open_for_reading(child));
  EXPECT_EQ(data["parent"], "parent");
  EXPECT_EQ(data["metrics"], Json::parse("[" + search + "," + other + "]"));
  fs::remove_all(parent);
  data = collect_report_data(RunDirectory::open_for_reading(child));
  EXPECT_EQ(data["parent"], "parent");
  EXPECT_EQ(data["metrics"].size(), 1u);
}

TEST_F(ReportTest, RefusesFilesThatAreDamagedForeignOrNewer) {
  EXPECT_THAT(refusal({{"selection.json", "{\"format\": \"ptnas-sel"}}), HasSubstr("selection.json"));
  EXPECT_THAT(refusal({{"selection.json", "[]"}}), HasSubstr("selection.json"));
  EXPECT_THAT(refusal({{"data.json", R"({"format": "ptnas-data", "version": 1})"}}),
              HasSubstr("`name` to be a text"));
  Json newer = genotype_json();
  newer["version"] = 99;
  EXPECT_THAT(refusal({{"genotype.json", newer.dump()}}), HasSubstr("99"));
  EXPECT_THAT(refusal({{"metrics.jsonl", "{\"epoch\": 0}\n"}}), HasSubstr("line 1 of"));
  EXPECT_THAT(refusal({{"metrics.jsonl", "{\"phase\": \"train\", \"epoch\": 0, \"train_loss\": \"low\"}\n"}}),
              HasSubstr("`train_loss` to be a number or null"));
  EXPECT_THAT(
      refusal({{"genotype.json", genotype_json().dump()}, {"config.toml", "train-cells = \"many\"\n"}}),
      HasSubstr("train-cells"));
}

TEST_F(ReportTest, RefusesASelectionWithoutWhatThePageReads) {
  const auto refused = [this](void (*damage)(Json&)) {
    Json json = selection_json();
    damage(json);
    return refusal({{"selection.json", json.dump()}});
  };
  EXPECT_EQ(refused([](Json&) {}), "");
  EXPECT_THAT(refused([](Json& json) { json["events"][0].erase("chosen"); }), HasSubstr("event 0 of"));
  EXPECT_THAT(refused([](Json& json) { json["events"][0].erase("baseline"); }), HasSubstr("`baseline`"));
  EXPECT_THAT(refused([](Json& json) { json["events"][0]["cell"] = "<b>"; }), HasSubstr("`cell`"));
  EXPECT_THAT(refused([](Json& json) { json["events"][0]["scores"][1]["loss"] = nullptr; }),
              HasSubstr("`loss`"));
  EXPECT_THAT(refused([](Json& json) { json["candidates"]["normal"] = "all"; }), HasSubstr("`normal`"));
  EXPECT_THAT(refused([](Json& json) { json.erase("alpha"); }), HasSubstr("`alpha`"));
}

TEST_F(ReportTest, ChecksWhatASelectionSaysOfItsConfidence) {
  const auto refused = [this](const char* key, const char* value) {
    Json json = selection_json();
    Json& event = json["events"][0];
    event["within_noise"] = true;
    event["evaluations"] = {{"made", 10}, {"saved", 2}};
    event["tests"] = Json::parse(R"([{"images": 10, "difference": 0.1, "error": 0.01, "p": 0.2}])");
    event["scores"][0].update(Json::parse(R"({"images": 5, "baseline": {"loss": 1.0, "accuracy": 0.6}})"));
    (event.contains(key) ? event : event["scores"][0])[key] = Json::parse(value);
    return refusal({{"selection.json", json.dump()}});
  };
  EXPECT_EQ(refused("within_noise", "false"), "");
  EXPECT_THAT(refused("within_noise", "\"yes\""), HasSubstr("`within_noise` to be true or false"));
  EXPECT_THAT(refused("tests", R"([{"images": 10}])"), HasSubstr("`difference`"));
  EXPECT_THAT(refused("evaluations", "{}"), HasSubstr("`made`"));
  EXPECT_THAT(refused("loss_error", "null"), HasSubstr("`loss_error`"));
}

TEST_F(ReportTest, RefusesAConfusionMatrixThatIsNotSquare) {
  Json json = versioned("ptnas-evaluation", 1);
  for (const char* key :
       {"images", "loss", "top1", "top5", "parameters", "multiply_adds", "milliseconds_per_image"})
    json[key] = 1;
  json["per_class"] = Json::parse(R"([{"class": "a", "accuracy": 1}, {"class": "b", "accuracy": null}])");
  json["confusion"] = Json::parse("[[1, 0], [0, 0]]");
  EXPECT_EQ(refusal({{"evaluation.json", json.dump()}}), "");
  json["confusion"] = Json::parse("[[1, 0], [0]]");
  EXPECT_THAT(refusal({{"evaluation.json", json.dump()}}), HasSubstr("2 columns in `confusion`, found 1"));
}

}  // namespace
}  // namespace ptnas
