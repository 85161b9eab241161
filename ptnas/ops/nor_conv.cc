#include "ptnas/ops/operation.h"
#include "ptnas/ops/preprocess.h"

namespace ptnas {

namespace {

// NAS-Bench-201's convolution: ReLU, dense convolution, batch-norm; its parameters stand without a prefix.
class NorConv final : public Operation {
 public:
  NorConv(const OperationShape& shape, int kernel)
      : body_(shape.channels, shape.channels, shape.affine(), kernel, shape.stride) {
    for (const auto& child : body_.named_children()) register_module(child.key(), child.value());
  }
  torch::Tensor forward(const Source& source, const ForwardContext&, int) override {
    return body_.forward_rectified(source.rectified());
  }
  OperationParts parts() const override { return body_.parts(); }

 private:
  ReluConvBn body_;
};

}  // namespace

std::shared_ptr<Operation> make_nor_conv_1x1(const OperationShape& shape) {
  return std::make_shared<NorConv>(shape, 1);
}
std::shared_ptr<Operation> make_nor_conv_3x3(const OperationShape& shape) {
  return std::make_shared<NorConv>(shape, 3);
}

}  // namespace ptnas
