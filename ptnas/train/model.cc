#include "ptnas/train/model.h"

#include "ptnas/core/error.h"
#include "ptnas/io/state.h"

namespace ptnas {

namespace {

constexpr const char* kFormat = "ptnas-model";
constexpr int kVersion = 1;

}  // namespace

void save_model(const std::filesystem::path& path, const DerivedNetwork& network, const DatasetInfo& info) {
  State state;
  take_module(state, "", network);
  const NetworkShape& shape = network.shape();
  state.values["genotype"] = to_json(network.genotype());
  state.values["channels"] = shape.channels;
  state.values["cells"] = shape.cells;
  state.values["image"] = {shape.image_channels, shape.height, shape.width};
  state.values["auxiliary"] = network.has_auxiliary();
  state.values["classes"] = info.classes;
  state.values["mean"] = info.mean;
  state.values["deviation"] = info.deviation;
  save_state(path, state, kFormat, kVersion);
}

std::shared_ptr<DerivedNetwork> load_model(const std::filesystem::path& path, const DatasetInfo& info) {
  const State state = load_state(path, kFormat, kVersion);
  std::shared_ptr<DerivedNetwork> network;
  try {
    const Json& values = state.values;
    const auto image = values.at("image").get<std::vector<int>>();
    if (values.at("classes").get<std::vector<std::string>>() != info.classes || image.size() != 3 ||
        image[0] != info.channels) {
      fail("{} was trained on {} classes and {} channels, which are not those of the data set {}",
           path.string(), values.at("classes").size(), image.empty() ? 0 : image[0], info.name);
    }
    const NetworkShape shape{values.at("channels").get<int>(),
                             values.at("cells").get<int>(),
                             static_cast<int>(info.classes.size()),
                             info.channels,
                             info.height,
                             info.width};
    network = std::make_shared<DerivedNetwork>(genotype_from_json(values.at("genotype"), path.string()),
                                               shape, values.at("auxiliary").get<bool>());
  } catch (const nlohmann::json::exception& error) {
    fail("{} is not a model: {}", path.string(), error.what());
  }
  put_module(state, "", *network);
  return network;
}

}  // namespace ptnas
