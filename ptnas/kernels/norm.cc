#include "ptnas/kernels/norm.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "ptnas/kernels/padded.h"
#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/norm.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include "ptnas/kernels/primitives-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

using Size = std::size_t;

// Runs of this many floats are summed in single precision before they join a sum in double: at C = 16, 256
// pixels.
constexpr Size kRun = 4096;

// Calls body(first position, table position, lanes of the accumulators) over whole vectors of a run, four
// accumulators apart, and folds the accumulators of each table position into sums[channel].
template <int kSums, typename Body, typename Tail>
void sum_by_channel(Size length, Size period, Size channels, const Body& body, const Tail& tail,
                    double* const (&sums)[kSums]) {
  const D d;
  // A run is a multiple of the period, so that a table position always means the same channels.
  const Size run = std::max<Size>(period, kRun / period * period);
  for (Size begin = 0; begin < length; begin += run) {
    const Size end = std::min(length, begin + run);
    for (Size j = 0; j < period && begin + j + kLanes <= end; j += kLanes) {
      V sum[kSums][4];
#pragma GCC unroll 8
      for (int s = 0; s < kSums; ++s) {
#pragma GCC unroll 4
        for (int u = 0; u < 4; ++u) sum[s][u] = hn::Zero(d);
      }
      Size p = begin + j;
      for (; p + 3 * period + kLanes <= end; p += 4 * period) {
#pragma GCC unroll 4
        for (Size u = 0; u < 4; ++u) {
          V values[kSums];
          body(p + u * period, j, values);
#pragma GCC unroll 8
          for (int s = 0; s < kSums; ++s) sum[s][u] = hn::Add(sum[s][u], values[s]);
        }
      }
      for (; p + kLanes <= end; p += period) {
        V values[kSums];
        body(p, j, values);
#pragma GCC unroll 8
        for (int s = 0; s < kSums; ++s) sum[s][0] = hn::Add(sum[s][0], values[s]);
      }
      HWY_ALIGN float lanes[kLanes];
#pragma GCC unroll 8
      for (int s = 0; s < kSums; ++s) {
        hn::Store(hn::Add(hn::Add(sum[s][0], sum[s][1]), hn::Add(sum[s][2], sum[s][3])), d, lanes);
        for (Size i = 0; i < kLanes; ++i) sums[s][(j + i) % channels] += static_cast<double>(lanes[i]);
      }
    }
    // What no whole vector covers: the end of the last run.
    for (Size p = begin + (end - begin) / kLanes * kLanes; p < end; ++p) {
      float values[kSums];
      tail(p, (p - begin) % period, values);
      for (int s = 0; s < kSums; ++s) sums[s][(p - begin) % channels] += static_cast<double>(values[s]);
    }
  }
}

void channel_moments_impl(const float* x, Size pixels, int channels, const Moments& moments) {
  const D d;
  const Size c = static_cast<Size>(channels), period = period_of(channels);
  std::vector<double> sum(c, 0), square(c, 0);
  Floats pivot(period);
  fill_period(x, channels, pivot.data());
  double* const sums[2] = {sum.data(), square.data()};
  sum_by_channel<2>(
      pixels * c, period, c,
      [&](Size p, Size q, V* values) HWY_ATTR {
        values[0] = hn::Sub(hn::LoadU(d, x + p), hn::Load(d, pivot.data() + q));
        values[1] = hn::Mul(values[0], values[0]);
      },
      [&](Size p, Size q, float* values) {
        values[0] = x[p] - pivot.data()[q];
        values[1] = values[0] * values[0];
      },
      sums);
  const auto n = static_cast<double>(pixels);
  for (Size i = 0; i < c; ++i) {
    moments.mean[i] = static_cast<double>(x[i]) + sum[i] / n;
    const double m2 = square[i] - sum[i] * sum[i] / n;
    moments.m2[i] = m2 < 0 ? 0 : m2;
  }
}

void gradient_sums_impl(const float* g, const float* x, const float* center, Size pixels, int channels,
                        double* sum_g, double* sum_gx) {
  const D d;
  const Size c = static_cast<Size>(channels), period = period_of(channels);
  std::fill_n(sum_g, c, 0.0);
  if (x == nullptr) {
    double* const sums[1] = {sum_g};
    sum_by_channel<1>(
        pixels * c, period, c, [&](Size p, Size, V* values) HWY_ATTR { values[0] = hn::LoadU(d, g + p); },
        [&](Size p, Size, float* values) { values[0] = g[p]; }, sums);
    return;
  }
  std::fill_n(sum_gx, c, 0.0);
  double* const sums[2] = {sum_g, sum_gx};
  sum_by_channel<2>(
      pixels * c, period, c,
      [&](Size p, Size q, V* values) HWY_ATTR {
        values[0] = hn::LoadU(d, g + p);
        values[1] = hn::Mul(values[0], hn::Sub(hn::LoadU(d, x + p), hn::Load(d, center + q)));
      },
      [&](Size p, Size q, float* values) {
        values[0] = g[p];
        values[1] = g[p] * (x[p] - center[q]);
      },
      sums);
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

HWY_EXPORT(channel_moments_impl);
HWY_EXPORT(gradient_sums_impl);
HWY_EXPORT(mix_impl);

void channel_moments(const float* x, std::size_t pixels, int channels, const Moments& moments) {
  HWY_DYNAMIC_DISPATCH(channel_moments_impl)(x, pixels, channels, moments);
}

void gradient_sums(const float* g, const float* x, const float* center_table, std::size_t pixels,
                   int channels, double* sum_g, double* sum_gx) {
  HWY_DYNAMIC_DISPATCH(gradient_sums_impl)(g, x, center_table, pixels, channels, sum_g, sum_gx);
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
