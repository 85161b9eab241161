#include "ptnas/kernels/padded.h"

#include <algorithm>
#include <numeric>

namespace ptnas::kernels {

std::size_t period_of(int channels) { return std::lcm(static_cast<std::size_t>(channels), kVectorFloats); }

void fill_period(const float* values, int channels, float* table) {
  const std::size_t period = period_of(channels), c = static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < period; i += c) std::copy_n(values, c, table + i);
}

PaddedLayout::PaddedLayout(int channels_of, int height_of, int width_of, int stride_of, int halo_of)
    : channels(channels_of), height(height_of), width(width_of), stride(stride_of), halo(halo_of) {
  const auto phase_length = [&](int side) {
    return static_cast<std::size_t>((side + 2 * halo + stride - 1) / stride);
  };
  period = period_of(channels);
  row = round_up(phase_length(width) * static_cast<std::size_t>(channels) + kVectorFloats);
  phase = phase_length(height) * row;
  size = phase * static_cast<std::size_t>(stride * stride);
}

void Padded::shape(const PaddedLayout& layout, float fill) {
  if (layout == layout_ && fill == fill_) return;
  reset(layout, fill);
}

void Padded::reset(const PaddedLayout& layout, float fill) {
  floats_.resize(layout.size + kVectorFloats);
  std::fill_n(floats_.data(), layout.size + kVectorFloats, fill);
  layout_ = layout;
  fill_ = fill;
}

}  // namespace ptnas::kernels
