#include "ptnas/experiment/discretized_edges.h"

#include "ptnas/analysis/discretization_accuracy.h"

namespace ptnas {

namespace {

constexpr const char* kTrialsDone = "trials.partial.json";

std::vector<EdgeOf> chosen_edges(const SearchSpace& space, std::int64_t count, std::uint64_t seed) {
  return count == kAllEdges ? all_edges(space) : random_edges(space, count, seed);
}

double trials_on(const std::vector<EdgeOf>& edges, const SearchSpace& space) {
  double trials = 0;
  for (const EdgeOf& edge : edges)
    trials += static_cast<double>(space.of(edge.type)[static_cast<std::size_t>(edge.edge)].size());
  return trials;
}

}  // namespace

std::string discretized_edges(Study& study, const std::string& searched, std::int64_t count) {
  const Configuration& planned = study.run(searched).configuration;
  const SearchSpace space =
      make_space(planned.search.space, static_cast<int>(planned.search.nodes), planned.search.with_none);
  const std::vector<EdgeOf> edges =
      chosen_edges(space, count, static_cast<std::uint64_t>(planned.runtime.seed));
  const auto measurement = [edges](const MeasureContext& c) {
    const Configuration& o = c.configuration;
    SupernetTrainer trainer(c.dataset, o.data, o.search, o.runtime);
    const Json done = c.run.has(kTrialsDone) ? read_json(c.run.file(kTrialsDone)) : Json();
    return measure_discretization(trainer, c.supernet.file(RunDirectory::kSupernet), edges, o.select, done,
                                  [&](const Json& so_far) { write_json(c.run.file(kTrialsDone), so_far); });
  };
  const std::string what = count == kAllEdges ? "all-edges" : fmt::format("{}-edges", count);
  return study.measure(searched, what, {}, measurement, trials_on(edges, space));
}

}  // namespace ptnas
