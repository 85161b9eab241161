#include <ATen/Parallel.h>
#include <torch/utils.h>

#include <algorithm>

#include "ptnas/core/parallel.h"
#include "ptnas/core/random.h"
#include "ptnas/kernels/normal.h"
#include "ptnas/ops/operation.h"

namespace ptnas {

namespace {

std::uint32_t low_word(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high_word(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

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

// In the order N, H, W, C whatever the memory format and the number of threads.
torch::Tensor noise_of(at::IntArrayRef shape, const ForwardContext& context, int place) {
  constexpr std::int64_t kTask = 256 * static_cast<std::int64_t>(kernels::kNormalGroup);
  const std::uint64_t index = context.draw(place), seed = context.seed;
  const kernels::NormalStream stream = {
      {low_word(seed), high_word(seed)},
      {static_cast<std::uint32_t>(Purpose::kNoise), low_word(index), high_word(index)}};
  torch::Tensor noise = torch::empty(shape, torch::kFloat);
  float* out = noise.data_ptr<float>();
  const std::int64_t count = noise.numel();
  parallel_for((count + kTask - 1) / kTask, at::get_num_threads(), [&](std::int64_t task) {
    const std::int64_t first = task * kTask;
    kernels::fill_normal(stream, static_cast<std::uint64_t>(first),
                         static_cast<std::size_t>(std::min(kTask, count - first)), out + first);
  });
  return noise;
}

std::shared_ptr<Operation> make_noise(const OperationShape& shape) {
  return std::make_shared<Noise>(shape.stride);
}

}  // namespace ptnas
