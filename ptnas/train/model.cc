#include "ptnas/train/model.h"

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/io/state.h"

namespace ptnas {

namespace {

constexpr const char* kModelFormat = "ptnas-model";
constexpr int kModelVersion = 1;

// The first few.
std::string class_list(const std::vector<std::string>& classes) {
  constexpr std::size_t kShown = 5;
  const auto end = classes.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, classes.size()));
  return fmt::format("{}{}", fmt::join(classes.begin(), end, ", "), classes.size() > kShown ? ", .." : "");
}

void check_fit(const std::filesystem::path& path, int channels, const std::vector<std::string>& classes,
               const DatasetInfo& info) {
  if (channels != info.channels) {
    fail("{} expects images of {} channels, those of {} have {}; give the data set it was trained on",
         path.string(), channels, info.name, info.channels);
  }
  if (classes != info.classes) {
    fail("{} tells {} classes ({}) apart, {} has {} ({}); give the data set it was trained on", path.string(),
         classes.size(), class_list(classes), info.name, info.classes.size(), class_list(info.classes));
  }
}

// What a model's file says of the images it was trained on.
DatasetInfo info_of(const Json& values, const std::filesystem::path& path) {
  DatasetInfo info;
  info.name = values.value("data", "");
  info.classes = values.at("classes").get<std::vector<std::string>>();
  info.mean = values.at("mean").get<std::vector<double>>();
  info.deviation = values.at("deviation").get<std::vector<double>>();
  const auto image = values.at("image").get<std::vector<int>>();
  if (image.size() != 3 || info.mean.size() != static_cast<std::size_t>(image[0]) ||
      info.deviation.size() != info.mean.size()) {
    fail("{} is damaged: its image shape, mean and deviation do not go together", path.string());
  }
  info.channels = image[0];
  info.height = image[1];
  info.width = image[2];
  return info;
}

// `data`: of the images it will see; nullptr for those it was trained on.
Model load(const std::filesystem::path& path, const DatasetInfo* data, Engine engine) {
  const State state = load_state(path, kModelFormat, kModelVersion);
  Model model;
  try {
    const Json& values = state.values;
    model.info = info_of(values, path);
    if (data != nullptr) check_fit(path, model.info.channels, model.info.classes, *data);
    const DatasetInfo& seen = data != nullptr ? *data : model.info;
    const NetworkShape shape{values.at("channels").get<int>(),
                             values.at("cells").get<int>(),
                             static_cast<int>(seen.classes.size()),
                             seen.channels,
                             seen.height,
                             seen.width,
                             stem_from_name(values.value("stem", "cifar"))};
    model.network = std::make_shared<DerivedNetwork>(genotype_from_json(values.at("genotype"), path.string()),
                                                     shape, values.at("auxiliary").get<bool>(), engine);
  } catch (const nlohmann::json::exception& error) {
    fail("{} is not a model: {}", path.string(), error.what());
  }
  put_module(state, "", *model.network);
  return model;
}

}  // namespace

void save_model(const std::filesystem::path& path, const DerivedNetwork& network, const DatasetInfo& info) {
  State state;
  take_module(state, "", network);
  const NetworkShape& shape = network.shape();
  state.values["genotype"] = to_json(network.genotype());
  state.values["channels"] = shape.channels;
  state.values["cells"] = shape.cells;
  state.values["stem"] = std::string(name_of(shape.stem));
  state.values["image"] = {shape.image_channels, shape.height, shape.width};
  state.values["auxiliary"] = network.has_auxiliary();
  state.values["data"] = info.name;
  state.values["classes"] = info.classes;
  state.values["mean"] = info.mean;
  state.values["deviation"] = info.deviation;
  save_state(path, state, kModelFormat, kModelVersion);
}

std::filesystem::path trained_model_file(const RunDirectory& run) {
  if (run.has(RunDirectory::kModel)) return run.file(RunDirectory::kModel);
  fail("{0} has no trained network yet; finish its retraining first (ptnas train {0})", run.path().string());
}

Model load_model(const std::filesystem::path& path, Engine engine) { return load(path, nullptr, engine); }

Model load_model(const std::filesystem::path& path, const DatasetInfo& info, Engine engine) {
  return load(path, &info, engine);
}

// Noise, where a genotype has it, is drawn in evaluation too: from the range of evaluations.
torch::Tensor evaluation_logits(Classifier& network, const torch::Tensor& images, std::int64_t seed,
                                std::int64_t batch) {
  constexpr std::uint64_t kEvaluationSteps = std::uint64_t{1} << 42;
  const ForwardContext context{static_cast<std::uint64_t>(seed),
                               kEvaluationSteps + static_cast<std::uint64_t>(batch)};
  return network.forward(images, 0, context).logits;
}

torch::Tensor normalise_for(const Model& model, const torch::Tensor& images, const DatasetInfo& info) {
  const DatasetInfo& own = model.info;
  if (own.mean == info.mean && own.deviation == info.deviation) return images;
  const auto channels = static_cast<std::int64_t>(own.mean.size());
  const auto constants = [&](const std::vector<double>& values) {
    return torch::tensor(values, torch::kDouble).view({1, channels, 1, 1});
  };
  const torch::Tensor deviation = constants(own.deviation);
  const torch::Tensor scale = constants(info.deviation) / deviation,
                      shift = (constants(info.mean) - constants(own.mean)) / deviation;
  return images * scale.to(images.options()) + shift.to(images.options());
}

}  // namespace ptnas
