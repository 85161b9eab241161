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
  state.values["classes"] = info.classes;
  state.values["mean"] = info.mean;
  state.values["deviation"] = info.deviation;
  save_state(path, state, kModelFormat, kModelVersion);
}

Model load_model(const std::filesystem::path& path, const DatasetInfo& info, Engine engine) {
  const State state = load_state(path, kModelFormat, kModelVersion);
  Model model;
  try {
    const Json& values = state.values;
    const auto classes = values.at("classes").get<std::vector<std::string>>();
    const auto image = values.at("image").get<std::vector<int>>();
    model.mean = values.at("mean").get<std::vector<double>>();
    model.deviation = values.at("deviation").get<std::vector<double>>();
    if (image.size() != 3 || model.mean.size() != static_cast<std::size_t>(image[0]) ||
        model.deviation.size() != model.mean.size()) {
      fail("{} is damaged: its image shape, mean and deviation do not go together", path.string());
    }
    check_fit(path, image[0], classes, info);
    const NetworkShape shape{values.at("channels").get<int>(),
                             values.at("cells").get<int>(),
                             static_cast<int>(classes.size()),
                             info.channels,
                             info.height,
                             info.width,
                             stem_from_name(values.value("stem", "cifar"))};
    model.network = std::make_shared<DerivedNetwork>(genotype_from_json(values.at("genotype"), path.string()),
                                                     shape, values.at("auxiliary").get<bool>(), engine);
  } catch (const nlohmann::json::exception& error) {
    fail("{} is not a model: {}", path.string(), error.what());
  }
  put_module(state, "", *model.network);
  return model;
}

torch::Tensor normalise_for(const Model& model, const torch::Tensor& images, const DatasetInfo& info) {
  if (model.mean == info.mean && model.deviation == info.deviation) return images;
  const auto channels = static_cast<std::int64_t>(model.mean.size());
  const auto constants = [&](const std::vector<double>& values) {
    return torch::tensor(values, torch::kDouble).view({1, channels, 1, 1});
  };
  const torch::Tensor deviation = constants(model.deviation);
  const torch::Tensor scale = constants(info.deviation) / deviation,
                      shift = (constants(info.mean) - constants(model.mean)) / deviation;
  return images * scale.to(images.options()) + shift.to(images.options());
}

}  // namespace ptnas
