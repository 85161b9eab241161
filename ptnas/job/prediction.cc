#include "ptnas/job/prediction.h"

#include <torch/utils.h>

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/run_directory.h"
#include "ptnas/data/batch.h"
#include "ptnas/export/exported_model.h"
#include "ptnas/job/session.h"
#include "ptnas/train/evaluation.h"
#include "ptnas/train/model.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

class ModelPredictor final : public Predictor {
 public:
  ModelPredictor(const fs::path& path, const RuntimeOptions& runtime)
      : model_(load_model(path, engine_of(runtime))), seed_(runtime.seed), device_(runtime.device) {
    model_.network->to(device_);
    put_in_format(*model_.network, memory_format_of(runtime.memory_format));
    model_.network->eval();
    // Models of older versions do not tell; their run does.
    const fs::path data = path.parent_path() / RunDirectory::kData;
    std::error_code none;
    if (model_.info.name.empty() && fs::exists(data, none))
      model_.info.name = read_json(data).value("name", "");
  }
  const DatasetInfo& info() const override { return model_.info; }
  torch::Tensor logits(const torch::Tensor& images, std::int64_t batch) override {
    return evaluation_logits(*model_.network, images.to(device_), seed_, batch).to(torch::kCPU);
  }

 private:
  Model model_;
  std::int64_t seed_;
  torch::Device device_;
};

class ExportedPredictor final : public Predictor {
 public:
  explicit ExportedPredictor(std::unique_ptr<ExportedModel> exported)
      : exported_(std::move(exported)), info_(exported_->card().info) {
    if (!exported_->card().normalises) return;
    info_.mean.assign(info_.mean.size(), 0);
    info_.deviation.assign(info_.deviation.size(), 1);
  }
  const DatasetInfo& info() const override { return info_; }
  torch::Tensor logits(const torch::Tensor& images, std::int64_t) override {
    torch::Tensor logits = exported_->run(images);
    if (logits.dim() != 2 || logits.size(0) != images.size(0) ||
        logits.size(1) != static_cast<std::int64_t>(info_.classes.size()))
      fail("the exported network gives other results than one number for each of its {} classes",
           info_.classes.size());
    return logits;
  }

 private:
  std::unique_ptr<ExportedModel> exported_;
  DatasetInfo info_;
};

// The file that `path` stands for.
fs::path network_file(const fs::path& path) {
  std::error_code none;
  if (!fs::exists(path, none))
    fail("expected a run directory or a network's file at {}, found none", path.string());
  if (!fs::is_directory(path, none)) return path;
  return trained_model_file(RunDirectory::open_for_reading(path));
}

}  // namespace

std::unique_ptr<Predictor> open_predictor(const fs::path& path, const RuntimeOptions& runtime) {
  const fs::path file = network_file(path);
  const std::string bytes = read_file(file);
  if (bytes.size() > 8 && bytes[8] == '{') return std::make_unique<ModelPredictor>(file, runtime);
  const ExportFormat* format = export_format_of(bytes);
  if (format == nullptr) {
    fail(
        "{} is no network; expected a run directory, its model.safetensors, or a file that ptnas export "
        "wrote",
        file.string());
  }
  return std::make_unique<ExportedPredictor>(format->read(bytes, file.string()));
}

torch::Tensor predict(Predictor& predictor, const ImageFiles& images, std::int64_t batch, int loader_threads,
                      const RuntimeOptions& runtime) {
  const torch::NoGradGuard no_grad;
  const std::vector<std::int64_t> indices = all_indices(images, Part::kTest);
  const auto count = static_cast<std::int64_t>(indices.size());
  // A few images are shared out among the threads too.
  const std::int64_t size = std::clamp<std::int64_t>((count + loader_threads - 1) / loader_threads, 1, batch);
  const std::int64_t batches = batch_count(count, size);
  BatchStream stream(images, ordered_pass(Part::kTest, indices, size), 0, batches,
                     memory_format_of(runtime.memory_format), loader_threads);
  std::vector<torch::Tensor> results;
  for (std::int64_t number = 0; number < batches; ++number)
    results.push_back(predictor.logits(stream.next()->images, number).softmax(1));
  return torch::cat(results);
}

}  // namespace ptnas
