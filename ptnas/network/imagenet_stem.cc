#include "ptnas/network/imagenet_stem.h"

#include "ptnas/ops/operation.h"

namespace ptnas {

StridedConvolutions::StridedConvolutions(const std::vector<int>& channels, bool relu_first)
    : relu_first_(relu_first) {
  int child = relu_first ? 1 : 0;
  for (std::size_t i = 0; i + 1 < channels.size(); ++i) {
    convolutions_.push_back(
        register_module(std::to_string(child), make_convolution(channels[i], channels[i + 1], 3, 2, 1)));
    norms_.push_back(register_module(std::to_string(child + 1),
                                     std::make_shared<BatchNorm>(channels[i + 1], /*affine=*/true)));
    child += 3;  // a ReLU comes next
  }
}

torch::Tensor StridedConvolutions::forward(torch::Tensor x) {
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    if (i > 0 || relu_first_) x = torch::relu(x);
    x = norms_[i]->forward(convolutions_[i]->forward(x));
  }
  return x;
}

ImageNetStem::ImageNetStem(torch::nn::Module& network, int image_channels, int channels)
    : first_(network.register_module(
          "stem0", std::make_shared<StridedConvolutions>(
                       std::vector<int>{image_channels, channels / 2, channels}, /*relu_first=*/false))),
      second_(network.register_module(
          "stem1",
          std::make_shared<StridedConvolutions>(std::vector<int>{channels, channels}, /*relu_first=*/true))) {
}

ImageNetStem::Output ImageNetStem::forward(const torch::Tensor& images) {
  Output output;
  output.older = first_->forward(images);
  output.newer = second_->forward(output.older);
  return output;
}

}  // namespace ptnas
