#include "ptnas/select/perturbation_chooser.h"

#include <gtest/gtest.h>

#include "ptnas/core/error.h"
#include "ptnas/select/event_scorer.h"
#include "ptnas/select/run_selection.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

constexpr CellType kNormal = CellType::kNormal;

struct WeightsOnly final : SearchMethod {
  bool trains_alpha() const override { return false; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch&) const override {
    return trainer.weight_step(train);
  }
};

class PerturbationChooserTest : public testing::Test {
 protected:
  PerturbationChooserTest() {
    task.search.space = "s3";
    task.search.method = "sgas";
    options.scoring_batch = 16;
  }
  SupernetTrainer make() { return SupernetTrainer(task.dataset, task.data, task.search, task.runtime); }

  // A supernet whose search has decided every edge: edges 0, 1, 3 and 4 stay.
  void write_supernet(SupernetTrainer& trainer) {
    RunDirectory run = RunDirectory::open_for_writing(folder / "search");
    save_supernet(run.file(RunDirectory::kSupernet), trainer);
  }
  void decide_all(SupernetTrainer& trainer) {
    trainer.method_state()["chooser"] = make_operation_chooser(options)->description();
    for (const CellType type : kCellTypes) {
      for (const int edge : {4, 0, 3, 1}) {
        Json decision = Json::object();
        decision["epoch"] = 1;
        decision["cell"] = std::string(name_of(type));
        decision["edge"] = edge;
        decision["edges"] = Json::array();
        decision["operation"] = 1 + edge % 2;
        decision["removed"] = edge == 3 ? Json::array({2}) : Json::array();
        trainer.method_state()["decisions"].push_back(decision);
        trainer.architecture().decide(type, edge, 1 + edge % 2);
      }
      trainer.architecture().remove(type, 2);
    }
  }
  void select() {
    const RunDirectory supernet = RunDirectory::open_for_reading(folder / "search");
    RunDirectory run = RunDirectory::open_for_writing(folder / "run");
    run_selection(
        {supernet, run, task.dataset, task.data, task.search, options, task.runtime, WeightsOnly()});
  }

  ScratchDirectory folder;
  TinyTask task;
  SelectOptions options;
};

TEST_F(PerturbationChooserTest, ThereIsOneForPerturbationAlone) {
  for (const std::string& name : selection_names()) {
    options.selection = name;
    EXPECT_EQ(make_operation_chooser(options) != nullptr, name == "perturbation") << name;
  }
}

TEST_F(PerturbationChooserTest, ChoosesAmongWhatIsNotNoneAsPerturbationDoes) {
  SupernetTrainer trainer = make();
  EpochProgress progress;
  trainer.run_epoch(WeightsOnly(), 0.025, progress, "search", "search", [] {});
  const std::unique_ptr<OperationChooser> chooser = make_operation_chooser(options);
  Json measured = Json::object();
  int batches = 0;
  const int chosen = chooser->choose(trainer, kNormal, 2, 5, measured, [&] { ++batches; });
  EXPECT_EQ(batches, 2);  // 24 images
  ASSERT_EQ(measured["scores"].size(), 2u);
  EXPECT_EQ(measured["scores"][0]["operation"], "skip_connect");
  EXPECT_EQ(measured["images"], 24);
  // The slow twin: each mask by itself.
  EventScorer scorer(trainer, options, 5, "again", 3, {});
  for (std::size_t i = 0; i < 2; ++i) {
    const Score score = scorer.without({kNormal, 2, static_cast<int>(i) + 1}).score;
    EXPECT_EQ(measured["scores"][i]["loss"], score.loss);
    EXPECT_EQ(measured["scores"][i]["accuracy"], score.accuracy);
    EXPECT_LE(measured["scores"][static_cast<std::size_t>(chosen) - 1]["accuracy"],
              measured["scores"][i]["accuracy"]);
  }
}

TEST_F(PerturbationChooserTest, WhatTheSearchDecidedBecomesRecordAndGenotype) {
  SupernetTrainer trainer = make();
  decide_all(trainer);
  write_supernet(trainer);
  select();
  const Json record = read_json((folder / "run") / RunDirectory::kSelection);
  EXPECT_TRUE(record["complete"].get<bool>());
  ASSERT_EQ(record["events"].size(), 2u * (4 + 1));
  EXPECT_EQ(record["events"][0]["edge"], 4);
  EXPECT_EQ(record["events"][0]["chosen"], "skip_connect");
  EXPECT_EQ(record["events"][3]["kind"], "topology");
  EXPECT_EQ(record["events"][3]["kept"], Json::array({3, 4}));
  const Genotype genotype =
      genotype_from_json(read_json((folder / "run") / RunDirectory::kGenotype), "genotype");
  for (const CellType type : kCellTypes) {
    EXPECT_EQ(genotype.of(type)[0][0].operation, OperationKind::kSkipConnect);
    EXPECT_EQ(genotype.of(type)[0][1].operation, OperationKind::kSepConv3x3);
    EXPECT_EQ(genotype.of(type)[1][0].from, 1);
    EXPECT_EQ(genotype.of(type)[1][1].from, 2);
  }
}

TEST_F(PerturbationChooserTest, AnotherSelectionThanTheSearchsOrAnOpenEdgeIsRefused) {
  SupernetTrainer trainer = make();
  write_supernet(trainer);
  EXPECT_THROW(select(), Error);  // nothing decided
  decide_all(trainer);
  write_supernet(trainer);
  options.selection = "magnitude";
  EXPECT_THROW(select(), Error);
  options.selection = "perturbation";
  trainer.architecture().reopen(kNormal, 2);
  write_supernet(trainer);
  EXPECT_THROW(select(), Error);
  trainer.method_state().erase("chooser");
  write_supernet(trainer);
  EXPECT_THROW(select(), Error);
  options.selection = "random";
  EXPECT_NO_THROW(select());
}

}  // namespace
}  // namespace ptnas
