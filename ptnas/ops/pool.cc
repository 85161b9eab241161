#include "ptnas/ops/operation.h"

namespace ptnas {

namespace {

// A 3x3 pool with padding 1, followed by a batch-norm in the DARTS family's search.
class Pool final : public Operation {
 public:
  Pool(const OperationShape& shape, bool maximum) : stride_(shape.stride), maximum_(maximum) {
    if (shape.use == OperationUse::kSearch) {
      norm_ = register_module("1", std::make_shared<BatchNorm>(shape.channels, /*affine=*/false));
    }
  }
  torch::Tensor forward(const Source& source, const ForwardContext&, int) override {
    const torch::Tensor& input = source.value();
    const torch::Tensor pooled = maximum_ ? torch::max_pool2d(input, 3, stride_, 1)
                                          : torch::avg_pool2d(input, 3, stride_, 1, /*ceil_mode=*/false,
                                                              /*count_include_pad=*/false);
    return norm_ ? norm_->forward(pooled) : pooled;
  }
  OperationParts parts() const override {
    return {.kind = maximum_ ? OperationParts::Kind::kMaxPool : OperationParts::Kind::kAvgPool,
            .norm = norm_};
  }

 private:
  int stride_;
  bool maximum_;
  std::shared_ptr<BatchNorm> norm_;
};

}  // namespace

std::shared_ptr<Operation> make_max_pool(const OperationShape& shape) {
  return std::make_shared<Pool>(shape, true);
}
std::shared_ptr<Operation> make_avg_pool(const OperationShape& shape) {
  return std::make_shared<Pool>(shape, false);
}

}  // namespace ptnas
