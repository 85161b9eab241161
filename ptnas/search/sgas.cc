// SGAS (Li et al., CVPR 2020; Appendix A.1.3; FACTS, SGAS): DARTS whose supernet shrinks while it is trained.
// Every few epochs one edge of each cell type is decided; once a node has two decided inputs the others go.
// Which edge is SGAS' choice; its operation is alpha's, or the chooser's (SGAS+PT).
//
// Its state (SupernetTrainer::method_state()) is {chooser, decisions: [{epoch, cell, edge, operation, ..}],
// history: {normal: [matrix, ..], reduction}}; docs/formats.md. Selection reads the decisions from there.

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/search/search_table.h"
#include "ptnas/search/sgas_scores.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

namespace {

constexpr std::size_t kInputs = 2;   // that a node keeps where it does not keep all
constexpr std::size_t kHistory = 4;  // epochs that stability looks back on

bool any_open(const Architecture& architecture) {
  for (const CellType type : architecture.space().cell_types()) {
    for (int edge = 0; edge < static_cast<int>(architecture.space().of(type).size()); ++edge) {
      if (architecture.open(type, edge)) return true;
    }
  }
  return false;
}

const Json& decisions_of(const SupernetTrainer& trainer) {
  static const Json none = Json::array();
  const Json& state = trainer.method_state();
  return state.contains("decisions") ? state["decisions"] : none;
}

// Events so far: of each cell type one decision.
std::int64_t events_of(const SupernetTrainer& trainer) {
  const Json& decisions = decisions_of(trainer);
  return std::count_if(decisions.begin(), decisions.end(), [](const Json& decision) {
    return decision["cell"] == std::string(name_of(CellType::kNormal));
  });
}

// Alpha of decided and removed edges stays, to the bit, what Adam and its decay would do to it undone.
class FrozenAlpha {
 public:
  explicit FrozenAlpha(Architecture& architecture) : architecture_(architecture) {
    for (const torch::Tensor& alpha : architecture.alphas()) before_.push_back(alpha.detach().clone());
  }
  void restore() {
    const torch::NoGradGuard no_grad;
    for (const CellType type : architecture_.space().cell_types()) {
      for (int edge = 0; edge < static_cast<int>(architecture_.space().of(type).size()); ++edge) {
        if (!architecture_.open(type, edge))
          architecture_.alpha(type)[edge].copy_(before_[static_cast<std::size_t>(type)][edge]);
      }
    }
  }

 private:
  Architecture& architecture_;
  std::vector<torch::Tensor> before_;
};

// The rows of a JSON matrix, or of the history's matrices.
WeightMatrix matrix_from(const Json& json) { return json.get<WeightMatrix>(); }

class Sgas final : public SearchMethod {
 public:
  bool trains_alpha() const override { return true; }

  StepResult step(SupernetTrainer& trainer, const Batch& train, const Batch& validation) const override {
    const bool begun = trainer.options().sgas_alpha_from_start || !decisions_of(trainer).empty();
    if (begun && any_open(trainer.architecture())) {
      FrozenAlpha frozen(trainer.architecture());
      trainer.alpha_step(validation);
      frozen.restore();
    }
    return trainer.weight_step(train);
  }

  std::int64_t batch(const SupernetTrainer& trainer, std::int64_t usual) const override {
    return usual + trainer.options().sgas_batch_increase * events_of(trainer);
  }

  void check(const SupernetTrainer& trainer) const override {
    const SearchSpace& space = trainer.architecture().space();
    for (const CellType type : space.cell_types()) check_edges(space, type);
    const SearchOptions& options = trainer.options();
    const std::int64_t wanted = decisions_wanted(space);
    const std::int64_t last = options.sgas_first_decision + (wanted - 1) * options.sgas_decide_every;
    if (last > options.epochs) {
      fail_usage(
          "--method sgas makes {} decisions in each cell, the last after epoch {}, but --epochs is {}; give "
          "more epochs, or a smaller --sgas-first-decision or --sgas-decide-every",
          wanted, last, options.epochs);
    }
    check_state(trainer);
  }

  void after_epoch(SupernetTrainer& trainer, const EpochEnd& end) const override {
    check_chooser(trainer, end.chooser);
    const SearchSpace& space = trainer.architecture().space();
    for (const CellType type : space.cell_types()) {
      const WeightMatrix softmax = trainer.architecture().softmax(type);
      const std::vector<EdgeMeasures> measures =
          sgas_measures(space, type, softmax, history_of(trainer, type));
      if (is_due(trainer.options(), end.epoch)) decide(trainer, type, measures, end);
      remember(trainer, type, sgas_probabilities(space, type, softmax));
    }
  }

 private:
  static void check_edges(const SearchSpace& space, CellType type) {
    for (std::size_t e = 0; e < space.of(type).size(); ++e) {
      const auto& candidates = space.of(type)[e];
      const auto nones = std::count(candidates.begin(), candidates.end(), OperationKind::kNone);
      if (nones == 1 && candidates.size() > 1) continue;
      fail_usage(
          "--method sgas weighs each edge's operations against `none`, but in space {2} edge {0} of the {1} "
          "cell {3}; give --with-none, or another --method",
          e, name_of(type), space.name, nones == 0 ? "has no `none`" : "has nothing else");
    }
  }

  // In each cell type: two edges a node, or all of a node that has fewer, or keeps all.
  static std::int64_t decisions_wanted(const SearchSpace& space) {
    if (!keeps_two_edges(space.family)) return space.edge_count();
    std::size_t wanted = 0;
    for (int node = 0; node < space.nodes; ++node) wanted += std::min(kInputs, space.edges_into(node).size());
    return static_cast<std::int64_t>(wanted);
  }

  static void check_state(const SupernetTrainer& trainer) {
    const Json& state = trainer.method_state();
    try {
      for (const Json& decision : decisions_of(trainer)) decision.at("cell").get<std::string>();
      if (!state.contains("history")) return;
      for (const CellType type : trainer.architecture().space().cell_types()) {
        for (const Json& matrix : state.at("history").at(std::string(name_of(type)))) matrix_from(matrix);
      }
    } catch (const nlohmann::json::exception& error) {
      fail("the checkpoint does not say what SGAS has decided ({}); it is damaged", error.what());
    }
  }

  // What chooses must not change within a search.
  static void check_chooser(SupernetTrainer& trainer, const OperationChooser* chooser) {
    Json now = Json::object();
    now["selection"] = "magnitude";
    if (chooser != nullptr) now = chooser->description();
    Json& state = trainer.method_state();
    if (!state.contains("chooser")) {
      state["chooser"] = now;
    } else if (state["chooser"] != now) {
      fail_usage(
          "this search chooses its operations by {}, now by {} is asked for; give the old options, or a "
          "new --out",
          state["chooser"].dump(), now.dump());
    }
  }

  static bool is_due(const SearchOptions& options, std::int64_t epoch) {
    const std::int64_t since = epoch + 1 - options.sgas_first_decision;
    return since >= 0 && since % options.sgas_decide_every == 0;
  }

  // ---- The history of criterion 2

  static std::optional<std::vector<WeightMatrix>> history_of(const SupernetTrainer& trainer, CellType type) {
    if (trainer.options().sgas_criterion != "2") return std::nullopt;
    std::vector<WeightMatrix> history;
    const std::string cell(name_of(type));
    const Json& state = trainer.method_state();
    if (!state.contains("history") || !state["history"].contains(cell)) return history;
    for (const Json& matrix : state["history"][cell]) history.push_back(matrix_from(matrix));
    return history;
  }

  static void remember(SupernetTrainer& trainer, CellType type, const WeightMatrix& probabilities) {
    if (trainer.options().sgas_criterion != "2") return;
    Json& history = trainer.method_state()["history"][std::string(name_of(type))];
    if (history.is_null()) history = Json::array();
    history.push_back(Json(probabilities));
    if (history.size() > kHistory) history.erase(history.begin());
  }

  // ---- Decisions

  static void decide(SupernetTrainer& trainer, CellType type, const std::vector<EdgeMeasures>& measures,
                     const EpochEnd& end) {
    Architecture& architecture = trainer.architecture();
    int edge = -1;  // the first of the highest scores
    for (int e = 0; e < static_cast<int>(measures.size()); ++e) {
      if (!architecture.open(type, e)) continue;
      if (edge < 0 ||
          measures[static_cast<std::size_t>(e)].score > measures[static_cast<std::size_t>(edge)].score)
        edge = e;
    }
    if (edge < 0) return;
    Json decision = Json::object();
    decision["epoch"] = end.epoch;
    decision["cell"] = std::string(name_of(type));
    decision["edge"] = edge;
    decision["edges"] = measures_json(architecture, type, measures);
    decision["alpha"] = architecture.softmax(type)[static_cast<std::size_t>(edge)];
    const int operation = operation_of(trainer, type, edge, end, decision);
    decision["operation"] = operation;
    architecture.decide(type, edge, operation);
    decision["removed"] = prune(architecture, type, architecture.space().edge(edge).node);
    log_info("SGAS: {} edge {} becomes {}, score {:.3f}", name_of(type), edge,
             name_of(architecture.space().of(
                 type)[static_cast<std::size_t>(edge)][static_cast<std::size_t>(operation)]),
             measures[static_cast<std::size_t>(edge)].score);
    Json& decisions = trainer.method_state()["decisions"];
    if (decisions.is_null()) decisions = Json::array();
    decisions.push_back(std::move(decision));
  }

  static int operation_of(SupernetTrainer& trainer, CellType type, int edge, const EpochEnd& end,
                          Json& decision) {
    if (end.chooser != nullptr) {
      Json measured = Json::object();
      const auto number = static_cast<std::int64_t>(decisions_of(trainer).size());
      const int chosen = end.chooser->choose(trainer, type, edge, number, measured, end.between_batches);
      decision["measured"] = std::move(measured);
      return chosen;
    }
    const auto& candidates = trainer.architecture().space().of(type)[static_cast<std::size_t>(edge)];
    const std::vector<double> weights = trainer.architecture().softmax(type)[static_cast<std::size_t>(edge)];
    int best = -1;
    for (std::size_t o = 0; o < weights.size(); ++o) {
      if (candidates[o] == OperationKind::kNone) continue;
      if (best < 0 || weights[o] > weights[static_cast<std::size_t>(best)]) best = static_cast<int>(o);
    }
    return best;
  }

  // The measures of the edges that could have been picked.
  static Json measures_json(const Architecture& architecture, CellType type,
                            const std::vector<EdgeMeasures>& measures) {
    Json list = Json::array();
    for (int e = 0; e < static_cast<int>(measures.size()); ++e) {
      if (!architecture.open(type, e)) continue;
      const EdgeMeasures& of_edge = measures[static_cast<std::size_t>(e)];
      Json entry = Json::object();
      entry["edge"] = e;
      entry["importance"] = of_edge.importance;
      entry["certainty"] = of_edge.certainty;
      if (of_edge.stability) entry["stability"] = *of_edge.stability;
      entry["score"] = of_edge.score;
      list.push_back(std::move(entry));
    }
    return list;
  }

  // Once a node has all the inputs it keeps, the others go.
  static Json prune(Architecture& architecture, CellType type, int node) {
    const std::vector<int> edges = architecture.space().edges_into(node);
    const auto decided = std::count_if(
        edges.begin(), edges.end(), [&](int edge) { return architecture.decided(type, edge).has_value(); });
    Json removed = Json::array();
    if (!keeps_two_edges(architecture.space().family) || static_cast<std::size_t>(decided) < kInputs)
      return removed;
    for (const int edge : edges) {
      if (!architecture.open(type, edge)) continue;
      architecture.remove(type, edge);
      removed.push_back(edge);
    }
    return removed;
  }
};

}  // namespace

std::unique_ptr<SearchMethod> make_sgas() { return std::make_unique<Sgas>(); }

}  // namespace ptnas
