#include <algorithm>

#include "ptnas/kernels/convolution.h"
#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/convolve.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include "ptnas/kernels/convolution-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

using Size = std::size_t;

// Floats of raw output, still in the first cache, whose sums are taken at once.
constexpr Size kMomentFloats = 2048;

// A norm's sums of the raw output, taken tile by tile where tiles are whole periods, else of the whole image.
class RawMoments {
 public:
  RawMoments(const Convolution& c, const float* raw, const Moments& wanted, std::vector<double>& sums)
      : c_(c), raw_(raw), wanted_(wanted), sums_(sums), period_(period_of(c.out_channels)) {
    if (by_tile()) sums_.assign(2 * period_, 0);
  }

  // The output is there up to that pixel.
  void reach(Size pixels) {
    const Size end = pixels * static_cast<Size>(c_.out_channels);
    if (by_tile() && end - taken_ >= kMomentFloats) take(end);
  }
  void finish() {
    if (by_tile()) {
      take(c_.pixels() * static_cast<Size>(c_.out_channels));
      finish_moments(sums_.data(), raw_, c_.pixels(), c_.out_channels, wanted_);
    } else if (wanted_.mean != nullptr) {
      channel_moments(raw_, c_.pixels(), c_.out_channels, wanted_);
    }
  }

 private:
  bool by_tile() const { return wanted_.mean != nullptr && period_ == static_cast<Size>(c_.out_channels); }
  void take(Size end) {
    add_moments(raw_ + taken_, end - taken_, period_, raw_, {sums_.data(), sums_.data() + period_});
    taken_ = end;
  }

  const Convolution& c_;
  const float* raw_;
  const Moments& wanted_;
  std::vector<double>& sums_;
  Size period_, taken_ = 0;  // floats
};

void convolve_impl(const Convolution& c, const PackedWeights& weights, const Padded& source, float* raw,
                   const Moments& moments, ConvolutionScratch& scratch) {
  const Size in = static_cast<Size>(c.source.channels), out = static_cast<Size>(c.out_channels);
  const Size width = static_cast<Size>(c.out_width);
  const Taps taps = source_taps(c, source.data(), weights.depthwise());
  const TapGroup group = taps.group(c.source.channels, c.period());
  RawMoments sums(c, raw, moments, scratch.sums);
  const int rows = c.depthwise ? tile_rows(c) : 1;
  scratch.values.resize(static_cast<Size>(rows) * width * in);
  const Product product =
      c.depthwise
          ? pointwise(in, weights.matrices(), out)
          : Product{in, taps.offsets().data(), group.count, c.source.channels, weights.matrices(), out, out};
  for (int y = 0; y < c.out_height; y += rows) {
    const int count = std::min(rows, c.out_height - y);
    const Size first = static_cast<Size>(y) * width, pixels = static_cast<Size>(count) * width;
    prefetch_to_write(raw + (first + pixels) * out, pixels * out);
    const float* values = source.data() + static_cast<Size>(y) * c.source.row;
    if (c.depthwise) {
      depthwise_tile(c, group, y, count, scratch.values.data());
      values = scratch.values.data();
    }
    product_rows<false>(product, values, pixels, raw + first * out);
    sums.reach(first + pixels);
  }
  sums.finish();
}

}  // namespace

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

HWY_EXPORT(convolve_impl);

void convolve(const Convolution& convolution, const PackedWeights& weights, const Padded& source, float* raw,
              const Moments& moments, ConvolutionScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(convolve_impl)(convolution, weights, source, raw, moments, scratch);
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
