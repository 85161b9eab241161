#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ptnas/select/run_selection.h"
#include "ptnas/train/supernet_trainer.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {

/// For tests: first-order DARTS, as search/darts.cc has it, which this folder cannot see.
class AlternatingSteps final : public SearchMethod {
 public:
  bool trains_alpha() const override { return true; }
  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const override {
    trainer.alpha_step(validation);
    return trainer.weight_step(train);
  }
};

/// For tests: selections from one small supernet, each in a run directory of its own.
class SelectionTask : public testing::Test {
 protected:
  SupernetTrainer make_trainer() const {
    return SupernetTrainer(task.dataset, task.data, task.search, task.runtime);
  }
  /// A supernet with `epochs` behind it, in the run "search".
  void make_supernet(int epochs = 1) {
    SupernetTrainer trainer = make_trainer();
    for (int epoch = 0; epoch < epochs; ++epoch) {
      EpochProgress progress{epoch, 0, 0, 0, 0};
      trainer.run_epoch(AlternatingSteps(), 0.025, progress, "search", "search", [] {});
    }
    RunDirectory run = RunDirectory::open_for_writing(folder / "search");
    save_supernet(run.file(RunDirectory::kSupernet), trainer);
  }
  void select(const std::string& name) {
    if (!std::filesystem::exists(folder / "search")) make_supernet();
    const RunDirectory supernet = RunDirectory::open_for_reading(folder / "search");
    RunDirectory run = RunDirectory::open_for_writing(folder / name);
    run_selection(
        {supernet, run, task.dataset, task.data, task.search, options, task.runtime, AlternatingSteps()});
  }
  /// The same, interrupted again and again; how often.
  int select_interrupted(const std::string& name, int first, int more) {
    for (int interruptions = 0;; ++interruptions) {
      task.dataset.reads_until_interrupt = first + more * interruptions;
      try {
        select(name);
        task.dataset.reads_until_interrupt = 0;
        set_interrupt_requested(false);
        return interruptions;
      } catch (const Interrupted&) {
        set_interrupt_requested(false);
      }
    }
  }
  Json record(const std::string& name) { return read_json((folder / name) / RunDirectory::kSelection); }
  Genotype genotype(const std::string& name) {
    return genotype_from_json(read_json((folder / name) / RunDirectory::kGenotype), "genotype");
  }
  /// A run's selection.json without what only the clock knows.
  Json timeless_record(const std::string& name) {
    Json json = record(name);
    for (Json& event : json["events"]) event.erase("seconds");
    return json;
  }

  ScratchDirectory folder;
  TinyTask task;
  SelectOptions options = [] {
    SelectOptions o;
    o.tune_epochs = 1;
    o.scoring_batch = 16;
    return o;
  }();
};

}  // namespace ptnas
