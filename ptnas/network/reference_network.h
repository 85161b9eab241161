#pragma once

#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ptnas/network/classifier.h"
#include "ptnas/space/count.h"

namespace ptnas {

/// The networks with which Table 1 compares a supernet.
enum class ReferenceKind { kVgg16, kResNet };

constexpr int kVggChannels = 64, kResNetChannels = 16;  ///< usual, of the first stage

struct ReferenceShape {
  ReferenceKind kind = ReferenceKind::kVgg16;
  int channels = kVggChannels;  ///< of the first stage
  int blocks = 5;               ///< ResNet: of each of the three stages, so that it has 6 blocks + 2 layers
  int classes = 10;
  int image_channels = 3;
  int height = 32;
  int width = 32;
};

/// VGG-16 with batch-norm (Simonyan and Zisserman, ICLR 2015, configuration D): 13 times conv3x3-BN-ReLU in
/// five stages of 1, 2, 4, 8, 8 times the channels, each followed by a 2x2 max-pool; then, as is usual for
/// CIFAR, one linear layer. Or the ResNet for CIFAR (He et al., CVPR 2016, Section 4.2): conv3x3, three
/// stages of residual blocks of 1, 2, 4 times the channels, shortcuts without parameters, global average
/// pool, linear. ATen's operations; one layer (VGG) or block (ResNet) is one child module.
class ReferenceNetwork final : public Classifier {
 public:
  /// Throws Error for a shape out of range.
  explicit ReferenceNetwork(const ReferenceShape& shape);
  Output forward(const torch::Tensor& images, double drop_path, const ForwardContext& context) override;

  /// By stage ("successive layers between two downsampling blocks", Table 1): the names, as prefixes of
  /// parameters and buffers, of the layers of equal shape and stride.
  const std::vector<std::vector<std::string>>& interchangeable() const { return interchangeable_; }
  const ReferenceShape& shape() const { return shape_; }
  NetworkCost cost() const;

 private:
  class ConvNorm;
  class Layer;
  class VggLayer;
  class ResidualLayer;
  void add_vgg_layers();
  void add_residual_blocks();
  void add(std::shared_ptr<Layer> layer, bool is_interchangeable);

  ReferenceShape shape_;
  std::shared_ptr<torch::nn::Module> parent_;
  std::vector<std::shared_ptr<Layer>> layers_;
  std::vector<std::vector<std::string>> interchangeable_;
  std::int64_t multiply_adds_ = 0;
  torch::nn::Linear classifier_{nullptr};
};

}  // namespace ptnas
