#include "ptnas/select/progressive.h"

#include <algorithm>
#include <chrono>

#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/select/confidence.h"
#include "ptnas/select/decided_genotype.h"

namespace ptnas {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Whether chance may have decided, and what early-stop saved.
void say_of_measurement(const Json& event) {
  if (event.contains("within_noise") && event["within_noise"].get<bool>())
    log_info("  within noise: on other images it may come out otherwise");
  if (!event.contains("evaluations")) return;
  const auto made = event["evaluations"]["made"].get<std::int64_t>(),
             saved = event["evaluations"]["saved"].get<std::int64_t>();
  log_info("  {} of {} evaluations of an image were enough", made, made + saved);
}

}  // namespace

Progressive::Progressive(const SelectionContext& context)
    : context_(context),
      options_(context.options),
      trainer_(context.dataset, context.data, context.search, context.runtime),
      decisions_(decision_order(trainer_.network().space(), context.options, trainer_.seed())),
      checkpoints_(context.run, RunDirectory::kSelectCheckpoint, "selection", context.runtime) {}

Genotype Progressive::run() {
  begin();
  while (true) {
    while (tuned_ < tune_target_) tune_epoch();
    if (events().size() == decisions_.size()) break;
    take_decision(decisions_[events().size()]);
  }
  put_summary(record_);
  record_["complete"] = true;
  write_record();
  if (options_.genotype_rule == "decisions") {
    return decided_genotype(architecture(), events(), parse_criterion(options_.criterion),
                            parse_ties(options_.ties));
  }
  return derive_by_magnitude(space(), architecture().host_weights(CellType::kNormal),
                             architecture().host_weights(CellType::kReduction));
}

std::string Progressive::decision_label() {
  return fmt::format("decision {}/{}", events().size() + 1, decisions_.size());
}

void Progressive::write_record() { write_json(context_.run.file(RunDirectory::kSelection), record_); }

// ---- Where it stands

void Progressive::begin() {
  if (State state; checkpoints_.load(state)) {
    trainer_.put(state);
    progress_ = progress_from_json(state.values["progress"]);
    try {
      record_ = state.values.at("record");
      tuned_ = state.values.at("tuned").get<std::int64_t>();
      tune_target_ = state.values.at("tune_target").get<std::int64_t>();
    } catch (const nlohmann::json::exception& error) {
      fail("the checkpoint does not say where the selection stands ({}); it is damaged", error.what());
    }
  } else {
    load_supernet(context_.supernet(), trainer_);
    trainer_.renew_sgd();
    // Tuning epochs number on from the search's, so that their batches are new ones.
    progress_.epoch = context_.search.epochs;
    record_ = begin_record(context_, trainer_, trainer_.halves().validation.size());
    save();
  }
  write_record();
}

void Progressive::take(State& state) {
  trainer_.take(state);
  state.values["progress"] = to_json(progress_);
  state.values["record"] = record_;
  state.values["tuned"] = tuned_;
  state.values["tune_target"] = tune_target_;
}

void Progressive::save() {
  checkpoints_.save([this](State& state) { take(state); });
}

// ---- Decisions: each is made whole, or again from the checkpoint before it

void Progressive::take_decision(const Decision& decision) {
  const Clock::time_point started = Clock::now();
  Json event = decision.kind == Decision::Kind::kOperation ? decide_operation(decision.cell, decision.index)
                                                           : decide_topology(decision.cell, decision.index);
  event["seconds"] = seconds_since(started);
  append_select_line(event);
  events().push_back(std::move(event));
  tune_target_ += tuning_epochs_after(space(), events().size(), decisions_.size(), options_.tune_epochs);
  write_record();
  save();
  checkpoints_.after_decision();
}

Json Progressive::decide_operation(CellType type, int edge) {
  Json event = operation_event(architecture(), type, edge, events().size(), context_.runtime.seed);
  const int chosen = operation_of(type, edge, event);
  event["chosen"] = candidate_name(space(), type, edge, chosen);
  architecture().decide(type, edge, chosen);
  log_info("{}: {} edge {} ({} -> node {}) becomes {}, alpha would choose {}", decision_label(),
           name_of(type), edge, space().edge(edge).from, event["node"].get<int>(),
           event["chosen"].get<std::string>(), event["alpha_choice"].get<std::string>());
  say_of_measurement(event);
  return event;
}

Json Progressive::decide_topology(CellType type, int node) {
  Json event = topology_event(architecture(), type, node, events().size(), context_.runtime.seed);
  std::vector<int> candidates = space().edges_into(node);
  // FACTS, the two presets: by decisions an edge decided as `none` counts as removed before.
  if (options_.genotype_rule == "decisions")
    std::erase_if(candidates, [&](int edge) { return is_decided_none(architecture(), type, edge); });
  const std::vector<int> kept = edges_of(type, node, candidates, event);
  for (const int edge : space().edges_into(node)) {
    if (std::find(kept.begin(), kept.end(), edge) == kept.end()) architecture().remove(type, edge);
  }
  event["kept"] = kept;
  log_info("{}: {} node {} keeps edges {}, alpha would keep {}", decision_label(), name_of(type), node,
           event["kept"].dump(), event["alpha_choice"].dump());
  say_of_measurement(event);
  return event;
}

// Its evaluation is not interrupted: the scores would be lost.
void Progressive::append_select_line(const Json& event) {
  context_.run.append_metrics(select_line(event, tuned_, trainer_.evaluate_validation()));
}

Json select_line(const Json& event, std::int64_t epoch, const Evaluation& validation) {
  Json line = Json::object();
  line["phase"] = "select";
  line["epoch"] = epoch;
  for (const char* key : {"event", "kind", "cell"}) line[key] = event[key];
  const char* place = event.contains("edge") ? "edge" : "node";
  line[place] = event[place];
  line["chosen"] = event.contains("chosen") ? event["chosen"] : event["kept"];
  line["train_loss"] = nullptr;
  line["train_accuracy"] = nullptr;
  line["valid_loss"] = validation.loss;
  line["valid_accuracy"] = validation.top1();
  line["learning_rate"] = nullptr;
  line["seconds"] = event["seconds"];
  return line;
}

// ---- Tuning

void Progressive::tune_epoch() {
  const Clock::time_point started = Clock::now();
  const auto after_step = [this] { checkpoints_.after_step([this](State& state) { take(state); }, false); };
  trainer_.run_epoch(context_.method, options_.tune_learning_rate, progress_, "tuning",
                     fmt::format("tuning, epoch {} after decision {}", tuned_ + 1, events().size()),
                     after_step);
  Json line = trainer_.epoch_line("tune", tuned_, progress_, options_.tune_learning_rate, after_step);
  line["event"] = static_cast<std::int64_t>(events().size()) - 1;
  line["seconds"] = seconds_since(started);
  context_.run.append_metrics(line);
  ++tuned_;
  progress_ = EpochProgress{progress_.epoch + 1, 0, 0, 0, 0};
  save();
}

}  // namespace ptnas
