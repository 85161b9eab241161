#include "ptnas/analysis/reference_training.h"

#include "ptnas/core/error.h"
#include "ptnas/io/state.h"
#include "ptnas/train/memory_format.h"
#include "ptnas/train/retrain.h"

namespace ptnas {

namespace {

constexpr const char* kReferenceFormat = "ptnas-reference-network";
constexpr const char* kNetworkFile = "network.json";

Json describe(const ReferenceShape& shape) {
  Json json = versioned(kReferenceFormat, 1);
  json["network"] = name_of(shape.kind);
  json["channels"] = shape.channels;
  if (shape.kind == ReferenceKind::kResNet) json["blocks"] = shape.blocks;
  return json;
}

void put_shape(RunDirectory& run, const Json& wanted) {
  if (!run.has(kNetworkFile)) {
    write_json(run.file(kNetworkFile), wanted);
    return;
  }
  const Json saved = read_json(run.file(kNetworkFile));
  if (saved != wanted) {
    fail_usage("{} trains the network {}, not {}; give another --out", run.path().string(), saved.dump(),
               wanted.dump());
  }
}

}  // namespace

std::string name_of(ReferenceKind kind) { return kind == ReferenceKind::kVgg16 ? "vgg16" : "resnet"; }

ReferenceKind reference_from_name(const std::string& name) {
  if (name == "vgg16") return ReferenceKind::kVgg16;
  if (name == "resnet") return ReferenceKind::kResNet;
  fail_usage("expected a network vgg16 or resnet, found {}", name);
}

std::shared_ptr<ReferenceNetwork> train_reference(RunDirectory& run, const Dataset& dataset,
                                                  ReferenceShape shape, const DataOptions& data,
                                                  const TrainOptions& options,
                                                  const RuntimeOptions& runtime) {
  const DatasetInfo& info = dataset.info();
  shape.classes = static_cast<int>(info.classes.size());
  shape.image_channels = info.channels;
  shape.height = info.height;
  shape.width = info.width;
  const Json description = describe(shape);
  const auto network = std::make_shared<ReferenceNetwork>(shape);
  put_shape(run, description);
  const auto save = [network, description](const std::filesystem::path& path) {
    State state;
    take_module(state, "", *network);
    state.values = description;
    save_state(path, state, kReferenceFormat, 1);
  };
  if (!run.finished("train"))
    retrain(run, dataset, Trainee{network, network->cost(), save}, data, options, runtime);
  put_module(load_state(run.file(RunDirectory::kModel), kReferenceFormat, 1), "", *network);
  network->to(torch::Device(runtime.device));
  put_in_format(*network, memory_format_of(runtime.memory_format));
  return network;
}

}  // namespace ptnas
