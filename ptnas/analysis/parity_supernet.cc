#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "ptnas/analysis/parity.h"
#include "ptnas/analysis/parity_report.h"
#include "ptnas/core/error.h"
#include "ptnas/select/rules.h"

namespace ptnas {

namespace {

double accuracy_of(const torch::Tensor& logits, const torch::Tensor& labels) {
  return logits.argmax(1).eq(labels).sum().item<double>() / static_cast<double>(labels.size(0));
}

// A supernet's case.
class SupernetParity {
 public:
  SupernetParity(const ParityCase& parity_case, Engine engine, ParityReport& report)
      : case_(parity_case),
        report_(report),
        engine_(engine),
        space_(make_space(space_name(parity_case.expected.at("space").get<std::string>()), 4, false)),
        network_(std::make_shared<Supernet>(space_, shape())),
        architecture_(space_, 0, 0),
        batch_(decode_batch(parity_case)) {
    load_published(parity_case.checkpoint, *network_, architecture_);
  }

  void run() {
    const Json& expected = case_.expected;
    std::vector<const char*> keys = {"space",
                                     "seed",
                                     "channels",
                                     "layers",
                                     "count",
                                     "mean",
                                     "std",
                                     "train_logits",
                                     "train_loss",
                                     "alpha_grad",
                                     "weight_grad_norm",
                                     "eval_logits",
                                     "eval_loss",
                                     "masked_op",
                                     "genotype_by_magnitude"};
    if (keeps_two_edges(space_.family)) keys.push_back("masked_edge");
    expect_keys(expected, keys, "expected.json");
    expected.at("seed").get<std::int64_t>();
    compare_training();
    compare_evaluation();
    compare_masked_operations();
    if (keeps_two_edges(space_.family)) compare_masked_edges();
    report_.require("genotype by magnitude",
                    genotype_from_text(expected.at("genotype_by_magnitude").get<std::string>(),
                                       "genotype_by_magnitude") ==
                        derive_by_magnitude(space_, architecture_.softmax(CellType::kNormal),
                                            architecture_.softmax(CellType::kReduction)),
                    "another genotype");
    compare_selection();
  }

 private:
  static std::string space_name(const std::string& published) {
    return published == "s5" ? "darts" : published;
  }
  SupernetShape shape() const {
    return {case_.expected.at("channels").get<int>(), case_.expected.at("layers").get<int>(),
            static_cast<int>(size_of(case_.checkpoint, "classifier.weight", 0)),
            static_cast<int>(size_of(case_.checkpoint, "stem.0.weight", 1)), engine_};
  }

  torch::Tensor forward(const ArchitectureWeights& weights) {
    return network_->forward(batch_.images, weights, {});
  }

  void compare_training() {
    network_->train();
    const FrozenStatistics frozen(*network_);
    const torch::Tensor logits = forward(architecture_.weights(/*with_gradient=*/true));
    const torch::Tensor loss = torch::cross_entropy_loss(logits, batch_.labels);
    loss.backward();
    report_.compare("training logits", numbers_of(logits),
                    numbers_of(case_.expected.at("train_logits"), "train_logits"), kValueTolerance);
    report_.compare("training loss", loss.item<double>(), case_.expected.at("train_loss").get<double>(),
                    kValueTolerance);
    const Json& alpha = case_.expected.at("alpha_grad");
    if (alpha.size() != space_.cell_types().size())
      fail("alpha_grad: expected {} matrices, found {}", space_.cell_types().size(), alpha.size());
    for (const CellType type : space_.cell_types()) {
      report_.compare("gradient of alpha, " + std::string(name_of(type)),
                      numbers_of(architecture_.alpha(type).grad()),
                      numbers_of(alpha.at(static_cast<std::size_t>(type)), "alpha_grad"), kGradientTolerance);
    }
    compare_norms(report_, *network_, case_.expected.at("weight_grad_norm"));
  }

  void compare_evaluation() {
    const torch::NoGradGuard no_grad;
    network_->eval();
    const torch::Tensor logits = forward(architecture_.weights(false));
    report_.compare("evaluation logits", numbers_of(logits),
                    numbers_of(case_.expected.at("eval_logits"), "eval_logits"), kValueTolerance);
    report_.compare("evaluation loss", torch::cross_entropy_loss(logits, batch_.labels).item<double>(),
                    case_.expected.at("eval_loss").get<double>(), kValueTolerance);
  }

  Score masked_score(const std::vector<Mask>& masks) {
    const torch::NoGradGuard no_grad;
    network_->train();
    const FrozenStatistics frozen(*network_);
    const torch::Tensor logits = forward(architecture_.weights(false, masks));
    return {torch::cross_entropy_loss(logits, batch_.labels).item<double>(),
            accuracy_of(logits, batch_.labels)};
  }

  // By its published name; null where there is one type alone.
  CellType cell_of(const Json& entry, const std::string& where) const {
    const Json& cell = entry.at("cell");
    if (space_.cell_types().size() == 1) {
      if (!cell.is_null()) fail("{}: expected `cell` to be null, found {}", where, cell.dump());
      return space_.cell_types().front();
    }
    const std::string name = cell.get<std::string>();
    for (const CellType type : space_.cell_types()) {
      if (name == published_name(type)) return type;
    }
    fail("{}: unknown cell `{}`", where, name);
  }
  int operation_index(CellType type, int edge, const std::string& name, const std::string& where) const {
    const auto& candidates = space_.of(type).at(static_cast<std::size_t>(edge));
    const OperationKind kind = parse_operation(name, where);
    const auto found = std::find(candidates.begin(), candidates.end(), kind);
    if (found == candidates.end()) fail("{}: edge {} has no candidate {}", where, edge, name);
    return static_cast<int>(found - candidates.begin());
  }
  int checked_edge(const Json& entry, const std::string& where) const {
    const int edge = entry.at("edge").get<int>();
    if (edge < 0 || edge >= space_.edge_count()) fail("{}: there is no edge {}", where, edge);
    return edge;
  }

  void compare_masked_operations() {
    std::set<std::vector<int>> seen;
    std::size_t all = 0;
    for (const CellType type : space_.cell_types()) {
      for (const auto& candidates : space_.of(type)) all += candidates.size();
    }
    std::vector<double> losses, recorded, accuracies, recorded_accuracies;
    for (const Json& entry : case_.expected.at("masked_op")) {
      expect_keys(entry, {"cell", "edge", "op", "loss", "accuracy"}, "masked_op");
      const CellType type = cell_of(entry, "masked_op");
      const int edge = checked_edge(entry, "masked_op");
      const int operation = operation_index(type, edge, entry.at("op").get<std::string>(), "masked_op");
      if (!seen.insert({static_cast<int>(type), edge, operation}).second)
        fail("masked_op: an entry stands twice");
      const Score score = masked_score({Mask{type, edge, operation}});
      losses.push_back(score.loss);
      accuracies.push_back(score.accuracy);
      recorded.push_back(entry.at("loss").get<double>());
      recorded_accuracies.push_back(entry.at("accuracy").get<double>());
    }
    if (seen.size() != all) fail("masked_op: {} entries, expected {}", seen.size(), all);
    report_.compare("loss without an operation", losses, recorded, kValueTolerance);
    report_.compare("accuracy without an operation", accuracies, recorded_accuracies, kValueTolerance);
  }

  void compare_masked_edges() {
    std::set<std::pair<int, int>> seen;
    std::vector<double> losses, recorded, accuracies, recorded_accuracies;
    for (const Json& entry : case_.expected.at("masked_edge")) {
      expect_keys(entry, {"cell", "node", "edge", "loss", "accuracy"}, "masked_edge");
      const CellType type = cell_of(entry, "masked_edge");
      const int edge = checked_edge(entry, "masked_edge");
      if (space_.edge(edge).node != entry.at("node").get<int>() + 1)
        fail("masked_edge: edge {} does not lead into its node", edge);
      if (!seen.insert({static_cast<int>(type), edge}).second) fail("masked_edge: an entry stands twice");
      const Score score = masked_score({Mask{type, edge, std::nullopt}});
      losses.push_back(score.loss);
      accuracies.push_back(score.accuracy);
      recorded.push_back(entry.at("loss").get<double>());
      recorded_accuracies.push_back(entry.at("accuracy").get<double>());
    }
    const std::size_t all =
        2 * static_cast<std::size_t>(space_.edge_count() - 2);  // node 0 has nothing to decide
    if (seen.size() != all) fail("masked_edge: {} entries, expected {}", seen.size(), all);
    report_.compare("loss without an edge", losses, recorded, kValueTolerance);
    report_.compare("accuracy without an edge", accuracies, recorded_accuracies, kValueTolerance);
  }

  // ---- The published selection, followed event by event with its recorded choices

  void compare_selection() {
    if (!case_.selection.is_array() || case_.selection.size() != 2)
      fail("selection.json: expected two traces");
    std::set<std::string> criteria;
    for (const Json& trace : case_.selection) {
      expect_keys(trace, {"criterion", "tuning_epochs", "events", "smallest_edge_margin", "genotype"},
                  "selection.json");
      criteria.insert(trace.at("criterion").get<std::string>());
      if (trace.at("tuning_epochs").get<int>() != 0) fail("selection.json: expected 0 epochs of tuning");
      follow(trace);
    }
    if (criteria != std::set<std::string>{"accuracy", "loss"})
      fail("selection.json: expected one trace by loss and one by accuracy");
  }

  void follow(const Json& trace) {
    const std::string name = trace.at("criterion").get<std::string>();
    criterion_ = parse_criterion(name);
    label_ = "selection by " + name + ": ";
    smallest_margin_ = std::numeric_limits<double>::infinity();
    Architecture fresh(space_, 0, 0);
    load_published(case_.checkpoint, *network_, fresh);
    architecture_ = fresh;
    const std::size_t types = space_.cell_types().size();
    const std::size_t edges = types * static_cast<std::size_t>(space_.edge_count());
    const std::size_t nodes =
        keeps_two_edges(space_.family) ? types * static_cast<std::size_t>(space_.nodes - 1) : 0;
    if (trace.at("events").size() != edges + nodes) {
      fail("selection.json: {} events, expected {}", trace.at("events").size(), edges + nodes);
    }
    std::size_t number = 0;
    std::set<std::vector<int>> seen;
    for (const Json& event : trace.at("events")) {
      const bool is_edge = number++ < edges;
      const std::string kind = event.at("kind").get<std::string>();
      if (kind != (is_edge ? "edge" : "node"))
        fail("selection.json: event {} is of kind {}", number - 1, kind);
      expect_keys(event,
                  {"kind", "cell", is_edge ? "edge" : "node", "candidates", "accuracy", "loss", "chosen"},
                  "selection.json");
      const CellType type = cell_of(event, "selection.json");
      if (static_cast<std::size_t>(type) != (number - 1) % types)
        fail("selection.json: cells must alternate, normal first");
      const int place = event.at(is_edge ? "edge" : "node").get<int>();
      if (!seen.insert({is_edge, static_cast<int>(type), place}).second)
        fail("selection.json: {} {} stands twice", kind, place);
      if (is_edge) {
        follow_edge(event, type, checked_edge(event, "selection.json"));
      } else {
        follow_node(event, type, place + 1);
      }
    }
    // Our margin agrees as the scores do; the recorded one must also be that of the recorded scores.
    const double recorded = trace.at("smallest_edge_margin").get<double>();
    const double allowed = criterion_ == Criterion::kLoss ? 2 * kValueTolerance * largest_loss_ : 1e-9;
    const bool same = std::abs(smallest_margin_ - recorded) <= allowed &&
                      std::abs(recorded_margin(trace, name) - recorded) <= 1e-9;
    report_.require(label_ + "margin", same,
                    fmt::format("smallest margin {}, recorded {}", smallest_margin_, recorded));
    const Genotype genotype = derive_by_magnitude(space_, architecture_.host_weights(CellType::kNormal),
                                                  architecture_.host_weights(CellType::kReduction));
    report_.require(label_ + "genotype",
                    genotype == genotype_from_text(trace.at("genotype").get<std::string>(), "selection.json"),
                    "another genotype: " + to_text(genotype));
  }

  // The smallest difference between the two best recorded scores of an edge.
  double recorded_margin(const Json& trace, const std::string& criterion) const {
    double smallest = std::numeric_limits<double>::infinity();
    for (const Json& event : trace.at("events")) {
      std::vector<double> values = numbers_of(event.at(criterion), criterion);
      if (event.at("kind") != "edge" || values.size() < 2) continue;
      std::sort(values.begin(), values.end());
      const std::size_t last = values.size() - 1;
      smallest = std::min(
          smallest, criterion_ == Criterion::kLoss ? values[last] - values[last - 1] : values[1] - values[0]);
    }
    return smallest;
  }

  void compare_scores(const std::vector<Score>& scores, const Json& event) {
    std::vector<double> losses, accuracies;
    for (const Score& score : scores) {
      losses.push_back(score.loss);
      accuracies.push_back(100 * score.accuracy);
      largest_loss_ = std::max(largest_loss_, score.loss);
    }
    report_.compare(label_ + "losses", losses, numbers_of(event.at("loss"), "loss"), kValueTolerance);
    report_.compare(label_ + "accuracies", accuracies, numbers_of(event.at("accuracy"), "accuracy"),
                    kValueTolerance);
  }

  // The difference below which a choice by loss may go either way.
  bool decided(double margin, double loss) const {
    return criterion_ == Criterion::kAccuracy || margin > 2 * kValueTolerance * loss;
  }

  void follow_edge(const Json& event, CellType type, int edge) {
    const Json& names = event.at("candidates");
    const auto& candidates = space_.of(type)[static_cast<std::size_t>(edge)];
    if (names.size() != candidates.size())
      fail("selection.json: edge {} has {} candidates", edge, candidates.size());
    std::vector<Score> scores;
    for (std::size_t o = 0; o < candidates.size(); ++o) {
      if (operation_index(type, edge, names.at(o).get<std::string>(), "selection.json") !=
          static_cast<int>(o)) {
        fail("selection.json: the candidates of edge {} stand in another order", edge);
      }
      scores.push_back(masked_score({Mask{type, edge, static_cast<int>(o)}}));
    }
    compare_scores(scores, event);
    const std::vector<int> ranked = rank_edges(scores, criterion_, Ties::kFirst);
    const Score& best = scores[static_cast<std::size_t>(ranked[0])];
    if (ranked.size() > 1) {
      const double margin = margin_between(best, scores[static_cast<std::size_t>(ranked[1])], criterion_);
      smallest_margin_ = std::min(smallest_margin_, criterion_ == Criterion::kLoss ? margin : 100 * margin);
      const std::string ours =
          names.at(static_cast<std::size_t>(choose_operation(scores, criterion_, Ties::kFirst)))
              .get<std::string>();
      const std::string theirs = event.at("chosen").get<std::string>();
      report_.require(label_ + "choices", ours == theirs || !decided(margin, best.loss),
                      fmt::format("{} edge {}: {}, recorded {}", name_of(type), edge, ours, theirs));
    }
    architecture_.decide(
        type, edge, operation_index(type, edge, event.at("chosen").get<std::string>(), "selection.json"));
  }

  // Rounds of elimination: the candidates of all rounds stand one after the other.
  void follow_node(const Json& event, CellType type, int node) {
    if (node < 1 || node >= space_.nodes) fail("selection.json: there is no node {}", node - 1);
    const std::vector<double> recorded = numbers_of(event.at("candidates"), "candidates");
    const std::vector<double> chosen = numbers_of(event.at("chosen"), "chosen");
    std::vector<int> left = space_.edges_into(node);
    std::vector<Score> all;
    std::size_t at = 0;
    while (left.size() > 2) {
      std::vector<Score> scores;
      for (const int edge : left) {
        if (at >= recorded.size() || recorded[at++] != edge)
          fail("selection.json: node {}: other edges were tried", node - 1);
        scores.push_back(masked_score({Mask{type, edge, std::nullopt}}));
      }
      all.insert(all.end(), scores.begin(), scores.end());
      left.erase(left.begin() + recorded_removal(scores, left, recorded, at, chosen, type, node));
    }
    if (at != recorded.size()) fail("selection.json: node {}: more edges were tried than expected", node - 1);
    compare_scores(all, event);
    if (chosen.size() != 2 || left[0] != chosen[0] || left[1] != chosen[1]) {
      fail("selection.json: node {}: the chosen edges are not those left by its rounds", node - 1);
    }
    for (const int edge : space_.edges_into(node)) {
      if (std::find(left.begin(), left.end(), edge) == left.end()) architecture_.remove(type, edge);
    }
  }

  // Position in `left` of the edge that the recorded trace removed in this round, compared with ours.
  std::ptrdiff_t recorded_removal(const std::vector<Score>& scores, const std::vector<int>& left,
                                  const std::vector<double>& recorded, std::size_t at,
                                  const std::vector<double>& chosen, CellType type, int node) {
    std::vector<double> next(
        recorded.begin() + static_cast<std::ptrdiff_t>(at),
        recorded.begin() + static_cast<std::ptrdiff_t>(std::min(recorded.size(), at + left.size() - 1)));
    if (left.size() == 3) next = chosen;  // after the last round two are left
    const auto gone = std::find_if(left.begin(), left.end(), [&](int edge) {
      return std::find(next.begin(), next.end(), static_cast<double>(edge)) == next.end();
    });
    if (gone == left.end()) fail("selection.json: node {}: no edge was removed in a round", node - 1);
    const int ours = edge_to_remove(scores, criterion_, Ties::kFirst);
    const std::vector<int> ranked = rank_edges(scores, criterion_, Ties::kFirst);
    const Score& last = scores[static_cast<std::size_t>(ranked.back())];
    const double margin =
        margin_between(scores[static_cast<std::size_t>(ranked[ranked.size() - 2])], last, criterion_);
    report_.require(label_ + "choices", ours == gone - left.begin() || !decided(margin, last.loss),
                    fmt::format("{} node {}: edge {} goes, recorded {}", name_of(type), node,
                                left[static_cast<std::size_t>(ours)], *gone));
    return gone - left.begin();
  }

  const ParityCase& case_;
  ParityReport& report_;
  Engine engine_;
  SearchSpace space_;
  std::shared_ptr<Supernet> network_;
  Architecture architecture_;
  ParityImages batch_;
  Criterion criterion_ = Criterion::kAccuracy;
  std::string label_;
  double smallest_margin_ = 0, largest_loss_ = 0;
};

}  // namespace

void compare_supernet(const ParityCase& parity_case, Engine engine, ParityReport& report) {
  SupernetParity(parity_case, engine, report).run();
}

}  // namespace ptnas
