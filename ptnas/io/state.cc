#include "ptnas/io/state.h"

#include <torch/utils.h>

#include <set>

#include "ptnas/core/error.h"
#include "ptnas/io/tensor.h"

namespace ptnas {

namespace {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

NamedTensors tensors_of(const torch::nn::Module& module) {
  NamedTensors result;
  for (const auto& item : module.named_parameters()) result.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) result.emplace_back(item.key(), item.value());
  return result;
}

std::string shape_text(const torch::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes().begin(), tensor.sizes().end(), ", "));
}

void check_all(const State& state, const std::string& prefix, const NamedTensors& targets) {
  std::set<std::string> expected;
  for (const auto& [name, target] : targets) {
    const std::string& full_name = *expected.insert(prefix + name).first;
    const auto source = state.tensors.find(full_name);
    if (source == state.tensors.end())
      fail("the file has no tensor {}; it belongs to another network", full_name);
    if (source->second.sizes() != target.sizes()) {
      fail("tensor {} has the shape {} in the file and {} in the network; the file belongs to another one",
           full_name, shape_text(source->second), shape_text(target));
    }
  }
  for (auto it = state.tensors.lower_bound(prefix);
       it != state.tensors.end() && it->first.starts_with(prefix); ++it) {
    if (!expected.contains(it->first))
      fail("the file has a tensor {}, the network has none; it belongs to another network", it->first);
  }
}

void put_all(const State& state, const std::string& prefix, const NamedTensors& targets) {
  check_all(state, prefix, targets);
  const torch::NoGradGuard no_grad;
  for (const auto& [name, target] : targets) {
    torch::Tensor destination = target;
    destination.copy_(state.tensors.at(prefix + name));
  }
}

NamedTensors numbered(const std::vector<torch::Tensor>& tensors) {
  NamedTensors result;
  for (std::size_t i = 0; i < tensors.size(); ++i) result.emplace_back(std::to_string(i), tensors[i]);
  return result;
}

}  // namespace

void save_state(const std::filesystem::path& path, const State& state, const std::string& format,
                int version) {
  TensorFile file;
  file.metadata = {{"format", format}, {"version", std::to_string(version)}, {"state", state.values.dump()}};
  for (const auto& [name, tensor] : state.tensors) file.tensors[name] = to_entry(tensor, name);
  write_tensor_file(path, file);
}

State load_state(const std::filesystem::path& path, const std::string& format, int newest_version) {
  const TensorFile file = read_tensor_file(path);
  const auto text = [&](const char* key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end())
      fail("{} is not a file of format {}: it has no `{}`", path.string(), format, key);
    return found->second;
  };
  Json header = Json::object();
  header["format"] = text("format");
  header["version"] = parse_json(text("version"), "the version of " + path.string());
  check_version(header, format, newest_version, path.string());
  State state;
  state.values = parse_json(text("state"), "the state in " + path.string());
  for (const auto& [name, entry] : file.tensors) state.tensors[name] = to_tensor(entry, name);
  return state;
}

void take_module(State& state, const std::string& prefix, const torch::nn::Module& module) {
  for (const auto& [name, tensor] : tensors_of(module)) state.tensors[prefix + name] = tensor;
}

void put_module(const State& state, const std::string& prefix, torch::nn::Module& module) {
  put_all(state, prefix, tensors_of(module));
}

void take_tensors(State& state, const std::string& prefix, const std::vector<torch::Tensor>& tensors) {
  for (const auto& [name, tensor] : numbered(tensors)) state.tensors[prefix + name] = tensor;
}

void put_tensors(const State& state, const std::string& prefix, std::vector<torch::Tensor>& tensors) {
  put_all(state, prefix, numbered(tensors));
}

}  // namespace ptnas
