#include "ptnas/kernels/norm.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "ptnas/kernels/padded.h"
#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/norm.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include "ptnas/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

using Size = std::size_t;

// Zeroed sums by position: on the stack where the period is a usual one.
class PositionSums {
 public:
  explicit PositionSums(Size count)
      : large_(count > kUsual ? count : 0), at_(large_.empty() ? usual_ : large_.data()) {
    std::fill_n(at_, count, 0.0);
  }
  PositionSums(const PositionSums&) = delete;
  PositionSums& operator=(const PositionSums&) = delete;
  double* data() { return at_; }

 private:
  static constexpr Size kUsual = 512;
  double usual_[kUsual];
  std::vector<double> large_;
  double* at_;
};

void channel_moments_impl(const float* x, Size pixels, int channels, const Moments& moments) {
  const Size c = static_cast<Size>(channels), period = period_of(channels);
  std::vector<float> pivot(period + kVectorFloats);
  fill_period(x, channels, pivot.data());
  PositionSums sums(2 * period);
  add_moments(x, pixels * c, period, pivot.data(), {sums.data(), sums.data() + period});
  finish_moments(sums.data(), x, pixels, channels, moments);
}

// Adds what each position holds to its channel's sum.
void fold(const double* by_position, Size period, Size channels, double* sums) {
  std::fill_n(sums, channels, 0.0);
  for (Size at = 0; at < period; at += channels) {
    for (Size i = 0; i < channels; ++i) sums[i] += by_position[at + i];
  }
}

void channel_sums_impl(const float* g, Size pixels, int channels, double* sum) {
  const D d;
  const Size c = static_cast<Size>(channels), period = period_of(channels);
  PositionSums sums(period);
  sum_by_position<1>(
      pixels * c, period,
      [&](Size p, Size, Size u, auto& vectors)
          HWY_ATTR { vectors[0][u] = hn::Add(vectors[0][u], hn::LoadU(d, g + p)); },
      [&](Size p, Size, float* values) { values[0] = g[p]; }, {sums.data()});
  fold(sums.data(), period, c, sum);
}

void product_sums_impl(const float* g, const float* x, const float* center, Size pixels, int channels,
                       double* sum) {
  const D d;
  const Size c = static_cast<Size>(channels), period = period_of(channels);
  PositionSums sums(period);
  sum_by_position<1>(
      pixels * c, period,
      [&](Size p, Size q, Size u, auto& vectors) HWY_ATTR {
        const V apart = hn::Sub(hn::LoadU(d, x + p), hn::Load(d, center + q));
        vectors[0][u] = hn::MulAdd(hn::LoadU(d, g + p), apart, vectors[0][u]);
      },
      [&](Size p, Size q, float* values) { values[0] = g[p] * (x[p] - center[q]); }, {sums.data()});
  fold(sums.data(), period, c, sum);
}

template <int kBlock>
HWY_INLINE void mix_block(const MixTerm* terms, int count, const float* constant, Size p, Size q, Size step,
                          bool accumulate, float* out) {
  const D d;
  V sum[kBlock];
  const V start = hn::Load(d, constant + q);
#pragma GCC unroll 8
  for (Size v = 0; v < kBlock; ++v) {
    sum[v] = accumulate ? hn::Add(start, hn::LoadU(d, out + p + v * step)) : start;
  }
  for (int t = 0; t < count; ++t) {
    const V scale = hn::Load(d, terms[t].scale_table + q);
    const float* x = terms[t].x + p;
#pragma GCC unroll 8
    for (Size v = 0; v < kBlock; ++v) sum[v] = hn::MulAdd(scale, hn::LoadU(d, x + v * step), sum[v]);
  }
#pragma GCC unroll 8
  for (Size v = 0; v < kBlock; ++v) hn::StoreU(sum[v], d, out + p + v * step);
}

void mix_impl(const MixTerm* terms, int count, const float* constant, Size pixels, int channels,
              bool accumulate, float* out) {
  const Size length = pixels * static_cast<Size>(channels), period = period_of(channels);
  for (Size begin = 0; begin < length; begin += 8 * period) {
    const Size end = std::min(length, begin + 8 * period);
    for (Size j = 0; j < period && begin + j < end; j += kLanes) {
      if (begin + j + 7 * period + kLanes <= end) {
        mix_block<8>(terms, count, constant, begin + j, j, period, accumulate, out);
        continue;
      }
      Size p = begin + j;
      for (; p + kLanes <= end; p += period)
        mix_block<1>(terms, count, constant, p, j, period, accumulate, out);
      for (Size i = p; i < std::min(end, p + kLanes); ++i) {
        float sum = constant[j + i - p] + (accumulate ? out[i] : 0.0f);
        for (int t = 0; t < count; ++t) sum += terms[t].scale_table[j + i - p] * terms[t].x[i];
        out[i] = sum;
      }
    }
  }
}

}  // namespace

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

void finish_moments(const double* sums, const float* pivot, std::size_t pixels, int channels,
                    const Moments& moments) {
  const auto c = static_cast<std::size_t>(channels);
  const std::size_t period = period_of(channels);
  const auto n = static_cast<double>(pixels);
  for (std::size_t i = 0; i < c; ++i) {
    double sum = 0, square = 0;
    for (std::size_t at = i; at < period; at += c) {
      sum += sums[at];
      square += sums[period + at];
    }
    moments.mean[i] = static_cast<double>(pivot[i]) + sum / n;
    const double m2 = square - sum * sum / n;
    moments.m2[i] = m2 < 0 ? 0 : m2;  // not max: a NaN has to show
  }
}

HWY_EXPORT(channel_moments_impl);
HWY_EXPORT(channel_sums_impl);
HWY_EXPORT(product_sums_impl);
HWY_EXPORT(mix_impl);

void channel_moments(const float* x, std::size_t pixels, int channels, const Moments& moments) {
  HWY_DYNAMIC_DISPATCH(channel_moments_impl)(x, pixels, channels, moments);
}

void channel_sums(const float* g, std::size_t pixels, int channels, double* sum) {
  HWY_DYNAMIC_DISPATCH(channel_sums_impl)(g, pixels, channels, sum);
}

void product_sums(const float* g, const float* x, const float* center_table, std::size_t pixels, int channels,
                  double* sum) {
  HWY_DYNAMIC_DISPATCH(product_sums_impl)(g, x, center_table, pixels, channels, sum);
}

void gradient_sums(const float* g, const float* x, const float* center_table, std::size_t pixels,
                   int channels, double* sum_g, double* sum_gx) {
  channel_sums(g, pixels, channels, sum_g);
  product_sums(g, x, center_table, pixels, channels, sum_gx);
}

void mix(const MixTerm* terms, int count, const float* constant_table, std::size_t pixels, int channels,
         bool accumulate, float* out) {
  HWY_DYNAMIC_DISPATCH(mix_impl)(terms, count, constant_table, pixels, channels, accumulate, out);
}

void copy_pixels(const float* x, std::size_t x_step, std::size_t pixels, int channels, float* out,
                 std::size_t out_step) {
  const auto floats = static_cast<std::size_t>(channels);
  if (x_step == floats && out_step == floats) {
    std::memcpy(out, x, pixels * floats * sizeof(float));
    return;
  }
  for (std::size_t p = 0; p < pixels; ++p)
    std::memcpy(out + p * out_step, x + p * x_step, floats * sizeof(float));
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
