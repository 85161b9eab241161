#include "ptnas/network/reference_network.h"

#include "ptnas/core/error.h"
#include "ptnas/ops/batch_norm.h"

namespace ptnas {

// conv3x3 and affine batch-norm, children "0" and "1" of a layer, from `first` on.
class ReferenceNetwork::ConvNorm {
 public:
  ConvNorm(torch::nn::Module& layer, int first, int in, int out, int stride)
      : conv_(layer.register_module(std::to_string(first), make_convolution(in, out, 3, stride, 1))),
        norm_(layer.register_module(std::to_string(first + 1), std::make_shared<BatchNorm>(out, true))) {}
  torch::Tensor forward(const torch::Tensor& input) { return norm_->forward(conv_->forward(input)); }

 private:
  torch::nn::Conv2d conv_;
  std::shared_ptr<BatchNorm> norm_;
};

class ReferenceNetwork::Layer : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& input) = 0;
};

// One of VGG's layers; the pool of its stage's end has no parameters and stays where it is.
class ReferenceNetwork::VggLayer final : public Layer {
 public:
  VggLayer(int in, int out, bool pools) : conv_(*this, 0, in, out, 1), pools_(pools) {}
  torch::Tensor forward(const torch::Tensor& input) override {
    const torch::Tensor output = torch::relu(conv_.forward(input));
    return pools_ ? torch::max_pool2d(output, 2, 2, 0, 1, /*ceil_mode=*/true) : output;
  }

 private:
  ConvNorm conv_;
  bool pools_;
};

// conv-BN-ReLU-conv-BN beside a shortcut, then ReLU. At stride 2 the shortcut takes every other pixel and
// fills new channels with zeros (option A of He et al.).
class ReferenceNetwork::ResidualLayer final : public Layer {
 public:
  ResidualLayer(int in, int out, int stride)
      : first_(*this, 0, in, out, stride), second_(*this, 2, out, out, 1), stride_(stride) {}
  torch::Tensor forward(const torch::Tensor& input) override {
    const torch::Tensor inner = second_.forward(torch::relu(first_.forward(input)));
    return torch::relu(inner + shortcut(input, inner.size(1)));
  }

 private:
  torch::Tensor shortcut(const torch::Tensor& input, std::int64_t channels) const {
    if (stride_ == 1) return input;
    return torch::constant_pad_nd(input.slice(2, 0, {}, stride_).slice(3, 0, {}, stride_),
                                  {0, 0, 0, 0, 0, channels - input.size(1)});
  }

  ConvNorm first_, second_;
  int stride_;
};

ReferenceNetwork::ReferenceNetwork(const ReferenceShape& shape) : shape_(shape) {
  if (shape.channels < 1 || shape.blocks < 1 || shape.classes < 2 || shape.image_channels < 1) {
    fail("a network needs at least 1 channel, 1 block, 2 classes and 1 image channel, not {}, {}, {} and {}",
         shape.channels, shape.blocks, shape.classes, shape.image_channels);
  }
  parent_ = register_module("layers", std::make_shared<torch::nn::Module>());
  int features = 0;
  if (shape.kind == ReferenceKind::kVgg16) {
    add_vgg_layers();
    features = 8 * shape.channels;
  } else {
    add_residual_blocks();
    features = 4 * shape.channels;
  }
  classifier_ = register_module("classifier", torch::nn::Linear(features, shape.classes));
  multiply_adds_ += features * shape.classes + shape.classes;
}

void ReferenceNetwork::add(std::shared_ptr<Layer> layer, bool is_interchangeable) {
  const std::string name = std::to_string(layers_.size());
  parent_->register_module(name, layer);
  layers_.push_back(std::move(layer));
  if (is_interchangeable) interchangeable_.back().push_back("layers." + name + ".");
}

void ReferenceNetwork::add_vgg_layers() {
  struct Stage {
    int times, layers;
  };
  int in = shape_.image_channels;
  std::int64_t height = shape_.height, width = shape_.width;
  for (const Stage& stage : {Stage{1, 2}, Stage{2, 2}, Stage{4, 3}, Stage{8, 3}, Stage{8, 3}}) {
    const int out = stage.times * shape_.channels;
    interchangeable_.emplace_back();
    for (int i = 0; i < stage.layers; ++i) {
      add(std::make_shared<VggLayer>(in, out, i + 1 == stage.layers), in == out);
      multiply_adds_ += std::int64_t{9} * in * out * height * width;
      in = out;
    }
    height = (height + 1) / 2;
    width = (width + 1) / 2;
  }
}

void ReferenceNetwork::add_residual_blocks() {
  std::int64_t height = shape_.height, width = shape_.width;
  int in = shape_.channels;
  interchangeable_.emplace_back();
  add(std::make_shared<VggLayer>(shape_.image_channels, in, false), false);  // the stem
  multiply_adds_ += std::int64_t{9} * shape_.image_channels * in * height * width;
  for (int stage = 0; stage < 3; ++stage) {
    const int out = shape_.channels << stage;
    if (stage > 0) interchangeable_.emplace_back();
    for (int i = 0; i < shape_.blocks; ++i) {
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      if (stride == 2) {
        height = (height + 1) / 2;
        width = (width + 1) / 2;
      }
      add(std::make_shared<ResidualLayer>(in, out, stride), stride == 1);
      multiply_adds_ += (std::int64_t{9} * in * out + std::int64_t{9} * out * out) * height * width;
      in = out;
    }
  }
}

Classifier::Output ReferenceNetwork::forward(const torch::Tensor& images, double, const ForwardContext&) {
  torch::Tensor x = images;
  for (const auto& layer : layers_) x = layer->forward(x);
  return {classifier_->forward(x.mean({2, 3})), {}};
}

NetworkCost ReferenceNetwork::cost() const {
  NetworkCost cost;
  for (const torch::Tensor& parameter : parameters()) cost.parameters += parameter.numel();
  cost.multiply_adds = multiply_adds_;
  return cost;
}

}  // namespace ptnas
