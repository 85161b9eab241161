#include "ptnas/train/memory_format.h"

#include <torch/version.h>

namespace ptnas {

torch::MemoryFormat memory_format_of(const std::string& option) {
  // libtorch 2.6's ways back in channels-last give wrong gradients in small images and damage the heap.
  constexpr bool kChannelsLastIsRight = TORCH_VERSION_MAJOR < 2;
  return option == "nchw" || !kChannelsLastIsRight ? torch::MemoryFormat::Contiguous
                                                   : torch::MemoryFormat::ChannelsLast;
}

void put_in_format(torch::nn::Module& network, torch::MemoryFormat format) {
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : network.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(format));
  }
}

}  // namespace ptnas
