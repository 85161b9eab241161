#include "ptnas/ops/operation.h"
#include "ptnas/ops/preprocess.h"

namespace ptnas {

namespace {

class Identity final : public Operation {
 public:
  torch::Tensor forward(const Source& source, const ForwardContext&, int) override { return source.value(); }
  OperationParts parts() const override { return {.kind = OperationParts::Kind::kIdentity}; }
};

// The skip connection of stride 2 is a factorized reduction; its parameters stand without a prefix.
class Reduction final : public Operation {
 public:
  explicit Reduction(const OperationShape& shape) : reduce_(shape.channels, shape.channels, shape.affine()) {
    for (const auto& child : reduce_.named_children()) register_module(child.key(), child.value());
  }
  torch::Tensor forward(const Source& source, const ForwardContext&, int) override {
    return reduce_.forward_rectified(source.rectified());
  }
  OperationParts parts() const override { return reduce_.parts(); }

 private:
  FactorizedReduce reduce_;
};

}  // namespace

std::shared_ptr<Operation> make_skip(const OperationShape& shape) {
  if (shape.stride == 1) return std::make_shared<Identity>();
  return std::make_shared<Reduction>(shape);
}

}  // namespace ptnas
