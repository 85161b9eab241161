#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

#include "ptnas/core/json.h"
#include "ptnas/core/tensor_file.h"

namespace ptnas {

/// Tensors by name and a JSON document, on disk as one safetensors file (core/tensor_file.h; metadata keys
/// "format", "version", "state").
struct State {
  std::map<std::string, torch::Tensor> tensors;  ///< on the CPU when saved
  Json values = Json::object();
};

/// Atomic. `format` names the kind of file ("ptnas-checkpoint"). Throws Error.
void save_state(const std::filesystem::path& path, const State& state, const std::string& format,
                int version);
/// Throws Error: missing, truncated, foreign, of another format or a newer version.
State load_state(const std::filesystem::path& path, const std::string& format, int newest_version);

/// Copies parameters and buffers into `state` under prefix + name, and back. put_module throws Error naming
/// the first tensor that is missing, left over or of another shape, and then changes nothing.
void take_module(State& state, const std::string& prefix, const torch::nn::Module& module);
void put_module(const State& state, const std::string& prefix, torch::nn::Module& module);

/// The optimiser's state (momentum buffers; Adam's moments and step) by position of the parameter.
void take_optimizer(State& state, const std::string& prefix, const torch::optim::SGD& optimizer);
void put_optimizer(const State& state, const std::string& prefix, torch::optim::SGD& optimizer);
void take_optimizer(State& state, const std::string& prefix, const torch::optim::Adam& optimizer);
void put_optimizer(const State& state, const std::string& prefix, torch::optim::Adam& optimizer);

}  // namespace ptnas
