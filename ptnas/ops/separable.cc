#include "ptnas/ops/operation.h"

namespace ptnas {

namespace {

// Depthwise, pointwise, batch-norm, after a ReLU.
struct Stage {
  torch::nn::Conv2d depthwise{nullptr}, pointwise{nullptr};
  std::shared_ptr<BatchNorm> norm;

  torch::Tensor forward(const torch::Tensor& rectified) {
    return norm->forward(pointwise->forward(depthwise->forward(rectified)));
  }
};

// ReLU and such a stage: once with dilation 2 (dilated), or twice, the stride in the first (separable).
class Separable final : public Operation {
 public:
  Separable(const OperationShape& shape, int kernel, int dilation, int stages)
      : kernel_(kernel), dilation_(dilation) {
    auto op = register_module("op", std::make_shared<torch::nn::Module>());
    const int padding = dilation * (kernel / 2);  // keeps the size
    const int c = shape.channels;
    for (int s = 0; s < stages; ++s) {
      Stage stage;
      stage.depthwise = make_convolution(c, c, kernel, s == 0 ? shape.stride : 1, padding, dilation, c);
      stage.pointwise = make_convolution(c, c, 1);
      stage.norm = std::make_shared<BatchNorm>(c, shape.affine());
      op->register_module(std::to_string(4 * s + 1), stage.depthwise);
      op->register_module(std::to_string(4 * s + 2), stage.pointwise);
      op->register_module(std::to_string(4 * s + 3), stage.norm);
      stages_.push_back(std::move(stage));
    }
  }
  torch::Tensor forward(const Source& source, const ForwardContext&, int) override {
    torch::Tensor x = stages_.front().forward(source.rectified());
    for (std::size_t s = 1; s < stages_.size(); ++s) x = stages_[s].forward(torch::relu(x));
    return x;
  }
  OperationParts parts() const override {
    OperationParts parts{.kind = OperationParts::Kind::kSeparable};
    for (const Stage& s : stages_) {
      parts.stages.push_back({s.depthwise->weight, s.pointwise->weight, kernel_, dilation_, s.norm});
    }
    return parts;
  }

 private:
  int kernel_, dilation_;
  std::vector<Stage> stages_;
};

}  // namespace

std::shared_ptr<Operation> make_sep_conv_3x3(const OperationShape& shape) {
  return std::make_shared<Separable>(shape, 3, 1, 2);
}
std::shared_ptr<Operation> make_sep_conv_5x5(const OperationShape& shape) {
  return std::make_shared<Separable>(shape, 5, 1, 2);
}
std::shared_ptr<Operation> make_dil_conv_3x3(const OperationShape& shape) {
  return std::make_shared<Separable>(shape, 3, 2, 1);
}
std::shared_ptr<Operation> make_dil_conv_5x5(const OperationShape& shape) {
  return std::make_shared<Separable>(shape, 5, 2, 1);
}

}  // namespace ptnas
