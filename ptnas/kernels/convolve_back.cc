#include <algorithm>

#include "ptnas/kernels/convolution.h"
#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/convolve_back.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include "ptnas/kernels/convolution-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

using Size = std::size_t;

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

// The gradient of a depthwise convolution's output into the pixels of `spread`; adds to the weights'
// gradient.
void spread_gradient(const Convolution& c, const PackedWeights& weights, const Padded* source, const float* g,
                     const float* raw, const NormGradient& norm, const WeightGradient& gradient,
                     Padded& spread, ConvolutionScratch& scratch) {
  const Size in = static_cast<Size>(c.source.channels), out = static_cast<Size>(c.out_channels);
  const Size width = static_cast<Size>(c.out_width), out_period = period_of(c.out_channels);
  const int rows = tile_rows(c);
  scratch.values.resize(static_cast<Size>(rows) * width * in);
  scratch.gradients.resize(static_cast<Size>(rows) * width * out);
  spread.shape(PaddedLayout(c.source.channels, c.out_height, c.out_width, 1, c.source.halo));
  const Product back = pointwise(out, weights.transposed(), in);
  const bool wants_weights = gradient.matrices != nullptr;
  const Taps taps = wants_weights ? source_taps(c, source->data(), weights.depthwise()) : Taps(0);
  const TapGroup group = taps.group(c.source.channels, c.period());
  int done = 0;  // rows whose part of the depthwise weights' gradient is taken
  for (int y = 0; y < c.out_height; y += rows) {
    const int count = std::min(rows, c.out_height - y);
    const Size pixels = static_cast<Size>(count) * width, first = static_cast<Size>(y) * width * out;
    prefetch(g + first + pixels * out, pixels * out);
    prefetch(raw + first + pixels * out, pixels * out);
    raw_gradient(g + first, raw + first, norm, pixels * out, out_period, scratch.gradients.data());
    if (wants_weights) {
      depthwise_tile(c, group, y, count, scratch.values.data());
      outer_product(scratch.values.data(), in, c.source.channels, scratch.gradients.data(), out, out, pixels,
                    gradient.matrices);
    }
    for (int r = 0; r < count; ++r) {
      product_rows<false>(back, scratch.gradients.data() + static_cast<Size>(r) * width * out, width,
                          spread.data() + spread.layout().at(y + r, 0));
    }
    // While source and gradient are still in the first cache.
    const int ready = y + count - done;
    if (gradient.depthwise != nullptr && (ready >= kGradientRows || y + count == c.out_height)) {
      depthwise_gradient(source->data() + static_cast<Size>(done) * c.source.row, c.source.row,
                         taps.offsets().data(), group.count, group.runs,
                         spread.data() + spread.layout().at(done, 0), spread.layout().row, ready, width * in,
                         in, c.period(), gradient.depthwise);
      done = y + count;
    }
  }
}

// The transposed convolution's taps for the source pixels of phase (a, b), backwards, so that offsets ascend
// as they do on the way there.
Taps transposed_taps(const Convolution& c, const PackedWeights& weights, const Padded& spread, int a, int b) {
  const int s = c.source.stride;
  Taps taps(c.taps.size());
  for (Size k = c.taps.size(); k-- > 0;) {
    const int y = a - c.taps[k].y, x = b - c.taps[k].x;
    if (y % s != 0 || x % s != 0) continue;
    taps.add(spread.data(), spread.layout().at(y / s, x / s), weights.depthwise() + k * c.period());
  }
  return taps;
}

// Rows of a padded image: out = sum, or out += sum.
template <bool kAccumulate>
struct PaddedRows {
  float* out;
  Size row;
  HWY_INLINE void operator()(V sum, int r, Size p) const {
    const D d;
    float* at = out + static_cast<Size>(r) * row + p;
    hn::StoreU(kAccumulate ? hn::Add(hn::LoadU(d, at), sum) : sum, d, at);
  }
};

// dx (+)= the transposed depthwise convolution of `spread`, in the source's layout.
void spread_to_padded(const Convolution& c, const PackedWeights& weights, const Padded& spread,
                      bool accumulate, float* dx) {
  const int s = c.source.stride;
  for (int a = 0; a < s; ++a) {
    for (int b = 0; b < s; ++b) {
      const int rows = (c.source.height - a + s - 1) / s, columns = (c.source.width - b + s - 1) / s;
      if (rows <= 0 || columns <= 0) continue;
      const Taps taps = transposed_taps(c, weights, spread, a, b);
      const TapGroup group = taps.group(c.source.channels, c.period());
      const Size length = static_cast<Size>(columns * c.source.channels);
      const auto into = [&](const auto& finish) HWY_ATTR {
        depthwise_rows(&group, 1, {0, spread.layout().row}, rows, length, c.period(), finish);
      };
      float* out = dx + c.source.at(a, b);
      accumulate ? into(PaddedRows<true>{out, c.source.row}) : into(PaddedRows<false>{out, c.source.row});
    }
  }
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
  if (!c.depthwise) {
    dense_back(c, weights, source, g, raw, norm, dx, accumulate, gradient, scratch);
    return;
  }
  spread_gradient(c, weights, source, g, raw, norm, gradient, scratch.spread, scratch);
  if (dx != nullptr) spread_to_padded(c, weights, scratch.spread, accumulate, dx);
}

// Tight rows of the gradient before a ReLU: where the source is positive, out = sum, or out += sum.
template <bool kAccumulate>
struct MaskedRows {
  const float* source;  // of the first pixel, padded
  Size source_row;
  float* out;
  Size length;
  HWY_INLINE void operator()(V sum, int r, Size p) const {
    const D d;
    const V x = hn::LoadU(d, source + static_cast<Size>(r) * source_row + p);
    V value = hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), sum);
    float* at = out + static_cast<Size>(r) * length + p;
    if (kAccumulate) value = hn::Add(hn::LoadU(d, at), value);
    if (p + kLanes <= length) {
      hn::StoreU(value, d, at);
    } else {
      store_first(value, length - p, at);
    }
  }
};

void spread_back_impl(const SpreadUnit* units, int count, const Padded& source, bool accumulate, float* out) {
  const PaddedLayout& layout = source.layout();
  std::vector<Taps> taps;
  std::vector<TapGroup> groups;
  taps.reserve(static_cast<Size>(count));
  groups.reserve(static_cast<Size>(count));
  for (int u = 0; u < count; ++u) {
    taps.push_back(transposed_taps(*units[u].convolution, *units[u].weights, *units[u].spread, 0, 0));
  }
  for (const Taps& of_unit : taps) groups.push_back(of_unit.group(layout.channels, layout.period));
  const Size length = static_cast<Size>(layout.width * layout.channels);
  const float* x = source.data() + layout.at(0, 0);
  const auto into = [&](const auto& finish) HWY_ATTR {
    depthwise_rows(groups.data(), count, {0, units[0].spread->layout().row}, layout.height, length,
                   layout.period, finish);
  };
  accumulate ? into(MaskedRows<true>{x, layout.row, out, length})
             : into(MaskedRows<false>{x, layout.row, out, length});
}

}  // namespace

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

HWY_EXPORT(spread_gradient);
HWY_EXPORT(convolve_back_impl);
HWY_EXPORT(spread_back_impl);

void convolve_back(const Convolution& convolution, const PackedWeights& weights, const Padded* source,
                   const float* g, const float* raw, const NormGradient& norm, float* dx, bool accumulate,
                   const WeightGradient& gradient, ConvolutionScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(convolve_back_impl)
  (convolution, weights, source, g, raw, norm, dx, accumulate, gradient, scratch);
}

void depthwise_back(const Convolution& convolution, const PackedWeights& weights, const Padded* source,
                    const float* g, const float* raw, const NormGradient& norm,
                    const WeightGradient& gradient, Padded& spread, ConvolutionScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(spread_gradient)
  (convolution, weights, source, g, raw, norm, gradient, spread, scratch);
}

void spread_back(const SpreadUnit* units, int count, const Padded& source, bool accumulate, float* out) {
  HWY_DYNAMIC_DISPATCH(spread_back_impl)(units, count, source, accumulate, out);
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
