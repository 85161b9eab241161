#pragma once

#include <string>
#include <vector>

#include "ptnas/select/decision_order.h"
#include "ptnas/select/run_selection.h"
#include "ptnas/select/selection_record.h"
#include "ptnas/train/stage.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// A selection edge by edge, with tuning after each event (Algorithms 1 and 2): order, tuning, records and
/// resuming. What is chosen is a derived class's.
class Progressive {
 public:
  explicit Progressive(const SelectionContext& context);
  virtual ~Progressive() = default;
  Progressive(const Progressive&) = delete;
  Progressive& operator=(const Progressive&) = delete;

  Genotype run();

 protected:
  /// The index of the edge's operation. Fills what it measured into `event` (operation_event()).
  virtual int operation_of(CellType type, int edge, Json& event) = 0;
  /// Which of `candidates` (input edges of a node, ascending) stay. Fills what it measured into `event`
  /// (topology_event()).
  virtual std::vector<int> edges_of(CellType type, int node, const std::vector<int>& candidates,
                                    Json& event) = 0;

  const SelectOptions& options() const { return options_; }
  SupernetTrainer& trainer() { return trainer_; }
  Architecture& architecture() { return trainer_.architecture(); }
  const SearchSpace& space() { return trainer_.network().space(); }
  Json& events() { return record_["events"]; }
  /// "decision 3/34", of the one being taken.
  std::string decision_label();
  /// For long work in a decision: throws Interrupted after Ctrl-C; the decision is then made again.
  void between_batches() const { checkpoints_.between_steps(); }

 private:
  void begin();
  void take(State& state);
  void save();
  void write_record();
  void take_decision(const Decision& decision);
  Json decide_operation(CellType type, int edge);
  Json decide_topology(CellType type, int node);
  void append_select_line(const Json& event);
  void tune_epoch();

  const SelectionContext& context_;
  const SelectOptions& options_;
  SupernetTrainer trainer_;
  std::vector<Decision> decisions_;
  StageCheckpoints checkpoints_;
  EpochProgress progress_;
  Json record_;                               // selection.json: its events are the decisions taken
  std::int64_t tuned_ = 0, tune_target_ = 0;  // epochs
};

/// The metrics line of phase "select" of an event: the supernet's evaluation after the decision.
Json select_line(const Json& event, std::int64_t epoch, const Evaluation& validation);

}  // namespace ptnas
