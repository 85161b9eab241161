#pragma once

#include <torch/nn/module.h>

#include <string>

namespace ptnas {

/// Of the option --memory-format; NCHW whatever it says with libtorch 2 (docs/results.md, Debian 13).
torch::MemoryFormat memory_format_of(const std::string& option);

/// Lays out the weights of convolutions alike, so that no convolution converts them at every pass. The values
/// stay. For before an optimiser is made.
void put_in_format(torch::nn::Module& network, torch::MemoryFormat format);

}  // namespace ptnas
