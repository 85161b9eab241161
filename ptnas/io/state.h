#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/core/tensor_file.h"

namespace ptnas {

/// Tensors by name and a JSON document: on disk one safetensors file (core/tensor_file.h) with metadata
/// "format", "version" and "state".
struct State {
  std::map<std::string, torch::Tensor> tensors;  ///< any device; on the CPU when loaded
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

/// Copies tensors by position under prefix + number, and back, with the same errors.
void take_tensors(State& state, const std::string& prefix, const std::vector<torch::Tensor>& tensors);
void put_tensors(const State& state, const std::string& prefix, std::vector<torch::Tensor>& tensors);

}  // namespace ptnas
