#include "ptnas/analysis/edge_strength.h"

#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/search/search_table.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

namespace {

constexpr const char* kPartial = "measurement.partial.json";

void stop_if_asked() {
  if (interrupt_requested())
    throw Interrupted("interrupted; every operation measured so far is saved: give the same command again");
}

double tuned_accuracy(SupernetTrainer& trainer, const SearchMethod& method, const Configuration& c) {
  EpochProgress progress;
  progress.epoch = c.search.epochs;  // batches that the search has not seen in this order
  for (std::int64_t epoch = 0; epoch < c.select.converged_epochs; ++epoch) {
    trainer.run_epoch(method, c.select.tune_learning_rate, progress, "tuning", "tuning", stop_if_asked);
    progress = EpochProgress{progress.epoch + 1, 0, 0, 0, 0};
  }
  return trainer.evaluate_validation(stop_if_asked).top1();
}

}  // namespace

Json measure_edge_strengths(const RunDirectory& supernet, RunDirectory& run, const Dataset& dataset,
                            const Configuration& c) {
  SupernetTrainer trainer(dataset, c.data, c.search, c.runtime);
  const std::unique_ptr<SearchMethod> method = make_search_method(c.search.method);
  const std::filesystem::path file = supernet.file(RunDirectory::kSupernet);
  load_supernet(file, trainer);
  Json record = run.has(kPartial) ? read_json(run.file(kPartial)) : Json::object();
  if (!record.contains("baseline")) {
    record["baseline"] = trainer.evaluate_validation(stop_if_asked).top1();
    record["edges"] = Json::array();
  }
  const SearchSpace space = trainer.network().space();
  std::size_t done = 0;
  for (const CellType type : space.cell_types()) {
    for (int edge = 0; edge < space.edge_count(); ++edge, ++done) {
      if (done < record["edges"].size()) continue;
      Json entry = {{"cell", std::string(name_of(type))},
                    {"edge", edge},
                    {"from", space.edge(edge).from},
                    {"node", space.edge(edge).node}};
      load_supernet(file, trainer);
      entry["alpha"] = trainer.architecture().softmax(type)[static_cast<std::size_t>(edge)];
      entry["operations"] = Json::array();
      entry["accuracy"] = Json::array();
      const auto& candidates = space.of(type)[static_cast<std::size_t>(edge)];
      for (std::size_t o = 0; o < candidates.size(); ++o) {
        load_supernet(file, trainer);
        trainer.renew_sgd();
        trainer.architecture().decide(type, edge, static_cast<int>(o));
        entry["operations"].push_back(std::string(name_of(candidates[o])));
        entry["accuracy"].push_back(tuned_accuracy(trainer, *method, c));
      }
      log_info("{} edge {}: discretization accuracy {}", name_of(type), edge, entry["accuracy"].dump());
      record["edges"].push_back(std::move(entry));
      write_json(run.file(kPartial), record);
    }
  }
  return record;
}

}  // namespace ptnas
