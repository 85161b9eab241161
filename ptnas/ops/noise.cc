#include "ptnas/core/random.h"
#include "ptnas/ops/operation.h"

namespace ptnas {

namespace {

// Fresh N(0, 1) of the output's shape at every forward pass, in evaluation too; no gradient.
class Noise final : public Operation {
 public:
  explicit Noise(int stride) : stride_(stride) {}
  torch::Tensor forward(const Source& source, const ForwardContext& context, int place) override {
    const torch::Tensor& input = source.value();
    const torch::Tensor noise = noise_of(
        {input.size(0), strided(input.size(2), stride_), strided(input.size(3), stride_), input.size(1)},
        context, place);
    return noise.to(input.options()).permute({0, 3, 1, 2}).contiguous(input.suggest_memory_format());
  }
  OperationParts parts() const override { return {.kind = OperationParts::Kind::kNoise}; }

 private:
  int stride_;
};

}  // namespace

// One generator a call, filled in the order N, H, W, C whatever the memory format, by one thread.
torch::Tensor noise_of(at::IntArrayRef shape, const ForwardContext& context, int place) {
  at::Generator generator =
      at::detail::createCPUGenerator(derive_seed(context.seed, Purpose::kNoise, context.draw(place)));
  return torch::randn(shape, generator, torch::TensorOptions(torch::kFloat));
}

std::shared_ptr<Operation> make_noise(const OperationShape& shape) {
  return std::make_shared<Noise>(shape.stride);
}

}  // namespace ptnas
