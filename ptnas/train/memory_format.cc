#include "ptnas/train/memory_format.h"

#include <torch/utils.h>

#include "ptnas/network/layout.h"

namespace ptnas {

torch::MemoryFormat memory_format_of(const std::string& option) {
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
