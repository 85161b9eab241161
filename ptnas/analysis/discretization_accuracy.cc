#include "ptnas/analysis/discretization_accuracy.h"

#include <cmath>

#include "ptnas/analysis/statistics.h"
#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/core/random.h"
#include "ptnas/search/search_table.h"
#include "ptnas/select/convergence.h"

namespace ptnas {

namespace {

void stop_within_trial() {
  if (interrupt_requested())
    throw Interrupted("interrupted; every operation measured so far is saved: give the same command again");
}

class Trials {
 public:
  Trials(SupernetTrainer& trainer, const std::filesystem::path& supernet, const SelectOptions& options)
      : trainer_(trainer),
        supernet_(supernet),
        options_(options),
        method_(make_search_method(trainer.options().method)) {}

  Json begin(const EdgeOf& edge) {
    load_supernet(supernet_, trainer_);
    const SearchSpace& space = trainer_.network().space();
    Json entry = Json::object();
    entry["cell"] = std::string(name_of(edge.type));
    entry["edge"] = edge.edge;
    entry["from"] = space.edge(edge.edge).from;
    entry["node"] = space.edge(edge.edge).node;
    entry["alpha"] = trainer_.architecture().softmax(edge.type)[static_cast<std::size_t>(edge.edge)];
    entry["operations"] = Json::array();
    return entry;
  }

  Json run(const EdgeOf& edge, int operation, const std::string& name) {
    load_supernet(supernet_, trainer_);
    trainer_.renew_sgd();
    trainer_.architecture().decide(edge.type, edge.edge, operation);
    Evaluation now = trainer_.evaluate_validation(stop_within_trial);
    const double before = now.top1();
    std::vector<double> accuracies;
    EpochProgress progress;
    // Tuning epochs number on from the search's, so that their batches are new ones.
    progress.epoch = trainer_.options().epochs;
    while (!has_converged(accuracies, before, options_)) {
      trainer_.run_epoch(*method_, options_.tune_learning_rate, progress, "tuning",
                         fmt::format("edge {}, {}, epoch {}", edge.edge, name, accuracies.size() + 1),
                         stop_within_trial);
      now = trainer_.evaluate_validation(stop_within_trial);
      accuracies.push_back(now.top1());
      progress = EpochProgress{progress.epoch + 1, 0, 0, 0, 0};
    }
    Json entry = Json::object();
    entry["operation"] = name;
    entry["accuracy_before_tuning"] = before;
    entry["accuracy"] = now.top1();
    entry["loss"] = now.loss;
    entry["epochs"] = accuracies.size();
    log_info("{} edge {}, {}: {:.2f} %", name_of(edge.type), edge.edge, name, 100 * now.top1());
    return entry;
  }

 private:
  SupernetTrainer& trainer_;
  std::filesystem::path supernet_;
  const SelectOptions& options_;
  std::unique_ptr<SearchMethod> method_;
};

// First of equals.
std::string largest(const Json& operations, const char* key) {
  const Json* best = &operations.at(0);
  for (const Json& one : operations) {
    if (one.at(key).get<double>() > best->at(key).get<double>()) best = &one;
  }
  return best->at("operation").get<std::string>();
}

void conclude(Json& entry) {
  std::vector<double> alpha, accuracy;
  for (const Json& one : entry["operations"]) {
    alpha.push_back(one["alpha"].get<double>());
    accuracy.push_back(one["accuracy"].get<double>());
  }
  const double correlation = rank_correlation(alpha, accuracy);
  entry["rank_correlation"] = std::isfinite(correlation) ? Json(correlation) : Json(nullptr);
  entry["alpha_choice"] = largest(entry["operations"], "alpha");
  entry["best"] = largest(entry["operations"], "accuracy");
  entry["agree"] = entry["alpha_choice"] == entry["best"];
}

}  // namespace

std::vector<EdgeOf> all_edges(const SearchSpace& space) {
  std::vector<EdgeOf> all;
  for (const CellType type : space.cell_types()) {
    for (int edge = 0; edge < space.edge_count(); ++edge) all.push_back({type, edge});
  }
  return all;
}

std::vector<EdgeOf> random_edges(const SearchSpace& space, std::int64_t count, std::uint64_t seed) {
  const std::vector<EdgeOf> all = all_edges(space);
  if (count < 1 || count > static_cast<std::int64_t>(all.size()))
    fail_usage("expected 1 to {} edges of space {}, found {}", all.size(), space.name, count);
  std::vector<EdgeOf> chosen;
  const auto order = permutation(all.size(), RandomStream(seed, Purpose::kAnalysedEdges));
  for (std::int64_t i = 0; i < count; ++i)
    chosen.push_back(all[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  return chosen;
}

Json measure_discretization(SupernetTrainer& trainer, const std::filesystem::path& supernet,
                            const std::vector<EdgeOf>& edges, const SelectOptions& options, Json done,
                            const std::function<void(const Json&)>& save) {
  Trials trials(trainer, supernet, options);
  Json result = done.is_null() ? Json::array() : std::move(done);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const EdgeOf& edge = edges[i];
    if (result.size() == i) result.push_back(trials.begin(edge));
    Json& entry = result.at(i);
    if (entry.at("cell").get<std::string>() != name_of(edge.type) || entry.at("edge").get<int>() != edge.edge)
      fail("the saved result is of other edges; remove it, or give the options it was made with");
    const auto& candidates = trainer.network().space().of(edge.type)[static_cast<std::size_t>(edge.edge)];
    while (entry["operations"].size() < candidates.size()) {
      const std::size_t operation = entry["operations"].size();
      Json trial = trials.run(edge, static_cast<int>(operation), std::string(name_of(candidates[operation])));
      trial["alpha"] = entry["alpha"].at(operation);
      entry["operations"].push_back(std::move(trial));
      if (entry["operations"].size() == candidates.size()) conclude(entry);
      save(result);
    }
  }
  return result;
}

}  // namespace ptnas
