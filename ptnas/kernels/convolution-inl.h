// What the convolutions' ways there and back share, for one instruction set.
#if defined(PTNAS_KERNELS_CONVOLUTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PTNAS_KERNELS_CONVOLUTION_INL_H_
#undef PTNAS_KERNELS_CONVOLUTION_INL_H_
#else
#define PTNAS_KERNELS_CONVOLUTION_INL_H_
#endif

#include <algorithm>
#include <vector>

#include "ptnas/kernels/convolution.h"
#include "ptnas/kernels/depthwise-inl.h"
#include "ptnas/kernels/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

// Pixels that are in work at once: enough to fill the product's registers, few enough for the first cache.
constexpr int kTilePixels = 32;
constexpr std::ptrdiff_t kZero = 0;

inline int tile_rows(const Convolution& c) { return std::clamp(kTilePixels / c.out_width, 1, c.out_height); }

// A product of tight pixels, `in` floats each, with one matrix.
inline Product pointwise(std::size_t in, const float* matrix, std::size_t out) {
  return {in, &kZero, 1, static_cast<int>(in), matrix, out, out};
}

// Taps of one convolution, gathered.
class Taps {
 public:
  explicit Taps(std::size_t count) {
    taps_.reserve(count);
    offsets_.reserve(count);
  }
  void add(const float* in, std::ptrdiff_t offset, const float* weights) {
    taps_.push_back({in + offset, weights});
    offsets_.push_back(offset);
  }
  const std::vector<std::ptrdiff_t>& offsets() const { return offsets_; }
  TapGroup group(int channels, std::size_t period) const {
    TapGroup result{taps_.data(), static_cast<int>(taps_.size()), {}};
    if (period == static_cast<std::size_t>(channels)) {
      result.runs = tap_runs(offsets_.data(), result.count, static_cast<std::size_t>(channels));
    }
    return result;
  }

 private:
  std::vector<TapPointer> taps_;
  std::vector<std::ptrdiff_t> offsets_;
};

// Of a depthwise convolution from its padded source.
inline Taps source_taps(const Convolution& c, const float* source, const float* weights) {
  Taps taps(c.taps.size());
  for (const Tap& tap : c.taps) {
    taps.add(source, c.source.at(tap.y, tap.x), weights);
    weights += c.period();
  }
  return taps;
}

// Tight rows [row][pixel][channel]: whole vectors are written, up to kLanes - 1 floats past the last.
struct StoreRows {
  float* out;
  std::size_t row;
  HWY_INLINE void operator()(V sum, int r, std::size_t p) const {
    hn::StoreU(sum, D(), out + static_cast<std::size_t>(r) * row + p);
  }
};

// The depthwise sums of `count` rows of output from row y on, tight; `group` of the source's taps. Rows in
// ascending order: what is written past one is put right by the next.
HWY_INLINE void depthwise_tile(const Convolution& c, const TapGroup& group, int y, int count, float* out) {
  const std::size_t length = static_cast<std::size_t>(c.out_width * c.source.channels);
  depthwise_rows(&group, 1, {static_cast<std::size_t>(y) * c.source.row, c.source.row}, count, length,
                 c.period(), StoreRows{out, length});
}

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
