// Perturbation-based selection: Algorithm 1 (operations) and Algorithm 2 (topology) of the paper, with the
// rules of the released program by option.

#include <algorithm>
#include <chrono>
#include <set>

#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/select/scoring.h"
#include "ptnas/select/selection_record.h"

namespace ptnas {

namespace {

// An explicit order, checked to be a permutation of first .. first + count - 1, or one by seed.
std::vector<int> order_of(const std::vector<std::int64_t>& explicit_order, const char* option, int first,
                          int count, std::uint64_t seed, std::uint64_t index) {
  std::vector<int> order;
  if (explicit_order.empty()) {
    for (const std::int64_t i :
         permutation(static_cast<std::size_t>(count), RandomStream(seed, Purpose::kEdgeOrder, index))) {
      order.push_back(first + static_cast<int>(i));
    }
    return order;
  }
  for (const std::int64_t i : explicit_order) order.push_back(static_cast<int>(i));
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  bool whole = static_cast<int>(sorted.size()) == count;
  for (int i = 0; whole && i < count; ++i) whole = sorted[static_cast<std::size_t>(i)] == first + i;
  if (!whole)
    fail_usage("--{} must name each of {} to {} once, not {}", option, first, first + count - 1,
               fmt::join(order, ","));
  return order;
}

class Perturbation {
 public:
  explicit Perturbation(const SelectionContext& context)
      : context_(context),
        options_(context.options),
        criterion_(parse_criterion(context.options.criterion)),
        ties_(parse_ties(context.options.ties)),
        trainer_(context.dataset, context.data, context.search, context.runtime),
        checkpoints_(context.run, RunDirectory::kSelectCheckpoint, "selection", context.runtime) {
    const int edges = space().edge_count(), nodes = space().nodes - 1;
    const auto seed = static_cast<std::uint64_t>(context.runtime.seed);
    edge_order_[0] = order_of(options_.edge_order, "edge-order", 0, edges, seed, 0);
    edge_order_[1] = order_of(options_.reduction_edge_order, "reduction-edge-order", 0, edges, seed, 1);
    // Node 0 has its two inputs and nothing to decide.
    node_order_[0] = order_of(options_.node_order, "node-order", 1, nodes, seed, 2);
    node_order_[1] = order_of(options_.reduction_node_order, "reduction-node-order", 1, nodes, seed, 3);
  }

  Genotype run() {
    begin();
    const auto operations = static_cast<std::int64_t>(edge_order_[0].size());
    const std::int64_t rounds = operations + static_cast<std::int64_t>(node_order_[0].size());
    while (true) {
      while (tuned_ < tune_target_) tune_epoch();
      if (round_ == rounds) break;
      // An event: a decision in the normal cell, then one in the reduction cell with the first in force.
      for (const CellType type : kCellTypes) {
        const auto t = static_cast<std::size_t>(type);
        if (round_ < operations) {
          decide_operation(type, edge_order_[t][static_cast<std::size_t>(round_)], round_ + 1, operations);
        } else {
          decide_topology(type, node_order_[t][static_cast<std::size_t>(round_ - operations)]);
        }
      }
      ++round_;
      // After the last event one more epoch, as in the released program.
      tune_target_ +=
          round_ == rounds ? std::min<std::int64_t>(1, options_.tune_epochs) : options_.tune_epochs;
      write_record();
      save();
    }
    record_["complete"] = true;
    write_record();
    return genotype();
  }

 private:
  const SearchSpace& space() { return trainer_.network().space(); }
  Architecture& architecture() { return trainer_.architecture(); }
  Json& events() { return record_["events"]; }
  void write_record() { write_json(context_.run.file(RunDirectory::kSelection), record_); }

  void begin() {
    if (State state; checkpoints_.load(state)) {
      trainer_.put(state);
      progress_ = progress_from_json(state.values.at("progress"));
      record_ = state.values.at("record");
      round_ = state.values.at("round").get<std::int64_t>();
      tuned_ = state.values.at("tuned").get<std::int64_t>();
      tune_target_ = state.values.at("tune_target").get<std::int64_t>();
    } else {
      load_supernet(context_.supernet_run.file(RunDirectory::kSupernet), trainer_);
      trainer_.renew_sgd();
      // Tuning epochs number on from the search's, so that their batches are new ones.
      progress_.epoch = context_.search.epochs;
      record_ =
          begin_record(context_, trainer_, static_cast<std::int64_t>(trainer_.halves().validation.size()));
      save();
    }
    write_record();
  }

  void take(State& state) {
    trainer_.take(state);
    state.values["progress"] = to_json(progress_);
    state.values["record"] = record_;
    state.values["round"] = round_;
    state.values["tuned"] = tuned_;
    state.values["tune_target"] = tune_target_;
  }
  void save() {
    checkpoints_.save([this](State& state) { take(state); });
  }

  // ---- Scoring

  ScoringImages scoring_images() const {
    const std::vector<std::int64_t>& validation = trainer_.halves().validation;
    const std::int64_t size = options_.scoring_batch,
                       batches = batch_count(static_cast<std::int64_t>(validation.size()), size);
    if (options_.scoring_images == "fixed") return {ordered_pass(Part::kTrain, validation, size), batches};
    // Shuffled and augmented anew for each event, alike for all its candidates.
    const auto event = static_cast<std::uint64_t>(record_.at("events").size());
    return {augmented_pass(validation, size, Augmentation{true, 0}, trainer_.seed(), event), batches};
  }

  Score score(const std::vector<Mask>& masks, const ScoringImages& images, bool updates_statistics) {
    checkpoints_.between_steps();
    const ScoringMode mode{trainer_.dataset(),
                           trainer_.format(),
                           trainer_.device(),
                           trainer_.loader_threads(),
                           updates_statistics,
                           trainer_.seed(),
                           scoring_step(static_cast<std::int64_t>(events().size()), 0)};
    const Score result = score_weights(trainer_.network(),
                                       architecture().weights(/*with_gradient=*/false, masks), images, mode);
    check_finite(result.loss, "selection", static_cast<std::int64_t>(events().size()), 0,
                 options_.tune_learning_rate);
    return result;
  }

  // Algorithm 1: "evaluate the validation accuracy of S when o is removed"; the one whose removal hurts most
  // is chosen.
  void decide_operation(CellType type, int edge, std::int64_t number, std::int64_t total) {
    const auto started = std::chrono::steady_clock::now();
    const auto count = static_cast<int>(space().of(type)[static_cast<std::size_t>(edge)].size());
    const WeightMatrix alpha = architecture().softmax(type);
    Json event = event_json("operation", type);
    event["edge"] = edge;
    event["from"] = space().edge(edge).from;
    event["node"] = space().edge(edge).node;
    event["scores"] = Json::array();
    int chosen = 0;
    if (count > 1) {
      const ScoringImages images = scoring_images();
      const Score baseline = score({}, images, false);
      event["baseline"] = score_json(baseline);
      std::vector<Score> scores;
      for (int o = 0; o < count; ++o) {
        scores.push_back(score({Mask{type, edge, o}}, images, options_.scoring_updates_statistics));
        Json entry = Json::object();
        entry["operation"] = candidate_name(space(), type, edge, o);
        entry.update(score_json(scores.back()));
        entry["alpha"] = alpha[static_cast<std::size_t>(edge)][static_cast<std::size_t>(o)];
        event["scores"].push_back(std::move(entry));
      }
      const std::vector<int> ranked = rank_edges(scores, criterion_, ties_);
      chosen = choose_operation(scores, criterion_, ties_);
      event["margin"] = margin_between(scores[static_cast<std::size_t>(ranked[0])],
                                       scores[static_cast<std::size_t>(ranked[1])], criterion_);
    }
    event["chosen"] = candidate_name(space(), type, edge, chosen);
    event["alpha_choice"] =
        candidate_name(space(), type, edge, magnitude_operation(architecture(), type, edge));
    architecture().decide(type, edge, chosen);
    log_info("selection {}/{}: {} edge {} ({} -> node {}) becomes {}, alpha would choose {}", number, total,
             name_of(type), edge, space().edge(edge).from, space().edge(edge).node,
             event["chosen"].get<std::string>(), event["alpha_choice"].get<std::string>());
    end_event(std::move(event), started);
  }

  // Algorithm 2: the two input edges whose removal hurts most stay.
  void decide_topology(CellType type, int node) {
    const auto started = std::chrono::steady_clock::now();
    Json event = event_json("topology", type);
    event["node"] = node;
    event["rounds"] = Json::array();
    event["alpha_choice"] = magnitude_edges(architecture(), type, node);
    std::vector<int> kept =
        options_.topology == "once" ? keep_at_once(type, node, event) : keep_by_rounds(type, node, event);
    std::sort(kept.begin(), kept.end());
    for (const int edge : space().edges_into(node)) {
      if (std::find(kept.begin(), kept.end(), edge) == kept.end()) architecture().remove(type, edge);
    }
    event["kept"] = kept;
    log_info("selection: {} node {} keeps edges {}, alpha would keep {}", name_of(type), node,
             fmt::join(kept, " and "), event["alpha_choice"].dump());
    end_event(std::move(event), started);
  }

  std::vector<Score> score_edges(CellType type, const std::vector<int>& edges, const ScoringImages& images,
                                 Json& event) {
    std::vector<Score> scores;
    Json round = Json::array();
    for (const int edge : edges) {
      scores.push_back(score({Mask{type, edge, std::nullopt}}, images, options_.scoring_updates_statistics));
      Json entry = Json::object();
      entry["edge"] = edge;
      entry["from"] = space().edge(edge).from;
      entry["operation"] = candidate_name(space(), type, edge, *architecture().decided(type, edge));
      entry.update(score_json(scores.back()));
      round.push_back(std::move(entry));
    }
    event["rounds"].push_back(std::move(round));
    return scores;
  }

  bool is_none(CellType type, int edge) {
    const auto operation = static_cast<std::size_t>(*architecture().decided(type, edge));
    return space().of(type)[static_cast<std::size_t>(edge)][operation] == OperationKind::kNone;
  }

  std::vector<int> keep_at_once(CellType type, int node, Json& event) {
    std::vector<int> edges = space().edges_into(node);
    std::erase_if(edges, [&](int edge) { return is_none(type, edge); });  // counts as removed
    if (edges.size() <= 2) return edges;
    const ScoringImages images = scoring_images();
    event["baseline"] = score_json(score({}, images, false));
    const std::vector<Score> scores = score_edges(type, edges, images, event);
    const std::vector<int> ranked = rank_edges(scores, criterion_, ties_);
    event["margin"] = margin_between(scores[static_cast<std::size_t>(ranked[1])],
                                     scores[static_cast<std::size_t>(ranked[2])], criterion_);
    return {edges[static_cast<std::size_t>(ranked[0])], edges[static_cast<std::size_t>(ranked[1])]};
  }

  // The released program: one edge goes a round; each trial has the edges dropped in earlier rounds of this
  // node back in place.
  std::vector<int> keep_by_rounds(CellType type, int node, Json& event) {
    std::vector<int> edges = space().edges_into(node);
    const ScoringImages images = scoring_images();
    event["baseline"] = score_json(score({}, images, false));
    while (edges.size() > 2) {
      const std::vector<Score> scores = score_edges(type, edges, images, event);
      const std::vector<int> ranked = rank_edges(scores, criterion_, ties_);
      const int removed = edge_to_remove(scores, criterion_, ties_);
      event["margin"] = margin_between(scores[static_cast<std::size_t>(ranked[ranked.size() - 2])],
                                       scores[static_cast<std::size_t>(ranked.back())], criterion_);
      edges.erase(edges.begin() + removed);
    }
    return edges;
  }

  Json event_json(const char* kind, CellType type) {
    Json event = Json::object();
    event["event"] = events().size();
    event["kind"] = kind;
    event["cell"] = std::string(name_of(type));
    return event;
  }

  void end_event(Json event, std::chrono::steady_clock::time_point started) {
    event["images"] = trainer_.halves().validation.size();
    event["seed"] = context_.runtime.seed;
    event["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    const Evaluation validation = trainer_.evaluate_validation();
    Json line = Json::object();
    line["phase"] = "select";
    line["epoch"] = tuned_;
    for (const char* key : {"event", "kind", "cell"}) line[key] = event[key];
    if (event.contains("edge")) line["edge"] = event["edge"];
    line["node"] = event["node"];
    line["chosen"] = event.contains("chosen") ? event["chosen"] : event["kept"];
    line["train_loss"] = nullptr;
    line["train_accuracy"] = nullptr;
    line["valid_loss"] = validation.loss;
    line["valid_accuracy"] = validation.top1();
    line["seconds"] = event["seconds"];
    events().push_back(std::move(event));
    context_.run.append_metrics(line);
  }

  // ---- Tuning

  void tune_epoch() {
    const auto started = std::chrono::steady_clock::now();
    trainer_.run_epoch(context_.method, options_.tune_learning_rate, progress_, "tuning",
                       fmt::format("tune epoch {} (event {})", tuned_ + 1, round_),
                       [this] { checkpoints_.after_step([this](State& state) { take(state); }); });
    const Evaluation validation = trainer_.evaluate_validation();
    Json line = Json::object();
    line["phase"] = "tune";
    line["epoch"] = tuned_;
    line["step"] = trainer_.steps();
    line["event"] = static_cast<std::int64_t>(events().size()) - 1;
    line["train_loss"] = progress_.loss();
    line["train_accuracy"] = progress_.accuracy();
    line["valid_loss"] = validation.loss;
    line["valid_accuracy"] = validation.top1();
    line["learning_rate"] = options_.tune_learning_rate;
    line["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    line["alpha"] = trainer_.alpha_json();
    context_.run.append_metrics(line);
    ++tuned_;
    progress_ = EpochProgress{progress_.epoch + 1, 0, 0, 0, 0};
    save();
  }

  // ---- The result

  // Scores of an edge's operations other than `none`, as they were measured: the best of them, and how much
  // its absence hurts.
  std::pair<int, Score> best_other(CellType type, int edge) {
    int best = -1;
    Score best_score;
    for (const Json& event : events()) {
      if (event["kind"] != "operation" || event["cell"] != std::string(name_of(type)) ||
          event["edge"] != edge)
        continue;
      for (std::size_t o = 0; o < event["scores"].size(); ++o) {
        const Score score{event["scores"][o]["loss"].get<double>(),
                          event["scores"][o]["accuracy"].get<double>()};
        if (space().of(type)[static_cast<std::size_t>(edge)][o] == OperationKind::kNone) continue;
        if (best < 0 || choose_operation({best_score, score}, criterion_, ties_) == 1) {
          best = static_cast<int>(o);
          best_score = score;
        }
      }
    }
    return {std::max(best, 0), best_score};
  }

  // The kept edges of a node, then the others that are `none`, the most valuable first.
  std::vector<int> ranked_edges(CellType type, int node, const std::vector<int>& kept) {
    std::vector<int> nones;
    std::vector<Score> scores;
    for (const int edge : space().edges_into(node)) {
      if (!is_none(type, edge)) continue;
      nones.push_back(edge);
      scores.push_back(best_other(type, edge).second);
    }
    std::vector<int> ranked = kept;
    for (const int i : rank_edges(scores, criterion_, ties_))
      ranked.push_back(nones[static_cast<std::size_t>(i)]);
    return ranked;
  }

  Genotype genotype() {
    if (options_.genotype_rule == "weights") {
      return derive_by_magnitude(space(), architecture().host_weights(CellType::kNormal),
                                 architecture().host_weights(CellType::kReduction));
    }
    CellDecisions decisions[2];
    std::vector<int> others[2];
    for (const CellType type : kCellTypes) {
      const auto t = static_cast<std::size_t>(type);
      for (int e = 0; e < space().edge_count(); ++e) {
        decisions[t].operation.push_back(*architecture().decided(type, e));
        others[t].push_back(best_other(type, e).first);
      }
      for (int node = 0; node < space().nodes; ++node) {
        std::vector<int> kept = space().edges_into(node);
        std::erase_if(kept, [&](int edge) { return architecture().removed(type, edge); });
        decisions[t].ranked.push_back(ranked_edges(type, node, kept));
        decisions[t].kept.push_back(std::move(kept));
      }
    }
    return derive_from_decisions(space(), decisions, others);
  }

  const SelectionContext& context_;
  const SelectOptions& options_;
  Criterion criterion_;
  Ties ties_;
  SupernetTrainer trainer_;
  StageCheckpoints checkpoints_;
  std::vector<int> edge_order_[2], node_order_[2];
  EpochProgress progress_;
  Json record_;
  std::int64_t round_ = 0, tuned_ = 0, tune_target_ = 0;
};

}  // namespace

Genotype select_by_perturbation(const SelectionContext& context) { return Perturbation(context).run(); }

}  // namespace ptnas
