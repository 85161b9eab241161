// Perturbation-based selection: Algorithm 1 (operations) and Algorithm 2 (topology) of the paper, with the
// rules of the released program by option.

#include <algorithm>
#include <chrono>
#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/select/decided_genotype.h"
#include "ptnas/select/decision_order.h"
#include "ptnas/select/scoring.h"
#include "ptnas/select/selection_record.h"

namespace ptnas {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The scores of one decision: all on the same images, with the same noise, and with one progress bar.
class EventScorer {
 public:
  EventScorer(SupernetTrainer& trainer, const SelectOptions& options, std::size_t event, std::string label,
              std::int64_t passes, std::function<void()> between_batches)
      : trainer_(trainer), options_(options), event_(event), between_batches_(std::move(between_batches)) {
    const std::vector<std::int64_t>& validation = trainer.halves().validation;
    const std::int64_t size = options.scoring_batch;
    images_.batches = batch_count(static_cast<std::int64_t>(validation.size()), size);
    images_.plan_of = options.scoring_images == "fixed"
                          ? ordered_pass(Part::kTrain, validation, size)
                          : augmented_pass(validation, size, kSearchAugmentation, trainer.seed(), event);
    bar_.emplace(std::move(label), passes * images_.batches);
  }

  // The supernet as it stands; never updates running statistics: it is ours, neither preset's. Then without
  // each mask.
  std::vector<Score> score(const std::vector<Mask>& masks) {
    if (options_.scoring_updates_statistics) {
      std::vector<Score> scores = score_sets({{}}, false);
      for (const Mask& mask : masks) scores.push_back(without(mask));
      return scores;
    }
    std::vector<std::vector<Mask>> sets = {{}};
    for (const Mask& mask : masks) sets.push_back({mask});
    return score_sets(sets, false);
  }
  Score without(const Mask& mask) {
    return score_sets({{mask}}, options_.scoring_updates_statistics).front();
  }

 private:
  std::vector<Score> score_sets(const std::vector<std::vector<Mask>>& sets, bool updates_statistics) {
    ScoringMode mode{trainer_.dataset(),
                     trainer_.format(),
                     trainer_.device(),
                     trainer_.loader_threads(),
                     updates_statistics,
                     trainer_.seed(),
                     scoring_step(static_cast<std::int64_t>(event_), 0)};
    const auto passes = static_cast<std::int64_t>(sets.size());
    mode.before_batch = [this, passes] {
      between_batches_();
      if (batches_done_ > 0)
        bar_->update(batches_done_, last_.loss, last_.accuracy, batches_done_ * options_.scoring_batch);
      batches_done_ += passes;
    };
    std::vector<ArchitectureWeights> weights;
    for (const std::vector<Mask>& masks : sets)
      weights.push_back(trainer_.architecture().weights(/*with_gradient=*/false, masks));
    const std::vector<Score> scores = score_weights(trainer_.network(), weights, images_, mode);
    for (const Score& score : scores) {
      if (!std::isfinite(score.loss)) {
        fail(
            "the loss is {} while scoring event {} of the selection: the supernet has diverged; search again "
            "with a smaller learning rate, or lower --tune-learning-rate",
            score.loss, event_);
      }
    }
    last_ = scores.back();
    return scores;
  }

  SupernetTrainer& trainer_;
  const SelectOptions& options_;
  std::size_t event_;
  std::function<void()> between_batches_;
  ScoringImages images_;
  std::optional<Progress> bar_;
  std::int64_t batches_done_ = 0;
  Score last_;
};

class Perturbation {
 public:
  explicit Perturbation(const SelectionContext& context)
      : context_(context),
        options_(context.options),
        criterion_(parse_criterion(context.options.criterion)),
        ties_(parse_ties(context.options.ties)),
        topology_(parse_topology(context.options.topology)),
        trainer_(context.dataset, context.data, context.search, context.runtime),
        decisions_(decision_order(trainer_.network().space(), context.options, trainer_.seed())),
        checkpoints_(context.run, RunDirectory::kSelectCheckpoint, "selection", context.runtime) {}

  Genotype run() {
    begin();
    while (true) {
      while (tuned_ < tune_target_) tune_epoch();
      if (events().size() == decisions_.size()) break;
      take_decision(decisions_[events().size()]);
    }
    record_["complete"] = true;
    write_record();
    if (options_.genotype_rule == "decisions")
      return decided_genotype(architecture(), events(), criterion_, ties_);
    return derive_by_magnitude(space(), architecture().host_weights(CellType::kNormal),
                               architecture().host_weights(CellType::kReduction));
  }

 private:
  const SearchSpace& space() { return trainer_.network().space(); }
  Architecture& architecture() { return trainer_.architecture(); }
  Json& events() { return record_["events"]; }
  void write_record() { write_json(context_.run.file(RunDirectory::kSelection), record_); }

  // ---- Where it stands

  void begin() {
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
      load_supernet(context_.supernet_run.file(RunDirectory::kSupernet), trainer_);
      trainer_.renew_sgd();
      // Tuning epochs number on from the search's, so that their batches are new ones.
      progress_.epoch = context_.search.epochs;
      record_ = begin_record(context_, trainer_, trainer_.halves().validation.size());
      save();
    }
    write_record();
  }

  void take(State& state) {
    trainer_.take(state);
    state.values["progress"] = to_json(progress_);
    state.values["record"] = record_;
    state.values["tuned"] = tuned_;
    state.values["tune_target"] = tune_target_;
  }
  void save() {
    checkpoints_.save([this](State& state) { take(state); });
  }

  // ---- Decisions: each is made whole, or again from the checkpoint before it

  void take_decision(const Decision& decision) {
    const Clock::time_point started = Clock::now();
    Json event = decision.kind == Decision::Kind::kOperation ? decide_operation(decision.cell, decision.index)
                                                             : decide_topology(decision.cell, decision.index);
    event["seconds"] = seconds_since(started);
    append_select_line(event);
    events().push_back(std::move(event));
    tune_target_ += tuning_epochs_after(space(), events().size(), decisions_.size(), options_.tune_epochs);
    write_record();
    save();
  }

  EventScorer scorer(std::int64_t candidates) {
    return EventScorer(trainer_, options_, events().size(),
                       fmt::format("decision {}/{}", events().size() + 1, decisions_.size()), candidates + 1,
                       [this] { checkpoints_.between_steps(); });
  }

  // Algorithm 1: "evaluate the validation accuracy of S when o is removed"; the one whose removal hurts most
  // is chosen.
  Json decide_operation(CellType type, int edge) {
    Json event = operation_event(architecture(), type, edge, events().size(), context_.runtime.seed);
    const std::vector<double> alpha = architecture().softmax(type)[static_cast<std::size_t>(edge)];
    int chosen = 0;
    if (alpha.size() > 1) {  // a single candidate needs no scoring
      EventScorer scorer = this->scorer(static_cast<std::int64_t>(alpha.size()));
      event["images"] = trainer_.halves().validation.size();
      std::vector<Mask> masks;
      for (int o = 0; o < static_cast<int>(alpha.size()); ++o) masks.push_back({type, edge, o});
      std::vector<Score> scores = scorer.score(masks);
      event["baseline"] = score_json(scores.front());
      scores.erase(scores.begin());
      for (int o = 0; o < static_cast<int>(alpha.size()); ++o) {
        Json entry = Json::object();
        entry["operation"] = candidate_name(space(), type, edge, o);
        entry.update(score_json(scores[static_cast<std::size_t>(o)]));
        entry["alpha"] = alpha[static_cast<std::size_t>(o)];
        event["scores"].push_back(std::move(entry));
      }
      chosen = choose_operation(scores, criterion_, ties_);
      event["margin"] = *choice_margin(scores, criterion_, ties_);
    }
    event["chosen"] = candidate_name(space(), type, edge, chosen);
    architecture().decide(type, edge, chosen);
    log_info("decision {}/{}: {} edge {} ({} -> node {}) becomes {}, alpha would choose {}",
             events().size() + 1, decisions_.size(), name_of(type), edge, space().edge(edge).from,
             event["node"].get<int>(), event["chosen"].get<std::string>(),
             event["alpha_choice"].get<std::string>());
    return event;
  }

  // Algorithm 2: of a node's input edges the two whose removal hurts most stay.
  Json decide_topology(CellType type, int node) {
    Json event = topology_event(architecture(), type, node, events().size(), context_.runtime.seed);
    std::vector<int> candidates = space().edges_into(node);
    // FACTS, the two presets: by decisions an edge decided as `none` counts as removed before.
    if (options_.genotype_rule == "decisions")
      std::erase_if(candidates, [&](int edge) { return is_none(type, edge); });
    TopologyChoice choice;
    if (const int trials = topology_trials(static_cast<int>(candidates.size()), topology_); trials > 0) {
      EventScorer scorer = this->scorer(trials);
      event["images"] = trainer_.halves().validation.size();
      // A trial's score is the same in every round; only where it updates running statistics is it passed
      // again.
      const bool again = options_.scoring_updates_statistics;
      std::vector<Mask> masks;
      for (const int edge : candidates) masks.push_back({type, edge, std::nullopt});
      const std::vector<Score> scores = scorer.score(again ? std::vector<Mask>() : masks);
      event["baseline"] = score_json(scores.front());
      choice = choose_edges(candidates, topology_, criterion_, ties_, [&](int edge) {
        if (again) return scorer.without({type, edge, std::nullopt});
        const auto at = std::find(candidates.begin(), candidates.end(), edge) - candidates.begin();
        return scores[static_cast<std::size_t>(at) + 1];
      });
      event["rounds"] = rounds_json(type, choice);
      event["margin"] = *choice.margin;
    } else {
      choice.kept = std::move(candidates);
    }
    for (const int edge : space().edges_into(node)) {
      if (std::find(choice.kept.begin(), choice.kept.end(), edge) == choice.kept.end())
        architecture().remove(type, edge);
    }
    event["kept"] = choice.kept;
    log_info("decision {}/{}: {} node {} keeps edges {}, alpha would keep {}", events().size() + 1,
             decisions_.size(), name_of(type), node, event["kept"].dump(), event["alpha_choice"].dump());
    return event;
  }

  bool is_none(CellType type, int edge) {
    const auto operation = static_cast<std::size_t>(architecture().decided(type, edge).value());
    return space().of(type)[static_cast<std::size_t>(edge)][operation] == OperationKind::kNone;
  }

  Json rounds_json(CellType type, const TopologyChoice& choice) {
    Json rounds = Json::array();
    for (const std::vector<EdgeScore>& round : choice.rounds) {
      rounds.push_back(Json::array());
      for (const auto& [edge, score] : round) {
        Json entry = Json::object();
        entry["edge"] = edge;
        entry["from"] = space().edge(edge).from;
        entry["operation"] = candidate_name(space(), type, edge, architecture().decided(type, edge).value());
        entry.update(score_json(score));
        rounds.back().push_back(std::move(entry));
      }
    }
    return rounds;
  }

  // Its evaluation is not interrupted: the scores would be lost.
  void append_select_line(const Json& event) {
    const Evaluation validation = trainer_.evaluate_validation();
    Json line = Json::object();
    line["phase"] = "select";
    line["epoch"] = tuned_;
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
    context_.run.append_metrics(line);
  }

  // ---- Tuning

  void tune_epoch() {
    const Clock::time_point started = Clock::now();
    const auto after_step = [this] { checkpoints_.after_step([this](State& state) { take(state); }); };
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

  const SelectionContext& context_;
  const SelectOptions& options_;
  Criterion criterion_;
  Ties ties_;
  TopologyRule topology_;
  SupernetTrainer trainer_;
  std::vector<Decision> decisions_;
  StageCheckpoints checkpoints_;
  EpochProgress progress_;
  Json record_;                               // selection.json: its events are the decisions taken
  std::int64_t tuned_ = 0, tune_target_ = 0;  // epochs
};

}  // namespace

Genotype select_by_perturbation(const SelectionContext& context) { return Perturbation(context).run(); }

}  // namespace ptnas
