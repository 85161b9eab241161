#include "ptnas/kernels/convolution.h"

#include <algorithm>

namespace ptnas::kernels {

namespace {

Convolution of_source(const PaddedLayout& source, bool depthwise, int out_channels) {
  Convolution c;
  c.source = source;
  c.depthwise = depthwise;
  c.out_channels = out_channels;
  c.out_height = (source.height + source.stride - 1) / source.stride;
  c.out_width = (source.width + source.stride - 1) / source.stride;
  return c;
}

void add_square_taps(Convolution& c, int kernel, int dilation) {
  const int reach = kernel / 2;
  for (int y = -reach; y <= reach; ++y) {
    for (int x = -reach; x <= reach; ++x) c.taps.push_back({y * dilation, x * dilation});
  }
}

// A matrix that has pairs: rows in pairs, each row one vector.
bool has_pairs(std::size_t rows, std::size_t columns) { return rows % 2 == 0 && columns <= kVectorFloats; }
std::size_t pair_position(std::size_t row, std::size_t column) {
  constexpr std::size_t kHalf = kVectorFloats / 2;
  return (row / 2 * 2 + column / kHalf) * kVectorFloats + column % kHalf * 2 + row % 2;
}

}  // namespace

Convolution separable_convolution(const PaddedLayout& source, int kernel, int dilation) {
  Convolution c = of_source(source, /*depthwise=*/true, source.channels);
  add_square_taps(c, kernel, dilation);
  return c;
}

Convolution dense_convolution(const PaddedLayout& source, int out_channels, int kernel) {
  Convolution c = of_source(source, /*depthwise=*/false, out_channels);
  add_square_taps(c, kernel, 1);
  return c;
}

Convolution factorized_reduce(const PaddedLayout& source, int out_channels) {
  Convolution c = of_source(source, /*depthwise=*/false, out_channels);
  c.taps = {{0, 0}, {1, 1}};
  return c;
}

void PackedWeights::shape(const Convolution& c) {
  const auto in = static_cast<std::size_t>(c.source.channels), out = static_cast<std::size_t>(c.out_channels);
  const auto zeroed = [](Floats& floats, std::size_t size) {
    floats.resize(size);
    std::fill_n(floats.data(), size, 0.0f);
  };
  if (c.depthwise) zeroed(depthwise_, c.depthwise_size());
  zeroed(matrices_, c.matrix_size());
  const auto matrices = static_cast<std::size_t>(c.matrices());
  zeroed(transposed_, matrices * out * round_up(in));
  if (has_pairs(in, out)) zeroed(matrices_pairs_, matrices * in * kVectorFloats);
  if (has_pairs(out, in)) zeroed(transposed_pairs_, matrices * out * kVectorFloats);
}

void PackedWeights::pack_depthwise(const Convolution& c, const float* weights) {
  std::vector<float> by_channel(static_cast<std::size_t>(c.source.channels));
  for (std::size_t k = 0; k < c.taps.size(); ++k) {
    for (std::size_t i = 0; i < by_channel.size(); ++i) by_channel[i] = weights[i * c.taps.size() + k];
    fill_period(by_channel.data(), c.source.channels, depthwise_.data() + k * c.period());
  }
}

void PackedWeights::pack_matrix(const Convolution& c, int matrix, const float* weights, int out_begin,
                                int out_count, std::size_t out_step, std::size_t in_step) {
  const auto in = static_cast<std::size_t>(c.source.channels), out = static_cast<std::size_t>(c.out_channels);
  const auto begin = static_cast<std::size_t>(out_begin), m = static_cast<std::size_t>(matrix);
  float* forward = matrices_.data() + m * in * round_up(out);
  float* transposed = transposed_.data() + m * out * round_up(in);
  for (std::size_t o = 0; o < static_cast<std::size_t>(out_count); ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      const float value = weights[o * out_step + i * in_step];
      forward[i * round_up(out) + begin + o] = value;
      transposed[(begin + o) * round_up(in) + i] = value;
      if (has_pairs(in, out))
        matrices_pairs_.data()[m * in * kVectorFloats + pair_position(i, begin + o)] = value;
      if (has_pairs(out, in))
        transposed_pairs_.data()[m * out * kVectorFloats + pair_position(begin + o, i)] = value;
    }
  }
}

}  // namespace ptnas::kernels
