#include "ptnas/ops/operation.h"

namespace ptnas {

namespace {

// Zeros of the output's shape.
class None final : public Operation {
 public:
  explicit None(int stride) : stride_(stride) {}
  torch::Tensor forward(const torch::Tensor& input, const ForwardContext&, int) override {
    if (stride_ == 1) return torch::zeros_like(input);
    return torch::zeros_like(input.slice(2, 0, c10::nullopt, stride_).slice(3, 0, c10::nullopt, stride_));
  }

 private:
  int stride_;
};

}  // namespace

std::shared_ptr<Operation> make_none(const OperationShape& shape) {
  return std::make_shared<None>(shape.stride);
}

}  // namespace ptnas
