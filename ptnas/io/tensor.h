#pragma once

#include <torch/types.h>

#include <string>

#include "ptnas/core/tensor_file.h"

namespace ptnas {

/// A tensor as an entry of a tensor file, and back, on the CPU. Throw Error naming `name` for a type that
/// tensor files do not hold.
TensorFile::Entry to_entry(const torch::Tensor& tensor, const std::string& name);
torch::Tensor to_tensor(const TensorFile::Entry& entry, const std::string& name);

}  // namespace ptnas
