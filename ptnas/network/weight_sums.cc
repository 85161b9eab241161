#include "ptnas/network/weight_sums.h"

#include <algorithm>

namespace ptnas {

using Size = std::size_t;

WeightSums::WeightSums(std::vector<Unit> units, std::int64_t chunks)
    : units_(std::move(units)), chunks_(chunks) {
  for (Size unit = 0; unit < units_.size(); ++unit) {
    offsets_.push_back(chunk_size_);
    if (units_[unit].wanted) chunk_size_ += size_of(unit);
  }
  buffer_ = Buffer(std::max<Size>(1, chunk_size_ * static_cast<Size>(chunks_)));
}

void WeightSums::clear(Size unit, std::int64_t chunk) {
  if (units_[unit].wanted) std::fill_n(sums_of(unit, chunk), size_of(unit), 0.0f);
}

Size WeightSums::size_of(Size unit) const {
  const kernels::Convolution& c = *units_[unit].convolution;
  return c.matrix_size() + c.depthwise_size();
}

float* WeightSums::sums_of(Size unit, std::int64_t chunk) const {
  return buffer_.data() + static_cast<Size>(chunk) * chunk_size_ + offsets_[unit];
}

kernels::WeightGradient WeightSums::at(Size unit, std::int64_t chunk) const {
  if (!units_[unit].wanted) return {};
  float* matrices = sums_of(unit, chunk);
  const kernels::Convolution& c = *units_[unit].convolution;
  return {c.depthwise ? matrices + c.matrix_size() : nullptr, matrices};
}

void WeightSums::add_chunks(Size unit) {
  if (!units_[unit].wanted) return;
  const Size size = size_of(unit);
  float* sum = sums_of(unit, 0);
  for (std::int64_t chunk = 1; chunk < chunks_; ++chunk) {
    const float* other = sums_of(unit, chunk);
    for (Size k = 0; k < size; ++k) sum[k] += other[k];
  }
}

torch::Tensor WeightSums::matrix(Size unit, int matrix, std::int64_t first, const torch::Tensor& like) const {
  const kernels::Convolution& c = *units_[unit].convolution;
  const auto in = static_cast<Size>(c.source.channels),
             row = kernels::round_up(static_cast<Size>(c.out_channels));
  const float* sum = sums_of(unit, 0) + static_cast<Size>(matrix) * in * row + first;
  torch::Tensor gradient = torch::empty_like(like);
  float* out = gradient.data_ptr<float>();
  for (Size o = 0; o < static_cast<Size>(gradient.size(0)); ++o) {
    for (Size i = 0; i < in; ++i) *out++ = sum[i * row + o];
  }
  return gradient;
}

torch::Tensor WeightSums::dense(Size unit, const torch::Tensor& like) const {
  const kernels::Convolution& c = *units_[unit].convolution;
  const auto in = static_cast<Size>(c.source.channels), out = static_cast<Size>(c.out_channels);
  const float* sum = sums_of(unit, 0);
  torch::Tensor gradient = torch::empty_like(like);
  const std::int64_t kernel = gradient.size(2);
  const auto out_step = static_cast<Size>(gradient.stride(0)),
             in_step = static_cast<Size>(gradient.stride(1));
  for (std::int64_t k = 0; k < kernel * kernel; ++k) {
    float* at =
        gradient.data_ptr<float>() + k / kernel * gradient.stride(2) + k % kernel * gradient.stride(3);
    for (Size i = 0; i < in; ++i, sum += kernels::round_up(out)) {
      for (Size o = 0; o < out; ++o) at[o * out_step + i * in_step] = sum[o];
    }
  }
  return gradient;
}

torch::Tensor WeightSums::depthwise(Size unit, const torch::Tensor& like) const {
  const kernels::Convolution& c = *units_[unit].convolution;
  const float* by_tap = sums_of(unit, 0) + c.matrix_size();
  const Size taps = c.taps.size(), period = c.period(), channels = static_cast<Size>(c.source.channels);
  torch::Tensor gradient = torch::empty_like(like);
  float* out = gradient.data_ptr<float>();
  for (Size channel = 0; channel < channels; ++channel) {
    for (Size k = 0; k < taps; ++k) {
      float total = 0;
      for (Size at = channel; at < period; at += channels) total += by_tap[k * period + at];
      *out++ = total;
    }
  }
  return gradient;
}

}  // namespace ptnas
