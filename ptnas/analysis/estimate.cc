#include "ptnas/analysis/estimate.h"

#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/network/caching_allocator.h"
#include "ptnas/network/derived_network.h"
#include "ptnas/search/search_table.h"
#include "ptnas/select/decision_order.h"
#include "ptnas/select/scoring.h"
#include "ptnas/space/derive.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

namespace {

constexpr int kSteps = 3;

// Median seconds of a few calls after one that is not counted.
double time_of(const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int i = 0; i <= kSteps; ++i) {
    if (interrupt_requested())
      throw Interrupted("interrupted before the first step; give the same command again");
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin() + 1, seconds.end());
  return seconds[1 + kSteps / 2];
}

// The supernet's steps, in a trainer of their own.
class SupernetTimes {
 public:
  SupernetTimes(const Dataset& dataset, const DataOptions& data, const SearchOptions& search,
                const SelectOptions& select, const RuntimeOptions& runtime)
      : dataset_(dataset),
        select_(select),
        trainer_(dataset, data, search, runtime),
        method_(make_search_method(search.method)),
        batch_(search.batch) {}

  std::size_t train_images() const { return trainer_.halves().train.size(); }
  std::size_t validation_images() const { return trainer_.halves().validation.size(); }

  double iteration() {
    const Batch train = batch_of(trainer_.halves().train, batch_);
    const Batch validation =
        method_->trains_alpha() ? batch_of(trainer_.halves().validation, batch_) : Batch{};
    return time_of([&] { method_->step(trainer_, train, validation); });
  }
  double evaluation() {
    const Batch batch = batch_of(trainer_.halves().validation, kEvaluationBatch);
    const torch::NoGradGuard no_grad;
    trainer_.network().eval();
    return time_of(
        [&] { trainer_.network().forward(batch.images, trainer_.architecture().weights(false), {}); });
  }
  // All candidates of the edge in the middle and the supernet as it stands, the mean over the cell types.
  double scoring() {
    const Batch batch = batch_of(trainer_.halves().validation, select_.scoring_batch);
    const torch::NoGradGuard no_grad;
    trainer_.network().train();
    const FrozenStatistics frozen(trainer_.network());
    double seconds = 0;
    const auto types = space().cell_types();
    for (const CellType type : types) {
      const int edge = space().edge_count() / 2;
      const auto& candidates = space().of(type)[static_cast<std::size_t>(edge)];
      std::vector<ArchitectureWeights> weights = {trainer_.architecture().weights(false)};
      for (int o = 0; o < static_cast<int>(candidates.size()); ++o)
        weights.push_back(trainer_.architecture().weights(false, {{type, edge, o}}));
      seconds += time_of([&] { trainer_.network().forward_many(batch.images, weights, {}); }) /
                 static_cast<double>(types.size());
    }
    return seconds;
  }
  void decide_all() {
    for (const CellType type : space().cell_types()) {
      for (int e = 0; e < space().edge_count(); ++e) {
        // The first operation, but not `none`.
        const auto& candidates = space().of(type)[static_cast<std::size_t>(e)];
        const auto none = candidates.front() == OperationKind::kNone && candidates.size() > 1 ? 1 : 0;
        trainer_.architecture().decide(type, e, none);
      }
    }
  }
  Genotype genotype() const {
    return derive_by_magnitude(space(), trainer_.architecture().softmax(CellType::kNormal),
                               trainer_.architecture().softmax(CellType::kReduction));
  }
  const SearchSpace& space() const { return trainer_.architecture().space(); }
  // One for each candidate of an edge that has several, then for each input of a node and for those it keeps.
  std::size_t discretization_trials() const {
    std::size_t trials = 0;
    for (const CellType type : space().cell_types()) {
      for (const auto& candidates : space().of(type)) trials += candidates.size() > 1 ? candidates.size() : 0;
      for (int node = 1; keeps_two_edges(space().family) && node < space().nodes; ++node)
        trials += space().edges_into(node).size() + 1;
    }
    return trials;
  }

 private:
  Batch batch_of(const std::vector<std::int64_t>& indices, std::int64_t size) const {
    return make_batch(dataset_, ordered_pass(Part::kTrain, indices, size)(0), trainer_.format());
  }

  const Dataset& dataset_;
  SelectOptions select_;
  SupernetTrainer trainer_;
  std::unique_ptr<SearchMethod> method_;
  std::int64_t batch_;
};

void estimate_supernet(SupernetTimes& times, const SearchOptions& search, const SelectOptions& select,
                       RunEstimate& estimate) {
  const auto validation = static_cast<std::int64_t>(times.validation_images());
  const auto iterations =
      static_cast<double>(batch_count(static_cast<std::int64_t>(times.train_images()), search.batch));
  const auto evaluations = static_cast<double>(batch_count(validation, kEvaluationBatch));
  const auto scorings = static_cast<double>(batch_count(validation, select.scoring_batch));
  estimate.iteration_s = times.iteration();
  estimate.scoring_s = times.scoring();
  const double evaluation = times.evaluation();
  const double epoch = iterations * estimate.iteration_s + evaluations * evaluation;
  estimate.search_s = static_cast<double>(search.epochs) * epoch;
  if (search.method == "sgas" || select.selection == "magnitude" || select.selection == "random") return;

  times.decide_all();
  const double decided_epoch = iterations * times.iteration() + evaluations * times.evaluation();
  const double tuning_epoch = (epoch + decided_epoch) / 2;
  const double scoring = scorings * (estimate.scoring_s + times.scoring()) / 2;
  if (select.selection == "discretization") {
    const auto epochs = static_cast<double>(select.converged_epochs);
    estimate.selection_s = static_cast<double>(times.discretization_trials()) * epochs * tuning_epoch;
    return;
  }
  const std::size_t decisions = decision_order(times.space(), {}, 0).size();
  double tuned = 0;
  for (std::size_t taken = 1; taken <= decisions; ++taken)
    tuned += static_cast<double>(tuning_epochs_after(times.space(), taken, decisions, select.tune_epochs));
  const double scored = select.selection == "perturbation" ? scoring : 0;
  estimate.selection_s =
      tuned * tuning_epoch + static_cast<double>(decisions) * (scored + evaluations * evaluation);
}

void estimate_retraining(const Dataset& dataset, const Genotype& genotype, const DataOptions& data,
                         const TrainOptions& train, const RuntimeOptions& runtime, RunEstimate& estimate) {
  const DatasetInfo& info = dataset.info();
  DerivedNetwork network(
      genotype,
      {static_cast<int>(train.channels), static_cast<int>(train.cells), static_cast<int>(info.classes.size()),
       info.channels, info.height, info.width, stem_from_name(train.stem)},
      train.auxiliary_weight > 0, engine_of(runtime));
  initialise(network, static_cast<std::uint64_t>(runtime.seed));
  put_in_format(network, memory_format_of(runtime.memory_format));
  network.to(torch::Device(runtime.device));
  const std::vector<std::int64_t> indices = training_indices(dataset, data.limit);
  const Batch batch = make_batch(dataset, ordered_pass(Part::kTrain, indices, train.batch)(0),
                                 memory_format_of(runtime.memory_format));
  estimate.retraining_step_s = time_of([&] {
    network.zero_grad();
    const auto output =
        network.forward(batch.images.to(torch::Device(runtime.device)), train.drop_path / 2, {});
    torch::Tensor loss =
        torch::cross_entropy_loss(output.logits, batch.labels.to(torch::Device(runtime.device)));
    if (output.auxiliary.defined()) loss = loss + output.auxiliary.sum() * 0;
    loss.backward();
  });
  const auto steps = static_cast<double>(batch_count(static_cast<std::int64_t>(indices.size()), train.batch));
  // An evaluation pass costs about a third of a step an image.
  const double test = static_cast<double>(dataset.size(Part::kTest)) / static_cast<double>(train.batch) / 3 /
                      static_cast<double>(train.evaluate_every);
  estimate.retraining_s = static_cast<double>(train.epochs) * (steps + test) * estimate.retraining_step_s;
}

}  // namespace

RunEstimate estimate_run(const Dataset& dataset, const DataOptions& data, const SearchOptions& search,
                         const SelectOptions& select, const TrainOptions& train,
                         const RuntimeOptions& runtime) {
  RunEstimate estimate;
  reset_peak_bytes();
  SupernetTimes times(dataset, data, search, select, runtime);
  const Genotype genotype = times.genotype();
  estimate_supernet(times, search, select, estimate);
  estimate_retraining(dataset, genotype, data, train, runtime, estimate);
  estimate.peak_bytes = peak_bytes();
  return estimate;
}

Json to_json(const RunEstimate& estimate) {
  Json json = Json::object();
  json["iteration_s"] = estimate.iteration_s;
  json["scoring_s"] = estimate.scoring_s;
  json["retraining_step_s"] = estimate.retraining_step_s;
  json["search_s"] = estimate.search_s;
  json["selection_s"] = estimate.selection_s;
  json["retraining_s"] = estimate.retraining_s;
  json["peak_bytes"] = estimate.peak_bytes;
  return json;
}

std::string summary_of(const RunEstimate& estimate) {
  return fmt::format("search {}, selection {}, retraining {}; memory {:.1f} GB",
                     format_duration(estimate.search_s), format_duration(estimate.selection_s),
                     format_duration(estimate.retraining_s), static_cast<double>(estimate.peak_bytes) / 1e9);
}

}  // namespace ptnas
