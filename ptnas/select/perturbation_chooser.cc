#include "ptnas/select/perturbation_chooser.h"

#include "ptnas/select/event_scorer.h"

namespace ptnas {

namespace {

class PerturbationChooser final : public OperationChooser {
 public:
  explicit PerturbationChooser(const SelectOptions& options) : options_(options) {}

  Json description() const override {
    Json description = Json::object();
    description["selection"] = options_.selection;
    description["criterion"] = options_.criterion;
    description["ties"] = options_.ties;
    description["scoring-images"] = options_.scoring_images;
    description["scoring-updates-statistics"] = options_.scoring_updates_statistics;
    description["scoring-batch"] = options_.scoring_batch;
    if (options_.scoring != "exact") {  // which goes without saying
      description["scoring"] = options_.scoring;
      description["confidence"] = options_.confidence;
    }
    return description;
  }

  int choose(SupernetTrainer& trainer, CellType type, int edge, std::int64_t number, Json& measured,
             const std::function<void()>& between_batches) const override {
    const auto& candidates = trainer.architecture().space().of(type)[static_cast<std::size_t>(edge)];
    std::vector<int> operations;
    for (std::size_t o = 0; o < candidates.size(); ++o) {
      if (candidates[o] != OperationKind::kNone) operations.push_back(static_cast<int>(o));
    }
    if (operations.size() == 1) return operations.front();
    EventScorer scorer(trainer, options_, static_cast<std::size_t>(number),
                       fmt::format("scoring edge {} of the {} cell", edge, name_of(type)),
                       static_cast<std::int64_t>(operations.size()) + 1, between_batches);
    return choose_by_perturbation(scorer, trainer, options_, type, edge, operations, measured);
  }

 private:
  SelectOptions options_;
};

}  // namespace

std::unique_ptr<OperationChooser> make_operation_chooser(const SelectOptions& options) {
  if (options.selection != "perturbation") return nullptr;
  return std::make_unique<PerturbationChooser>(options);
}

}  // namespace ptnas
