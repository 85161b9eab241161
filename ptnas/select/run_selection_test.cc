#include "ptnas/select/run_selection.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/tensor_file.h"
#include "ptnas/select/selection_testing.h"

namespace ptnas {
namespace {

Json without_times(Json value) {
  if (value.is_object()) value.erase("seconds");
  if (value.is_structured()) {
    for (Json& item : value) item = without_times(std::move(item));
  }
  return value;
}

class RunSelectionTest : public SelectionTask {
 protected:
  using SelectionTask::select_interrupted;
  int select_interrupted(const std::string& name) { return select_interrupted(name, 40, 29); }
  std::vector<Json> metrics(const std::string& name) {
    return RunDirectory::open_for_reading(folder / name).metrics();
  }
  void expect_equal_runs(const std::string& a, const std::string& b) {
    EXPECT_EQ(without_times(record(a)), without_times(record(b)));
    EXPECT_EQ(read_file((folder / a) / RunDirectory::kGenotype),
              read_file((folder / b) / RunDirectory::kGenotype));
    EXPECT_EQ(without_times(metrics(a)), without_times(metrics(b)));
    const TensorFile first = read_tensor_file((folder / a) / RunDirectory::kSelectCheckpoint),
                     second = read_tensor_file((folder / b) / RunDirectory::kSelectCheckpoint);
    ASSERT_EQ(first.tensors.size(), second.tensors.size());
    for (const auto& [key, entry] : first.tensors) EXPECT_EQ(entry.data, second.tensors.at(key).data) << key;
  }
  void released() {
    task.search.train_batches = "draws";
    options.scoring_images = "augmented";
    options.scoring_updates_statistics = true;
    options.ties = "first";
    options.topology = "rounds";
    options.genotype_rule = "weights";
  }
  static Json without_times(const std::vector<Json>& lines) { return ptnas::without_times(Json(lines)); }
  static Json without_times(const Json& value) { return ptnas::without_times(value); }
};

TEST_F(RunSelectionTest, DecidesEveryEdgeAndNodeWithTuningBetween) {
  options.tune_epochs = 2;
  select("run");
  const Json selection = record("run");
  EXPECT_EQ(selection["format"], "ptnas-selection");
  EXPECT_EQ(selection["preset"], "paper");
  EXPECT_EQ(selection["images"], 24);
  EXPECT_TRUE(selection["complete"].get<bool>());
  ASSERT_EQ(selection["events"].size(), 2u * (5 + 1));
  for (std::size_t i = 0; i < 12; ++i) {
    const Json& event = selection["events"][i];
    EXPECT_EQ(event["event"], i);
    EXPECT_EQ(event["cell"], i % 2 == 0 ? "normal" : "reduction");
    EXPECT_EQ(event["images"], 24);
    if (i < 10) {
      EXPECT_EQ(event["kind"], "operation");
      ASSERT_EQ(event["scores"].size(), 2u);
      // The chosen one's absence gives the lowest accuracy.
      for (const Json& score : event["scores"]) {
        if (score["operation"] != event["chosen"]) continue;
        for (const Json& other : event["scores"]) EXPECT_LE(score["accuracy"], other["accuracy"]);
      }
    } else {
      EXPECT_EQ(event["kind"], "topology");
      EXPECT_EQ(event["node"], 1);
      ASSERT_EQ(event["rounds"].size(), 1u);
      EXPECT_EQ(event["rounds"][0].size(), 3u);
      EXPECT_EQ(event["kept"].size(), 2u);
    }
  }
  // 6 events: 5 times two epochs, and one more after the last.
  std::vector<std::string> phases;
  for (const Json& line : metrics("run")) phases.push_back(line["phase"]);
  std::vector<std::string> expected;
  for (int event = 0; event < 6; ++event) {
    expected.insert(expected.end(), {"select", "select", "tune"});
    if (event < 5) expected.push_back("tune");
  }
  EXPECT_EQ(phases, expected);
  std::int64_t epoch = 0;
  for (const Json& line : metrics("run")) {
    if (line["phase"] == "tune") {
      EXPECT_EQ(line["epoch"], epoch++);
      EXPECT_DOUBLE_EQ(line["learning_rate"].get<double>(), 0.0025);
      EXPECT_EQ(line["alpha"]["normal"].size(), 5u);
    }
  }
  const Genotype genotype =
      genotype_from_json(read_json((folder / "run") / RunDirectory::kGenotype), "genotype");
  EXPECT_EQ(genotype.of(CellType::kNormal)[1].size(), 2u);
}

TEST_F(RunSelectionTest, IsDeterministicAndFinishesOnce) {
  select("a");
  select("b");
  expect_equal_runs("a", "b");
  const std::string before = read_file((folder / "a") / RunDirectory::kSelection);
  select("a");
  EXPECT_EQ(read_file((folder / "a") / RunDirectory::kSelection), before);
}

TEST_F(RunSelectionTest, InterruptedSelectionsAreBitIdentical) {
  select("whole");
  EXPECT_GT(select_interrupted("parts"), 3);
  expect_equal_runs("whole", "parts");
}

TEST_F(RunSelectionTest, InterruptedSelectionsOfTheReleasedRulesAreBitIdentical) {
  released();
  select("whole");
  EXPECT_GT(select_interrupted("parts"), 3);
  expect_equal_runs("whole", "parts");
}

TEST_F(RunSelectionTest, ScoringLeavesTheSupernetUnlessAskedTo) {
  options.tune_epochs = 0;
  const auto statistics = [&](const std::string& name) {
    return read_tensor_file((folder / name) / RunDirectory::kSelectCheckpoint)
        .tensors.at("network.stem.1.running_mean")
        .data;
  };
  select("frozen");
  EXPECT_EQ(statistics("frozen"), read_tensor_file((folder / "search") / RunDirectory::kSupernet)
                                      .tensors.at("network.stem.1.running_mean")
                                      .data);
  options.scoring_updates_statistics = true;
  select("moving");
  EXPECT_NE(statistics("moving"), statistics("frozen"));
}

TEST_F(RunSelectionTest, FollowsAnExplicitOrderAndTheLossCriterion) {
  options.tune_epochs = 0;
  options.criterion = "loss";
  options.edge_order = {4, 3, 2, 1, 0};
  options.reduction_edge_order = {0, 2, 4, 1, 3};
  select("run");
  const Json selection = record("run");
  for (std::size_t i = 0; i < 10; ++i) {
    const Json& event = selection["events"][i];
    const auto& order = i % 2 == 0 ? options.edge_order : options.reduction_edge_order;
    EXPECT_EQ(event["edge"], order[i / 2]);
    for (const Json& score : event["scores"]) {
      if (score["operation"] != event["chosen"]) continue;
      for (const Json& other : event["scores"]) EXPECT_GE(score["loss"], other["loss"]);
    }
    EXPECT_GE(event["margin"].get<double>(), 0);
  }
}

TEST_F(RunSelectionTest, ReductionEdgesAreScoredWithTheNormalOneDiscrete) {
  options.tune_epochs = 0;
  options.edge_order = {0, 1, 2, 3, 4};
  options.reduction_edge_order = {0, 1, 2, 3, 4};
  select("run");
  const Json events = record("run")["events"];
  EXPECT_NE(events[0]["baseline"], events[1]["baseline"]);
}

TEST_F(RunSelectionTest, ASingleCandidateIsNotScored) {
  write_file(folder / "space.toml",
             "nodes = 1\n[normal]\nedges = [[\"skip_connect\"], [\"skip_connect\", \"sep_conv_3x3\"]]\n"
             "[reduction]\nall = [\"max_pool_3x3\"]\n");
  task.search.space = (folder / "space.toml").string();
  task.search.nodes = 1;
  options.tune_epochs = 0;
  select("run");
  const Json events = record("run")["events"];
  ASSERT_EQ(events.size(), 4u);  // one node: no topology
  int scored = 0;
  for (const Json& event : events) {
    scored += !event["scores"].empty();
    if (event["scores"].empty()) {
      EXPECT_EQ(event["images"], 0);
      EXPECT_TRUE(event["margin"].is_null());
    }
  }
  EXPECT_EQ(scored, 1);
}

TEST_F(RunSelectionTest, SpacesWithNoneGiveAGenotypeWithoutIt) {
  task.search.space = "s3";
  options.tune_epochs = 0;
  for (const bool by_released_rules : {false, true}) {
    if (by_released_rules) released();
    const std::string name = by_released_rules ? "released" : "paper";
    select(name);
    const Genotype genotype =
        genotype_from_json(read_json((folder / name) / RunDirectory::kGenotype), "genotype");
    for (const CellType type : kCellTypes) {
      for (const auto& node : genotype.of(type)) {
        ASSERT_EQ(node.size(), 2u);
        EXPECT_NE(node[0].from, node[1].from);
        for (const GenotypeEdge& edge : node) EXPECT_NE(edge.operation, OperationKind::kNone);
      }
    }
  }
}

// NAS-Bench-201: one cell type, six edges, no topology; every rule and selection.
class Nb201SelectionTest : public RunSelectionTest {
 protected:
  Nb201SelectionTest() {
    task.search.space = "nb201";
    task.search.nodes = 4;
    task.search.cells = 1;
  }
  Genotype genotype(const std::string& name) {
    return genotype_from_json(read_json((folder / name) / RunDirectory::kGenotype), "genotype");
  }
  // Its operations, edge by edge.
  std::vector<std::string> operations(const std::string& name) {
    std::vector<std::string> result;
    const Genotype whole = genotype(name);
    for (const auto& node : whole.of(CellType::kNormal)) {
      for (const GenotypeEdge& edge : node) result.emplace_back(name_of(edge.operation));
    }
    return result;
  }
  void expect_events_say_the_genotype(const std::string& name) {
    const Json events = record(name)["events"];
    ASSERT_EQ(events.size(), 6u);
    for (const Json& event : events) {
      EXPECT_EQ(event["kind"], "operation");
      EXPECT_EQ(event["cell"], "normal");
      EXPECT_EQ(event["chosen"], operations(name)[event["edge"].get<std::size_t>()]);
      EXPECT_LT(event["from"].get<int>(), event["node"].get<int>());
      EXPECT_LE(event["node"].get<int>(), 3);
    }
  }
};

TEST_F(Nb201SelectionTest, EveryEdgeIsDecidedAndTheGenotypeIsAnArchitecture) {
  options.tune_epochs = 2;
  select("run");
  expect_events_say_the_genotype("run");
  const Json selection = record("run");
  EXPECT_EQ(selection["space"], "nb201");
  EXPECT_EQ(selection["nodes"], 4);
  EXPECT_EQ(selection["candidates"].size(), 1u);
  for (const Json& event : selection["events"]) {
    ASSERT_EQ(event["scores"].size(), 5u);
    EXPECT_EQ(event["scores"][0]["operation"], "none");
    // Without `none` the supernet is as it was.
    EXPECT_EQ(event["scores"][0]["accuracy"], event["baseline"]["accuracy"]);
    EXPECT_NEAR(event["scores"][0]["loss"].get<double>(), event["baseline"]["loss"].get<double>(), 1e-6);
  }
  int tuned = 0;
  for (const Json& line : metrics("run")) tuned += line["phase"] == "tune";
  EXPECT_EQ(tuned, 10);  // 4 times 2, 1, 1
  const std::string text = read_file((folder / "run") / "genotype.txt");
  EXPECT_EQ(read_genotype(text), genotype("run"));
}

TEST_F(Nb201SelectionTest, InterruptedSelectionsAreBitIdentical) {
  for (const bool by_released_rules : {false, true}) {
    if (by_released_rules) released();
    const std::string kind = by_released_rules ? "released" : "paper";
    select("whole-" + kind);
    EXPECT_GT(select_interrupted("parts-" + kind), 3);
    expect_equal_runs("whole-" + kind, "parts-" + kind);
    expect_events_say_the_genotype("whole-" + kind);
  }
}

TEST_F(Nb201SelectionTest, MagnitudeCountsNone) {
  options.selection = "magnitude";
  make_supernet();
  SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
  load_supernet((folder / "search") / RunDirectory::kSupernet, trainer);
  {
    const torch::NoGradGuard no_grad;
    trainer.architecture().alpha(CellType::kNormal)[3][0] = 5;  // `none`
    save_supernet((folder / "search") / RunDirectory::kSupernet, trainer);
  }
  select("run");
  expect_events_say_the_genotype("run");
  EXPECT_EQ(operations("run")[3], "none");
  EXPECT_EQ(genotype("run"), derive_by_magnitude(trainer.network().space(),
                                                 trainer.architecture().softmax(CellType::kNormal), {}));
}

TEST_F(Nb201SelectionTest, ProgressiveMagnitudeGoesFromEdgeToEdge) {
  options.tune_epochs = 2;
  options.selection = "magnitude-progressive";
  options.edge_order = {4, 0, 5, 2, 3, 1};
  select("whole");
  expect_events_say_the_genotype("whole");
  const Json events = record("whole")["events"];
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(events[i]["edge"], options.edge_order[i]);
    EXPECT_EQ(events[i]["chosen"], events[i]["alpha_choice"]);
    EXPECT_EQ(events[i]["alpha"].size(), 5u);
  }
  EXPECT_GT(select_interrupted("parts"), 2);
  expect_equal_runs("whole", "parts");
}

TEST_F(Nb201SelectionTest, DiscretizationTriesEveryOperationOfEveryEdge) {
  options.selection = "discretization";
  options.converged_epochs = 1;
  select("whole");
  expect_events_say_the_genotype("whole");
  for (const Json& event : record("whole")["events"]) {
    ASSERT_EQ(event["scores"].size(), 5u);
    EXPECT_GE(event["margin"].get<double>(), 0);
  }
  int tuned = 0;
  for (const Json& line : metrics("whole")) tuned += line["phase"] == "tune";
  EXPECT_EQ(tuned, 6 * 5);
  EXPECT_GT(select_interrupted("parts"), 3);
  expect_equal_runs("whole", "parts");
}

TEST_F(Nb201SelectionTest, OrdersOfWhatIsNotThereAreUsageErrors) {
  for (auto* order : {&options.reduction_edge_order, &options.node_order, &options.reduction_node_order}) {
    *order = {1, 2};
    EXPECT_THROW(select("run"), Error);
    order->clear();
  }
}

TEST_F(Nb201SelectionTest, RandomDrawsEveryEdge) {
  options.selection = "random";
  select("a");
  select("b");
  expect_events_say_the_genotype("a");
  EXPECT_EQ(record("a"), record("b"));
}

TEST_F(RunSelectionTest, MagnitudeReadsAlpha) {
  options.selection = "magnitude";
  make_supernet();
  SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
  load_supernet((folder / "search") / RunDirectory::kSupernet, trainer);
  const Genotype expected =
      derive_by_magnitude(trainer.network().space(), trainer.architecture().softmax(CellType::kNormal),
                          trainer.architecture().softmax(CellType::kReduction));
  select("run");
  EXPECT_EQ(genotype_from_json(read_json((folder / "run") / RunDirectory::kGenotype), "genotype"), expected);
  const Json selection = record("run");
  EXPECT_EQ(selection["magnitude_genotype"], to_json(expected)["cells"]);
  ASSERT_EQ(selection["events"].size(), 12u);
  for (const Json& event : selection["events"]) {
    EXPECT_TRUE(event.contains("scores") ? event["scores"].empty() : event["rounds"].empty());
    const char* choice = event.contains("chosen") ? "chosen" : "kept";
    EXPECT_EQ(event[choice], event["alpha_choice"]);
  }
  EXPECT_TRUE(metrics("run").empty());
}

TEST_F(RunSelectionTest, ProgressiveMagnitudeTunesAsPerturbationAndChoosesByAlpha) {
  options.tune_epochs = 2;
  select("perturbation");
  options.selection = "magnitude-progressive";
  select("run");
  const Json selection = record("run");
  EXPECT_EQ(selection["selection"], "magnitude-progressive");
  EXPECT_TRUE(selection["complete"].get<bool>());
  ASSERT_EQ(selection["events"].size(), 12u);
  // The same order and the same tuning.
  const Json other = record("perturbation");
  for (std::size_t i = 0; i < 12; ++i) {
    const Json& event = selection["events"][i];
    for (const char* key : {"kind", "cell", "node"}) EXPECT_EQ(event[key], other["events"][i][key]);
    if (event["kind"] == "topology") {
      EXPECT_EQ(event["kept"].size(), 2u);
      EXPECT_TRUE(event["rounds"].empty());
      continue;
    }
    EXPECT_EQ(event["edge"], other["events"][i]["edge"]);
    EXPECT_TRUE(event["scores"].empty());
    EXPECT_EQ(event["chosen"], event["alpha_choice"]);
    const auto alpha = event["alpha"].get<std::vector<double>>();
    const auto largest = std::max_element(alpha.begin(), alpha.end()) - alpha.begin();
    EXPECT_EQ(event["chosen"], largest == 0 ? "noise" : "sep_conv_3x3");
  }
  EXPECT_EQ(metrics("run").size(), metrics("perturbation").size());
  // The kept edges of node 1 are those whose operation had the largest weights.
  for (const Json& event : selection["events"]) {
    if (event["kind"] != "topology") continue;
    std::vector<double> weights(5, -1);
    for (const Json& decided : selection["events"]) {
      if (decided["kind"] != "operation" || decided["cell"] != event["cell"]) continue;
      const auto alpha = decided["alpha"].get<std::vector<double>>();
      weights[decided["edge"].get<std::size_t>()] = *std::max_element(alpha.begin(), alpha.end());
    }
    const auto least = std::min_element(weights.begin() + 2, weights.end()) - weights.begin();
    for (const Json& edge : event["kept"]) EXPECT_NE(edge, least);
  }
}

TEST_F(RunSelectionTest, InterruptedProgressiveMagnitudeIsBitIdentical) {
  options.selection = "magnitude-progressive";
  select("whole");
  EXPECT_GT(select_interrupted("parts"), 3);
  expect_equal_runs("whole", "parts");
}

TEST_F(RunSelectionTest, DiscretizationKeepsWhatIsBestOnceTuned) {
  options.selection = "discretization";
  options.converged_epochs = 2;
  task.search.space = "s2";
  select("run");
  const Json selection = record("run");
  EXPECT_TRUE(selection["complete"].get<bool>());
  ASSERT_EQ(selection["events"].size(), 12u);
  std::size_t epochs = 0;
  for (const Json& event : selection["events"]) {
    EXPECT_GT(event["baseline"]["loss"].get<double>(), 0);
    EXPECT_EQ(event["images"], 24);
    EXPECT_GE(event["margin"].get<double>(), 0);
    if (event["kind"] == "operation") {
      ASSERT_EQ(event["scores"].size(), 2u);
      const Json *chosen = nullptr, *rejected = nullptr;
      for (const Json& score : event["scores"]) {
        EXPECT_EQ(score["epochs"], 2);
        epochs += 2;
        (score["operation"] == event["chosen"] ? chosen : rejected) = &score;
      }
      ASSERT_TRUE(chosen != nullptr && rejected != nullptr);
      EXPECT_GE((*chosen)["accuracy"], (*rejected)["accuracy"]);
    } else {
      ASSERT_EQ(event["rounds"][0].size(), 3u);
      epochs += 2 * (3 + 1);
      double worst_kept = 0, best_dropped = 1;
      for (const Json& score : event["rounds"][0]) {
        const bool kept =
            std::find(event["kept"].begin(), event["kept"].end(), score["edge"]) != event["kept"].end();
        const double accuracy = score["accuracy"];
        if (kept) worst_kept = std::max(worst_kept, accuracy);
        if (!kept) best_dropped = std::min(best_dropped, accuracy);
      }
      EXPECT_LE(worst_kept, best_dropped);
    }
  }
  std::size_t tuned = 0;
  for (const Json& line : metrics("run")) {
    if (line["phase"] != "tune") continue;
    EXPECT_EQ(line["epoch"], tuned++);
    EXPECT_TRUE(line.contains("trial"));
  }
  EXPECT_EQ(tuned, epochs);
}

// The slow twin of the first decision: each operation by itself, from the supernet as it was searched.
TEST_F(RunSelectionTest, DiscretizationTrialsStartFromTheSameSupernet) {
  options.selection = "discretization";
  options.converged_epochs = 2;
  options.edge_order = {2, 0, 1, 3, 4};
  select("run");
  const Json scores = record("run")["events"][0]["scores"];
  for (int operation = 0; operation < 2; ++operation) {
    SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
    load_supernet((folder / "search") / RunDirectory::kSupernet, trainer);
    trainer.renew_sgd();
    trainer.architecture().decide(CellType::kNormal, 2, operation);
    EpochProgress progress;
    for (int epoch = 0; epoch < 2; ++epoch) {
      progress = EpochProgress{task.search.epochs + epoch, 0, 0, 0, 0};
      trainer.run_epoch(AlternatingSteps(), options.tune_learning_rate, progress, "tuning", "tuning", [] {});
    }
    const Evaluation evaluation = trainer.evaluate_validation();
    EXPECT_EQ(scores[static_cast<std::size_t>(operation)]["loss"], evaluation.loss);
    EXPECT_EQ(scores[static_cast<std::size_t>(operation)]["accuracy"], evaluation.top1());
  }
}

TEST_F(RunSelectionTest, InterruptedDiscretizationIsBitIdentical) {
  options.selection = "discretization";
  options.converged_epochs = 1;
  task.search.space = "s3";  // an edge may become `none`
  select("whole");
  EXPECT_GT(select_interrupted("parts"), 3);
  expect_equal_runs("whole", "parts");
  options.converged = "plateau";
  options.converged_most = 3;
  options.converged_gain = 0.05;
  select("whole-plateau");
  EXPECT_GT(select_interrupted("parts-plateau"), 3);
  expect_equal_runs("whole-plateau", "parts-plateau");
}

// Tuning is the search method's: one that perturbs is asked there too.
TEST_F(RunSelectionTest, TuningIsTheMethods) {
  struct Counting final : SearchMethod {
    explicit Counting(int& steps) : steps(steps) {}
    bool trains_alpha() const override { return false; }
    StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch&) const override {
      EXPECT_GE(trainer.epoch(), trainer.options().epochs);
      ++steps;
      return trainer.weight_step(train);
    }
    int& steps;
  };
  make_supernet();
  const RunDirectory supernet = RunDirectory::open_for_reading(folder / "search");
  RunDirectory run = RunDirectory::open_for_writing(folder / "run");
  int steps = 0;
  run_selection(
      {supernet, run, task.dataset, task.data, task.search, options, task.runtime, Counting(steps)});
  EXPECT_EQ(steps, 3 * 6);
}

TEST_F(RunSelectionTest, RandomDependsOnTheSeed) {
  options.selection = "random";
  make_supernet();
  select("a");
  select("b");
  EXPECT_EQ(record("a"), record("b"));
  task.runtime.seed = 1;
  select("c");
  EXPECT_NE(read_file((folder / "a") / RunDirectory::kGenotype),
            read_file((folder / "c") / RunDirectory::kGenotype));
  // Its events say what the genotype has.
  const Json selection = record("a");
  EXPECT_TRUE(selection["complete"].get<bool>());
  ASSERT_EQ(selection["events"].size(), 2u * (2 + 2 + 1));
  const Genotype genotype =
      genotype_from_json(read_json((folder / "a") / RunDirectory::kGenotype), "genotype");
  for (const Json& event : selection["events"]) {
    if (event["kind"] == "topology") {
      EXPECT_EQ(event["kept"].size(), 2u);
      continue;
    }
    const auto& cell = genotype.of(event["cell"] == "normal" ? CellType::kNormal : CellType::kReduction);
    bool found = false;
    for (const GenotypeEdge& edge : cell[event["node"].get<std::size_t>()])
      found |= edge.from == event["from"] && name_of(edge.operation) == event["chosen"].get<std::string>();
    EXPECT_TRUE(found) << event.dump();
  }
}

TEST_F(RunSelectionTest, ADamagedCheckpointIsRefused) {
  select("run");
  const std::filesystem::path path = (folder / "run") / RunDirectory::kSelectCheckpoint;
  write_json((folder / "run") / RunDirectory::kRun, [] {
    Json json = versioned("ptnas-run", 1);
    json["finished"] = Json::array();
    return json;
  }());
  const TensorFile whole = read_tensor_file(path);
  for (const char* key : {"record", "tuned", "progress", "steps", "position"}) {
    TensorFile damaged = whole;
    Json state = parse_json(damaged.metadata.at("state"), "state");
    state.erase(key);
    damaged.metadata["state"] = state.dump();
    write_tensor_file(path, damaged);
    EXPECT_THROW(select("run"), Error) << key;
  }
  write_tensor_file(path, whole);
  EXPECT_NO_THROW(select("run"));
}

TEST_F(RunSelectionTest, WrongOptionsAndMissingSupernetsAreErrors) {
  make_supernet();
  options.selection = "oracle";
  EXPECT_THROW(select("a"), Error);
  options.selection = "perturbation";
  options.node_order = {1, 1};
  EXPECT_THROW(select("b"), Error);
  options.node_order = {};
  std::filesystem::remove((folder / "search") / RunDirectory::kSupernet);
  EXPECT_THROW(select("c"), Error);
  EXPECT_FALSE(std::filesystem::exists((folder / "c") / RunDirectory::kSelection));
}

}  // namespace
}  // namespace ptnas
