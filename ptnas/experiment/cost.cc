#include "ptnas/experiment/cost.h"

#include <algorithm>

#include "ptnas/analysis/estimate.h"
#include "ptnas/space/count.h"

namespace ptnas {

namespace {

NetworkShape shape_of(int channels, int cells, const DataSize& size) {
  NetworkShape shape;
  shape.channels = channels;
  shape.cells = cells;
  shape.classes = size.classes;
  shape.image_channels = size.channels;
  shape.height = size.height;
  shape.width = size.width;
  return shape;
}

// Passes over the supernet that an iteration makes, an image of the training half, counted in forward passes.
double passes_of(const std::string& method) {
  if (method == "fixed-alpha") return 3;
  if (method == "darts-second-order") return 15;
  if (method == "sdarts-adv") return 6 + 7 * 3;
  return 6;
}

double supernet_work(const Configuration& c, const DataSize& size) {
  const SearchSpace space = make_space(c.search.space, static_cast<int>(c.search.nodes), c.search.with_none);
  return static_cast<double>(supernet_multiply_adds(
      space, shape_of(static_cast<int>(c.search.channels), static_cast<int>(c.search.cells), size)));
}

double searched_images(const Configuration& c, const DataSize& size) {
  double images = size.train;
  for (const std::int64_t limit : {c.data.limit, c.data.search_limit})
    if (limit > 0) images = std::min(images, static_cast<double>(limit));
  return images;
}

double epoch_work(const Configuration& c, const DataSize& size) {
  const double images = searched_images(c, size), train = images * c.data.train_portion;
  return supernet_work(c, size) * (train * passes_of(c.search.method) + (images - train));
}

double selection_work(const Configuration& c, const DataSize& size) {
  const std::string& selection = c.select.selection;
  if (selection == "magnitude" || selection == "random" || c.search.method == "sgas") return 0;
  const SearchSpace space = make_space(c.search.space, static_cast<int>(c.search.nodes), c.search.with_none);
  const double types = static_cast<double>(space.cell_types().size());
  const double operations = types * space.edge_count();
  const double events = operations + (keeps_two_edges(space.family) ? types * (space.nodes - 1) : 0);
  const double validation = searched_images(c, size) * (1 - c.data.train_portion) * supernet_work(c, size);
  // By the middle of the selection half of the operations are gone; both cells are decided between tunings.
  if (selection == "discretization")
    return 3 * operations * static_cast<double>(c.select.converged_epochs) * epoch_work(c, size) / 2;
  const double tuning = events / types * static_cast<double>(c.select.tune_epochs) * epoch_work(c, size) / 2;
  return tuning + (selection == "perturbation" ? events * validation * 1.5 : events * validation / 2);
}

Genotype convolutions(const SearchSpace& space) {
  if (space.family == Family::kNasBench201) {
    Nb201Architecture architecture;
    architecture.operations.fill(Nb201Operation::kNorConv3x3);
    return genotype_of(architecture);
  }
  Genotype genotype;
  for (auto& cell : genotype.cells)
    for (int node = 0; node < space.nodes; ++node)
      cell.push_back({{OperationKind::kSepConv3x3, 0}, {OperationKind::kSepConv3x3, 1}});
  return genotype;
}

double training_work(const Configuration& c, const DataSize& size) {
  const SearchSpace space = make_space(c.search.space, static_cast<int>(c.search.nodes), c.search.with_none);
  NetworkShape shape = shape_of(static_cast<int>(c.train.channels), static_cast<int>(c.train.cells), size);
  shape.stem = stem_from_name(c.train.stem);
  const auto network = static_cast<double>(count_network(convolutions(space), shape).multiply_adds);
  const double images =
      c.data.limit > 0 ? std::min(size.train, static_cast<double>(c.data.limit)) : size.train;
  return static_cast<double>(c.train.epochs) * network *
         (3 * images + size.test / static_cast<double>(c.train.evaluate_every));
}

}  // namespace

DataSize size_of_data(const DataOptions& data) {
  const std::string name = data.data.substr(0, data.data.find(':'));
  if (name == "cifar10") return {50000, 10000, 10, 3, 32, 32};
  if (name == "cifar100") return {50000, 10000, 100, 3, 32, 32};
  if (name == "svhn") return {73257, 26032, 10, 3, 32, 32};
  if (name == "imagenet16-120") return {151700, 6000, 120, 3, 16, 16};
  if (name == "fashion-mnist") return {60000, 10000, 10, 1, 28, 28};
  if (name == "imagenet") {
    const int side = data.image_size > 0 ? static_cast<int>(data.image_size) : 224;
    return {1281167, 50000, 1000, 3, side, side};
  }
  const std::unique_ptr<Dataset> dataset = open_dataset(data);
  const DatasetInfo& info = dataset->info();
  return {static_cast<double>(dataset->size(Part::kTrain)),
          static_cast<double>(dataset->size(Part::kTest)),
          static_cast<int>(info.classes.size()),
          info.channels,
          info.height,
          info.width};
}

double work_of(const PlannedRun& run, const DataSize& size) {
  const Configuration& c = run.configuration;
  if (run.stage == "search") return static_cast<double>(c.search.epochs) * epoch_work(c, size);
  if (run.stage == "train") return training_work(c, size);
  if (run.stage == "measure")
    return run.trials * static_cast<double>(c.select.converged_epochs) * epoch_work(c, size);
  return selection_work(c, size);
}

CostModel CostModel::measured(const Study& study) {
  CostModel model;
  const auto first = std::find_if(study.runs().begin(), study.runs().end(), [&](const PlannedRun& run) {
    return run.stage == "search" && !study.finished(run.name);
  });
  if (first == study.runs().end()) return model;
  Configuration c = first->configuration;
  c.select.selection = "perturbation";
  const std::unique_ptr<Dataset> dataset = open_dataset(c.data);
  configure_threads(c.runtime);
  const RunEstimate estimate = estimate_run(*dataset, c.data, c.search, c.select, c.train, c.runtime);
  const DataSize size = size_of_data(c.data);
  if (estimate.search_s > 0)
    model.search_rate_ = static_cast<double>(c.search.epochs) * epoch_work(c, size) / estimate.search_s;
  model.select_rate_ = model.search_rate_;
  if (estimate.selection_s > 0) model.select_rate_ = selection_work(c, size) / estimate.selection_s;
  if (estimate.retraining_s > 0) model.train_rate_ = training_work(c, size) / estimate.retraining_s;
  return model;
}

double CostModel::seconds(const PlannedRun& run, const DataSize& size) const {
  const double rate = run.stage == "search"  ? search_rate_
                      : run.stage == "train" ? train_rate_
                                             : select_rate_;
  return work_of(run, size) / rate;
}

}  // namespace ptnas
