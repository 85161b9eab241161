#include "ptnas/job/export_job.h"

#include <torch/utils.h>

#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/data/batch.h"
#include "ptnas/export/network_graph.h"
#include "ptnas/train/evaluation.h"
#include "ptnas/train/model.h"

namespace ptnas {

namespace {

constexpr std::int64_t kComparedBatch = 16;

std::filesystem::path model_file(const RunDirectory& run, bool best) {
  const std::filesystem::path last = trained_model_file(run);
  if (!best) return last;
  const std::string name = "model.best.safetensors";
  if (run.has(name)) return run.file(name);
  fail("{} has no {}: it was trained without a held-out portion; leave out --best", run.path().string(),
       name);
}

// Images normalised by mean and deviation -> pixel / 255.
torch::Tensor pixels_of(const torch::Tensor& images, const DatasetInfo& info) {
  const auto constants = [](const std::vector<double>& values) {
    return torch::tensor(values, torch::kDouble).view({1, -1, 1, 1});
  };
  return (images.to(torch::kDouble) * constants(info.deviation) + constants(info.mean)).to(torch::kFloat);
}

// On validation images, in batches of several sizes: the last may be smaller.
void compare(const Model& model, ExportedModel& exported, const Dataset& dataset, const DataOptions& data,
             const ExportRequest& request, ExportReport& report) {
  const torch::NoGradGuard no_grad;
  model.network->eval();
  std::vector<std::int64_t> indices = search_halves(dataset, data).validation;
  if (static_cast<std::int64_t>(indices.size()) > request.images)
    indices.resize(static_cast<std::size_t>(request.images));
  report.images = static_cast<std::int64_t>(indices.size());
  const auto plan = ordered_pass(Part::kTrain, indices, kComparedBatch);
  for (std::int64_t b = 0; b < batch_count(report.images, kComparedBatch); ++b) {
    const Batch batch = make_batch(dataset, plan(b), torch::MemoryFormat::Contiguous);
    const torch::Tensor images = normalise_for(model, batch.images, dataset.info());
    const torch::Tensor found = exported.run(request.normalise ? pixels_of(images, model.info) : images);
    const torch::Tensor expected = evaluation_logits(*model.network, images, 0, b);
    report.difference.add(report.compared ? expected : found, found);
  }
}

void check_request(const ExportRequest& request) {
  if (request.images < 1) fail_usage("--images must be at least 1, not {}", request.images);
  if (!(request.tolerance >= 0) || !std::isfinite(request.tolerance))
    fail_usage("--tolerance must be a number from 0 on, not {}", request.tolerance);
}

void check_difference(const ExportReport& report, double tolerance) {
  if (report.difference.within(tolerance)) return;
  if (std::isinf(report.difference.largest))
    fail(
        "the exported network's results are not finite numbers of the right shape by {}; nothing was written",
        report.runtime);
  fail(
      "the exported network's logits differ by {:.3g} from the network's own on {} validation images by {}, "
      "more than --tolerance {:.3g} of the largest, {:.3g}; nothing was written",
      report.difference.largest, report.images, report.runtime, tolerance, report.difference.magnitude);
}

}  // namespace

ExportReport export_run(const RunDirectory& run, const Dataset& dataset, const Configuration& configuration,
                        const ExportRequest& request) {
  check_request(request);
  const ExportFormat& format = export_format(request.format);
  ExportReport report;
  report.file = request.output.empty() ? run.file(std::string(format.file_name)) : request.output;
  report.runtime = format.runtime();
  const Model model = load_model(model_file(run, request.best), dataset.info(), Engine::kPlain);
  DatasetInfo info = model.info;
  info.name = dataset.info().name;
  info.height = dataset.info().height;
  info.width = dataset.info().width;
  const ExportCard card{info, request.normalise, to_json(model.network->genotype())};
  const Graph graph =
      request.normalise ? graph_of(*model.network, info.mean, info.deviation) : graph_of(*model.network);
  report.compared = !graph.has_noise();
  const std::string bytes = format.write(graph, card);
  report.bytes = bytes.size();
  const std::unique_ptr<ExportedModel> exported = format.read(bytes, report.file.string());
  compare(model, *exported, dataset, configuration.data, request, report);
  check_difference(report, request.tolerance);
  write_file(report.file, bytes);
  return report;
}

}  // namespace ptnas
