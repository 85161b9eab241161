// Selection by discretization accuracy at convergence (Section 3.1): on each edge every operation in turn is
// made the only one, the supernet is tuned until it has converged, and the operation with the best validation
// accuracy stays, with the supernet that was tuned for it. Then, at each node, every input edge in turn is
// removed and the rest tuned alike: the two whose absence hurts most stay (Algorithm 2). What perturbation
// stands in for, at many times its cost.
//
// All trials of a decision start from the same supernet and see the same batches.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>

#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/select/convergence.h"
#include "ptnas/select/decided_genotype.h"
#include "ptnas/select/decision_order.h"
#include "ptnas/select/progressive.h"
#include "ptnas/select/selection_record.h"
#include "ptnas/train/stage.h"

namespace ptnas {

namespace {

using Clock = std::chrono::steady_clock;

State copy_of(const SupernetTrainer& trainer) {
  State state;
  trainer.take(state);
  for (auto& [name, tensor] : state.tensors) tensor = tensor.detach().clone();
  return state;
}

// A whole state within another, under a name, and back; an empty one is left out.
void nest(State& into, const std::string& name, const State& state) {
  if (state.tensors.empty()) return;
  for (const auto& [key, tensor] : state.tensors) into.tensors[name + "/" + key] = tensor;
  into.values[name] = state.values;
}
State nested(const State& from, const std::string& name) {
  State state;
  if (!from.values.contains(name)) return state;
  const std::string prefix = name + "/";
  for (const auto& [key, tensor] : from.tensors) {
    if (key.starts_with(prefix)) state.tensors[key.substr(prefix.size())] = tensor;
  }
  state.values = from.values.at(name);
  return state;
}

// The one with the best accuracy, or loss, now with the operation: the rules of its absence turned round.
int best_of(const Json& scores, Criterion criterion, Ties ties) {
  std::vector<Score> turned;
  for (const Json& score : scores)
    turned.push_back({-score.at("loss").get<double>(), -score.at("accuracy").get<double>()});
  return choose_operation(turned, criterion, ties);
}

class Discretization {
 public:
  explicit Discretization(const SelectionContext& context)
      : context_(context),
        options_(context.options),
        criterion_(parse_criterion(context.options.criterion)),
        ties_(parse_ties(context.options.ties)),
        trainer_(context.dataset, context.data, context.search, context.runtime),
        decisions_(decision_order(trainer_.network().space(), context.options, trainer_.seed())),
        checkpoints_(context.run, RunDirectory::kSelectCheckpoint, "selection", context.runtime) {}

  Genotype run() {
    begin();
    while (events().size() < decisions_.size()) decide(decisions_[events().size()]);
    record_["complete"] = true;
    write_record();
    if (options_.genotype_rule == "decisions")
      return decided_genotype(architecture(), turned_events(), criterion_, ties_);
    return derive_by_magnitude(space(), architecture().host_weights(CellType::kNormal),
                               architecture().host_weights(CellType::kReduction));
  }

 private:
  const SearchSpace& space() { return trainer_.network().space(); }
  Architecture& architecture() { return trainer_.architecture(); }
  Json& events() { return record_["events"]; }
  void write_record() { write_json(context_.run.file(RunDirectory::kSelection), record_); }

  // decided_genotype() reads scores as those without an operation.
  Json turned_events() {
    Json turned = events();
    for (Json& event : turned) {
      if (event["kind"] != "operation") continue;
      for (Json& score : event["scores"]) {
        for (const char* key : {"loss", "accuracy"}) score[key] = -score[key].get<double>();
      }
    }
    return turned;
  }

  // ---- Where it stands

  void begin() {
    if (State state; checkpoints_.load(state)) {
      trainer_.put(state);
      progress_ = progress_from_json(state.values["progress"]);
      try {
        put(state);
      } catch (const nlohmann::json::exception& error) {
        fail("the checkpoint does not say where the selection stands ({}); it is damaged", error.what());
      }
    } else {
      load_supernet(context_.supernet(), trainer_);
      trainer_.renew_sgd();
      // Tuning epochs number on from the search's, so that their batches are new ones.
      first_epoch_ = context_.search.epochs;
      record_ = begin_record(context_, trainer_, trainer_.halves().validation.size());
      save();
    }
    write_record();
  }

  void take(State& state) {
    trainer_.take(state);
    state.values["progress"] = to_json(progress_);
    state.values["record"] = record_;
    state.values["event"] = event_;
    state.values["tuned"] = tuned_;
    state.values["first_epoch"] = first_epoch_;
    state.values["best_epoch"] = best_epoch_;
    state.values["trying"] = trying_;
    state.values["accuracies"] = accuracies_;
    state.values["before"] = before_;
    state.values["loss"] = now_.loss;
    state.values["accuracy"] = now_.accuracy;
    nest(state, "start", start_);
    nest(state, "best", best_);
  }
  void put(const State& state) {
    record_ = state.values.at("record");
    event_ = state.values.at("event");
    tuned_ = state.values.at("tuned").get<std::int64_t>();
    first_epoch_ = state.values.at("first_epoch").get<std::int64_t>();
    best_epoch_ = state.values.at("best_epoch").get<std::int64_t>();
    trying_ = state.values.at("trying").get<bool>();
    accuracies_ = state.values.at("accuracies").get<std::vector<double>>();
    before_ = state.values.at("before").get<double>();
    now_ = {state.values.at("loss").get<double>(), state.values.at("accuracy").get<double>()};
    start_ = nested(state, "start");
    best_ = nested(state, "best");
  }
  void save() {
    checkpoints_.save([this](State& state) { take(state); });
  }
  void after_step() {
    checkpoints_.after_step([this](State& state) { take(state); }, false);
  }

  // ---- Decisions

  void decide(const Decision& decision) {
    if (event_.is_null()) begin_event(decision);
    if (decision.kind == Decision::Kind::kOperation) {
      decide_operation(decision.cell, decision.index);
    } else {
      decide_topology(decision.cell, decision.index);
    }
    context_.run.append_metrics(select_line(event_, tuned_, trainer_.evaluate_validation()));
    events().push_back(std::move(event_));
    event_ = nullptr;
    start_ = best_ = State();
    write_record();
    save();
    checkpoints_.after_decision();
  }

  void begin_event(const Decision& decision) {
    const auto seed = context_.runtime.seed;
    event_ = decision.kind == Decision::Kind::kOperation
                 ? operation_event(architecture(), decision.cell, decision.index, events().size(), seed)
                 : topology_event(architecture(), decision.cell, decision.index, events().size(), seed);
    if (decision.kind == Decision::Kind::kOperation)
      event_["alpha"] = architecture().softmax(decision.cell)[static_cast<std::size_t>(decision.index)];
    start_ = copy_of(trainer_);
  }

  // What the event's scores are compared with, once there are some.
  void measure_baseline() {
    if (!event_["baseline"].is_null()) return;
    event_["images"] = trainer_.halves().validation.size();
    event_["baseline"] = score_json(evaluate());
  }

  void decide_operation(CellType type, int edge) {
    const auto& candidates = space().of(type)[static_cast<std::size_t>(edge)];
    int chosen = 0;
    if (candidates.size() > 1) {
      measure_baseline();
      Json& scores = event_["scores"];
      while (scores.size() < candidates.size()) try_operation(type, edge, static_cast<int>(scores.size()));
      chosen = best_of(scores, criterion_, ties_);
      event_["margin"] = margin_of(scores, chosen);
      trainer_.put(best_);
      first_epoch_ = best_epoch_;
    } else {
      architecture().decide(type, edge, 0);
    }
    event_["chosen"] = candidate_name(space(), type, edge, chosen);
    log_info("{}: {} edge {} ({} -> node {}) becomes {}, alpha would choose {}", label(), name_of(type), edge,
             space().edge(edge).from, event_["node"].get<int>(), event_["chosen"].get<std::string>(),
             event_["alpha_choice"].get<std::string>());
  }

  void try_operation(CellType type, int edge, int operation) {
    const std::string name = candidate_name(space(), type, edge, operation);
    tune_until_converged(name, [&] { architecture().decide(type, edge, operation); });
    Json entry = Json::object();
    entry["operation"] = name;
    entry.update(score_json(now_));
    entry["alpha"] = event_.at("alpha").at(static_cast<std::size_t>(operation));
    entry["epochs"] = accuracies_.size();
    event_["scores"].push_back(std::move(entry));
    if (best_of(event_["scores"], criterion_, ties_) == operation) {
      best_ = copy_of(trainer_);
      best_epoch_ = progress_.epoch;
    }
    save();
  }

  // How much better the choice is than the next, in the criterion's unit.
  double margin_of(const Json& scores, int chosen) const {
    const auto value = [&](const Json& score) {
      return criterion_ == Criterion::kLoss ? -score.at("loss").get<double>()
                                            : score.at("accuracy").get<double>();
    };
    std::optional<double> next;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (static_cast<int>(i) != chosen) next = std::max(next.value_or(value(scores[i])), value(scores[i]));
    }
    return value(scores[static_cast<std::size_t>(chosen)]) - *next;
  }

  void decide_topology(CellType type, int node) {
    std::vector<int> candidates = space().edges_into(node);
    if (options_.genotype_rule == "decisions")
      std::erase_if(candidates, [&](int edge) { return is_decided_none(architecture(), type, edge); });
    TopologyChoice choice;
    if (topology_trials(static_cast<int>(candidates.size()), TopologyRule::kOnce) > 0) {
      measure_baseline();
      if (event_["rounds"].empty()) event_["rounds"].push_back(Json::array());
      Json& scores = event_["rounds"][0];
      while (scores.size() < candidates.size()) try_without(type, candidates[scores.size()]);
      choice = choose_edges(candidates, TopologyRule::kOnce, criterion_, ties_, [&](int edge) {
        for (const Json& score : scores) {
          if (score.at("edge") == edge)
            return Score{score.at("loss").get<double>(), score.at("accuracy").get<double>()};
        }
        fail("edge {} was not scored; the checkpoint is damaged", edge);
      });
      event_["margin"] = *choice.margin;
      tune_until_converged("the edges kept", [&] { keep(type, node, choice.kept); });
      first_epoch_ = progress_.epoch;
    } else {
      choice.kept = std::move(candidates);
      keep(type, node, choice.kept);
    }
    event_["kept"] = choice.kept;
    log_info("{}: {} node {} keeps edges {}, alpha would keep {}", label(), name_of(type), node,
             event_["kept"].dump(), event_["alpha_choice"].dump());
  }

  void try_without(CellType type, int edge) {
    const std::string name = candidate_name(space(), type, edge, architecture().decided(type, edge).value());
    tune_until_converged("without " + name, [&] { architecture().remove(type, edge); });
    Json entry = Json::object();
    entry["edge"] = edge;
    entry["from"] = space().edge(edge).from;
    entry["operation"] = name;
    entry.update(score_json(now_));
    entry["epochs"] = accuracies_.size();
    event_["rounds"][0].push_back(std::move(entry));
    save();
  }

  void keep(CellType type, int node, const std::vector<int>& kept) {
    for (const int edge : space().edges_into(node)) {
      if (std::find(kept.begin(), kept.end(), edge) == kept.end()) architecture().remove(type, edge);
    }
  }

  // ---- Trials

  std::string label() { return fmt::format("decision {}/{}", events().size() + 1, decisions_.size()); }

  Score evaluate() {
    const Evaluation evaluation = trainer_.evaluate_validation([this] { checkpoints_.between_steps(); });
    return checked({evaluation.loss, evaluation.top1()});
  }
  static Score checked(Score score) {
    if (!std::isfinite(score.loss)) {
      fail(
          "the validation loss is {} while tuning a discretized supernet: it has diverged; lower "
          "--tune-learning-rate",
          score.loss);
    }
    return score;
  }

  // From the supernet that the decision started with, changed by `change`; goes on with a trial that was
  // interrupted. Leaves the supernet tuned, its validation in now_ and after each epoch in accuracies_.
  void tune_until_converged(const std::string& name, const std::function<void()>& change) {
    if (!trying_) {
      trainer_.put(start_);
      change();
      progress_ = EpochProgress{first_epoch_, 0, 0, 0, 0};
      accuracies_.clear();
      now_ = evaluate();
      before_ = now_.accuracy;
      trying_ = true;
      save();
    }
    while (!has_converged(accuracies_, before_, options_)) tune_epoch(name);
    trying_ = false;
  }

  void tune_epoch(const std::string& name) {
    const Clock::time_point started = Clock::now();
    trainer_.run_epoch(context_.method, options_.tune_learning_rate, progress_, "tuning",
                       fmt::format("{}, {}, epoch {}", label(), name, accuracies_.size() + 1),
                       [this] { after_step(); });
    Json line =
        trainer_.epoch_line("tune", tuned_, progress_, options_.tune_learning_rate, [this] { after_step(); });
    now_ = checked({line["valid_loss"].get<double>(), line["valid_accuracy"].get<double>()});
    accuracies_.push_back(now_.accuracy);
    line["event"] = events().size();
    line["trial"] = name;
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    line["seconds"] = seconds;
    event_["seconds"] = event_["seconds"].get<double>() + seconds;
    context_.run.append_metrics(line);
    ++tuned_;
    progress_ = EpochProgress{progress_.epoch + 1, 0, 0, 0, 0};
    save();
  }

  const SelectionContext& context_;
  const SelectOptions& options_;
  Criterion criterion_;
  Ties ties_;
  SupernetTrainer trainer_;
  std::vector<Decision> decisions_;
  StageCheckpoints checkpoints_;
  EpochProgress progress_;
  Json record_;                   // selection.json: its events are the decisions taken
  Json event_ = nullptr;          // of the decision under way; its scores are the trials made
  State start_, best_;            // the supernet before the decision, and the best trial's
  std::int64_t tuned_ = 0;        // epochs, in all trials
  std::int64_t first_epoch_ = 0;  // of each trial of the decision, for its batches
  std::int64_t best_epoch_ = 0;   // the one after the best trial's last
  bool trying_ = false;           // within a trial, which has so far:
  std::vector<double> accuracies_;
  double before_ = 0;
  Score now_;
};

}  // namespace

Genotype select_by_discretization(const SelectionContext& context) { return Discretization(context).run(); }

}  // namespace ptnas
