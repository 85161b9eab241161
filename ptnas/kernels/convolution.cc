#include "ptnas/kernels/convolution.h"

#include <algorithm>
#include <array>

#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/convolution.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include "ptnas/kernels/primitives-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

using Size = std::size_t;

// Pixels that are in work at once: enough to fill the product's registers, few enough for the first cache.
constexpr int kTilePixels = 32;
constexpr int kMostTaps = 64;

int tile_rows(const Convolution& c) { return std::clamp(kTilePixels / c.out_width, 1, c.out_height); }

// The activation of the vectors at one position of the tables.
struct VectorActivation {
  bool affine, relu;
  V scale, bias;
  VectorActivation(const Activation& a, Size q) : affine(a.scale != nullptr), relu(a.relu) {
    const D d;
    scale = affine ? hn::Load(d, a.scale + q) : hn::Zero(d);
    bias = affine ? hn::Load(d, a.bias + q) : hn::Zero(d);
  }
  HWY_INLINE V operator()(V x) const {
    if (affine) x = hn::MulAdd(x, scale, bias);
    // Not Max, which would make a NaN 0 and hide that a run has diverged.
    return relu ? hn::IfThenZeroElse(hn::Lt(x, hn::Zero(D())), x) : x;
  }
};
float activated(float x, const Activation& a, Size q) {
  if (a.scale != nullptr) x = x * a.scale[q] + a.bias[q];
  return a.relu && x < 0 ? 0.0f : x;
}

// The pixels of an image row that lie side by side in a phase: all of them at stride 1, one at stride 2.
Size run_of(const PaddedLayout& layout) {
  const Size c = static_cast<Size>(layout.channels);
  return layout.stride == 1 ? c * static_cast<Size>(layout.width) : c;
}

void pad_image_impl(Padded& padded, const float* x, const Activation& activation) {
  const D d;
  const PaddedLayout& layout = padded.layout();
  const Size run = run_of(layout), period = period_of(layout.channels);
  const int step = layout.stride == 1 ? layout.width : 1;
  for (int y = 0; y < layout.height; ++y) {
    for (int column = 0; column < layout.width; column += step, x += run) {
      float* to = padded.data() + layout.at(y, column);
      for_each(
          run, period,
          [&](Size q) HWY_ATTR {
            const VectorActivation activate(activation, q);
            return [=](Size p) HWY_ATTR { hn::StoreU(activate(hn::LoadU(d, x + p)), d, to + p); };
          },
          [&](Size p, Size q) { to[p] = activated(x[p], activation, q); });
    }
  }
}

void gather_gradient_impl(const PaddedLayout& layout, const float* dx, const float* x,
                          const Activation& activation, bool accumulate, float* out) {
  const D d;
  const Size run = run_of(layout), period = period_of(layout.channels);
  const int step = layout.stride == 1 ? layout.width : 1;
  for (int y = 0; y < layout.height; ++y) {
    for (int column = 0; column < layout.width; column += step, x += run, out += run) {
      const float* from = dx + layout.at(y, column);
      for_each(
          run, period,
          [&](Size q) HWY_ATTR {
            const VectorActivation activate(activation, q);
            return [=](Size p) HWY_ATTR {
              V g = hn::LoadU(d, from + p);
              if (activate.relu)
                g = hn::IfThenElseZero(hn::Gt(activate(hn::LoadU(d, x + p)), hn::Zero(d)), g);
              hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, out + p), g) : g, d, out + p);
            };
          },
          [&](Size p, Size q) {
            const float g = !activation.relu || activated(x[p], activation, q) > 0 ? from[p] : 0.0f;
            out[p] = accumulate ? out[p] + g : g;
          });
    }
  }
}

struct TapPointers {
  std::array<TapPointer, kMostTaps> taps;
  std::array<std::ptrdiff_t, kMostTaps> offsets;
  int count = 0;
  TapRuns runs;

  void add(std::ptrdiff_t offset, const float* weights) {
    taps[static_cast<Size>(count)] = {offset, weights};
    offsets[static_cast<Size>(count++)] = offset;
  }
};

TapPointers source_taps(const Convolution& c, const float* depthwise) {
  TapPointers result;
  for (const Tap& tap : c.taps) {
    result.add(c.source.at(tap.y, tap.x), depthwise + static_cast<Size>(result.count) * c.period());
  }
  result.runs = tap_runs(result.offsets.data(), result.count, static_cast<Size>(c.source.channels));
  return result;
}

constexpr std::ptrdiff_t kZero = 0;

// A product of tight pixels, `in` floats each, with one matrix.
Product pointwise(Size in, const float* matrix, Size out) {
  return {in, &kZero, 1, static_cast<int>(in), matrix, out, out};
}

void convolve_impl(const Convolution& c, const PackedWeights& weights, const Padded& source, float* raw,
                   ConvolutionScratch& scratch) {
  const Size in = static_cast<Size>(c.source.channels), out = static_cast<Size>(c.out_channels);
  const Size width = static_cast<Size>(c.out_width);
  const TapPointers taps = source_taps(c, weights.depthwise());
  if (!c.depthwise) {
    const Product product = {in, taps.offsets.data(), taps.count, c.source.channels, weights.matrices(), out,
                             out};
    for (int y = 0; y < c.out_height; ++y) {
      product_rows<false>(product, source.data() + static_cast<Size>(y) * c.source.row, width,
                          raw + static_cast<Size>(y) * width * out);
    }
    return;
  }
  const int rows = tile_rows(c);
  scratch.values.resize(static_cast<Size>(rows) * width * in);
  const Product product = pointwise(in, weights.matrices(), out);
  for (int y = 0; y < c.out_height; y += rows) {
    const int count = std::min(rows, c.out_height - y);
    depthwise_rows<false>(source.data() + static_cast<Size>(y) * c.source.row, c.source.row, taps.taps.data(),
                          taps.count, taps.runs, count, width * in, in, c.period(), scratch.values.data(),
                          width * in);
    product_rows<false>(product, scratch.values.data(), static_cast<Size>(count) * width,
                        raw + static_cast<Size>(y) * width * out);
  }
}

// gradients = the raw output's gradient over `floats` floats.
void raw_gradient(const float* g, const float* raw, const NormGradient& norm, Size floats, Size period,
                  float* out) {
  const D d;
  for_each(
      floats, period,
      [&](Size q) HWY_ATTR {
        const V g_scale = hn::Load(d, norm.g_scale + q), raw_scale = hn::Load(d, norm.raw_scale + q);
        const V constant = hn::Load(d, norm.constant + q);
        return [=](Size p) HWY_ATTR {
          const V affine = hn::MulAdd(hn::LoadU(d, raw + p), raw_scale, constant);
          hn::Store(hn::MulAdd(hn::LoadU(d, g + p), g_scale, affine), d, out + p);
        };
      },
      [&](Size p, Size q) {
        out[p] = g[p] * norm.g_scale[q] + (raw[p] * norm.raw_scale[q] + norm.constant[q]);
      });
}

// dx (+)= the transposed depthwise convolution of `spread`, the gradient of its output with a halo.
void spread_back(const Convolution& c, const PackedWeights& weights, const Padded& spread, bool accumulate,
                 float* dx) {
  const int s = c.source.stride;
  const Size period = c.period();
  for (int a = 0; a < s; ++a) {
    for (int b = 0; b < s; ++b) {
      const int rows = (c.source.height - a + s - 1) / s, columns = (c.source.width - b + s - 1) / s;
      if (rows <= 0 || columns <= 0) continue;
      // Backwards, so that offsets ascend as they do on the way there.
      TapPointers taps;
      for (Size k = c.taps.size(); k-- > 0;) {
        const int y = a - c.taps[k].y, x = b - c.taps[k].x;
        if (y % s != 0 || x % s != 0) continue;
        taps.add(spread.layout().at(y / s, x / s), weights.depthwise() + k * period);
      }
      taps.runs = tap_runs(taps.offsets.data(), taps.count, static_cast<Size>(c.source.channels));
      (accumulate ? depthwise_rows<true>
                  : depthwise_rows<false>)(spread.data(), spread.layout().row, taps.taps.data(), taps.count,
                                           taps.runs, rows, static_cast<Size>(columns * c.source.channels),
                                           static_cast<Size>(c.source.channels), period,
                                           dx + c.source.at(a, b), c.source.row);
    }
  }
}

void depthwise_back(const Convolution& c, const PackedWeights& weights, const Padded* source, const float* g,
                    const float* raw, const NormGradient& norm, float* dx, bool accumulate,
                    const WeightGradient& gradient, ConvolutionScratch& scratch) {
  const Size in = static_cast<Size>(c.source.channels), out = static_cast<Size>(c.out_channels);
  const Size width = static_cast<Size>(c.out_width), out_period = period_of(c.out_channels);
  const TapPointers taps = source_taps(c, weights.depthwise());
  const int rows = tile_rows(c), halo = c.source.halo;
  scratch.values.resize(static_cast<Size>(rows) * width * in);
  scratch.gradients.resize(static_cast<Size>(rows) * width * out);
  scratch.spread.shape(PaddedLayout(c.source.channels, c.out_height, c.out_width, 1, halo));
  Padded& spread = scratch.spread;
  const Product back = pointwise(out, weights.transposed(), in);
  for (int y = 0; y < c.out_height; y += rows) {
    const int count = std::min(rows, c.out_height - y);
    const Size pixels = static_cast<Size>(count) * width, first = static_cast<Size>(y) * width * out;
    raw_gradient(g + first, raw + first, norm, pixels * out, out_period, scratch.gradients.data());
    if (gradient.matrices != nullptr) {
      depthwise_rows<false>(source->data() + static_cast<Size>(y) * c.source.row, c.source.row,
                            taps.taps.data(), taps.count, taps.runs, count, width * in, in, c.period(),
                            scratch.values.data(), width * in);
      outer_product(scratch.values.data(), in, c.source.channels, scratch.gradients.data(), out, out, pixels,
                    gradient.matrices);
    }
    for (int r = 0; r < count; ++r) {
      product_rows<false>(back, scratch.gradients.data() + static_cast<Size>(r) * width * out, width,
                          spread.data() + spread.layout().at(y + r, 0));
    }
  }
  if (gradient.depthwise != nullptr) {
    depthwise_gradient(source->data(), c.source.row, taps.offsets.data(), taps.count, taps.runs,
                       spread.data() + spread.layout().at(0, 0), spread.layout().row, c.out_height,
                       width * in, in, c.period(), gradient.depthwise);
  }
  if (dx != nullptr) spread_back(c, weights, spread, accumulate, dx);
}

void dense_back(const Convolution& c, const PackedWeights& weights, const Padded* source, const float* g,
                const float* raw, const NormGradient& norm, float* dx, bool accumulate,
                const WeightGradient& gradient, ConvolutionScratch& scratch) {
  if (dx != nullptr && !accumulate) std::fill_n(dx, c.source.size, 0.0f);
  const Size in = static_cast<Size>(c.source.channels), out = static_cast<Size>(c.out_channels);
  const Size width = static_cast<Size>(c.out_width), out_period = period_of(c.out_channels);
  const Size matrix = in * round_up(out), transposed = out * round_up(in);
  scratch.gradients.resize(width * out);
  for (int y = 0; y < c.out_height; ++y) {
    const Size first = static_cast<Size>(y) * width * out;
    raw_gradient(g + first, raw + first, norm, width * out, out_period, scratch.gradients.data());
    for (Size k = 0; k < c.taps.size(); ++k) {
      const std::ptrdiff_t at = c.source.at(c.taps[k].y, c.taps[k].x) +
                                static_cast<std::ptrdiff_t>(static_cast<Size>(y) * c.source.row);
      if (gradient.matrices != nullptr) {
        outer_product(source->data() + at, in, c.source.channels, scratch.gradients.data(), out, out, width,
                      gradient.matrices + k * matrix);
      }
      if (dx == nullptr) continue;
      const Product back = pointwise(out, weights.transposed() + k * transposed, in);
      product_rows<true>(back, scratch.gradients.data(), width, dx + at);
    }
  }
}

void convolve_back_impl(const Convolution& c, const PackedWeights& weights, const Padded* source,
                        const float* g, const float* raw, const NormGradient& norm, float* dx,
                        bool accumulate, const WeightGradient& gradient, ConvolutionScratch& scratch) {
  (c.depthwise ? depthwise_back : dense_back)(c, weights, source, g, raw, norm, dx, accumulate, gradient,
                                              scratch);
}

}  // namespace

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

HWY_EXPORT(pad_image_impl);
HWY_EXPORT(gather_gradient_impl);
HWY_EXPORT(convolve_impl);
HWY_EXPORT(convolve_back_impl);

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
  zeroed(transposed_, static_cast<std::size_t>(c.matrices()) * out * round_up(in));
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
    }
  }
}

void pad_image(Padded& padded, const float* x, const Activation& activation) {
  HWY_DYNAMIC_DISPATCH(pad_image_impl)(padded, x, activation);
}

void gather_gradient(const PaddedLayout& layout, const float* dx, const float* x,
                     const Activation& activation, bool accumulate, float* out) {
  HWY_DYNAMIC_DISPATCH(gather_gradient_impl)(layout, dx, x, activation, accumulate, out);
}

void convolve(const Convolution& convolution, const PackedWeights& weights, const Padded& source, float* raw,
              ConvolutionScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(convolve_impl)(convolution, weights, source, raw, scratch);
}

void convolve_back(const Convolution& convolution, const PackedWeights& weights, const Padded* source,
                   const float* g, const float* raw, const NormGradient& norm, float* dx, bool accumulate,
                   const WeightGradient& gradient, ConvolutionScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(convolve_back_impl)
  (convolution, weights, source, g, raw, norm, dx, accumulate, gradient, scratch);
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
