// What all kernels are made of, for one instruction set: included by each dispatched file inside
// foreach_target. Single-threaded; plain pointers. `length` counts floats of consecutive pixels
// [pixel][channel].
#if defined(PTNAS_KERNELS_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PTNAS_KERNELS_VECTORS_INL_H_
#undef PTNAS_KERNELS_VECTORS_INL_H_
#else
#define PTNAS_KERNELS_VECTORS_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>

#include "ptnas/kernels/padded.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr std::size_t kLanes = hn::MaxLanes(D());
// 32 vector registers, or 16.
constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64;

// The first `count` < kLanes floats of v; nothing beyond is touched.
HWY_INLINE void store_first(V v, std::size_t count, float* out) {
  const D d;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, count), d, out);
#else
  HWY_ALIGN float lanes[kLanes];
  hn::Store(v, d, lanes);
  for (std::size_t i = 0; i < count; ++i) out[i] = lanes[i];
#endif
}

// A vector that is loaded once for several uses: without this gcc loads it again for each of them.
HWY_INLINE void keep_loaded(V& v) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  __asm__("" : "+v"(v.raw));
#else
  (void)v;
#endif
}

// What lies `floats` from p on is wanted soon, to be read or to be written.
HWY_INLINE void prefetch(const float* p, std::size_t floats) {
  for (std::size_t i = 0; i < floats; i += 64 / sizeof(float)) hwy::Prefetch(p + i);
}
HWY_INLINE void prefetch_to_write(const float* p, std::size_t floats) {
  for (std::size_t i = 0; i < floats; i += 64 / sizeof(float)) {
#if HWY_ARCH_X86
    __asm__ volatile("prefetchw %0" : : "m"(p[i]));
#else
    __builtin_prefetch(p + i, 1);
#endif
  }
}

// Goes over `length` floats of consecutive pixels. at(q) loads what the vector at position q of the period
// tables needs and returns what is done with a vector at p; scalar(p, q) does the floats that are left.
template <typename At, typename Scalar>
HWY_INLINE void for_each(std::size_t length, std::size_t period, const At& at, const Scalar& scalar) {
  std::size_t p = 0, q = 0;
  if (period == kVectorFloats && length >= kVectorFloats) {
    // All vectors of a position in turn: what the tables hold stays in registers.
    const std::size_t whole = length / kVectorFloats * kVectorFloats;
    if constexpr (kLanes == kVectorFloats) {
      const auto body = at(std::size_t{0});
      for (; p < whole; p += kLanes) body(p);
    } else if constexpr (2 * kLanes == kVectorFloats) {
      const auto low = at(std::size_t{0}), high = at(kLanes);
      for (; p < whole; p += kVectorFloats) {
        low(p);
        high(p + kLanes);
      }
    }
  }
  for (; p + kLanes <= length; p += kLanes) {
    at(q)(p);
    q += kLanes;
    if (q == period) q = 0;
  }
  for (; p < length; ++p) {
    scalar(p, q);
    if (++q == period) q = 0;
  }
}

// Runs of this many floats are summed in single precision before they join a sum in double.
constexpr std::size_t kRun = 4096;  // at C = 16, 256 pixels

// Adds to the sums in double at sums[s][position], position in the period, over `length` floats that begin
// where the period does: body(p, position, u, sum) adds a vector to sum[s][u], tail(p, position, values)
// makes the values of a float that is left.

template <int kSums, typename Body, typename Tail>
HWY_INLINE void sum_by_position(std::size_t length, std::size_t period, const Body& body, const Tail& tail,
                                double* const (&sums)[kSums]) {
  const D d;
  const std::size_t run = period > kRun ? period : kRun / period * period;
  for (std::size_t begin = 0; begin < length; begin += run) {
    const std::size_t end = length - begin < run ? length : begin + run;
    for (std::size_t j = 0; j < period && begin + j + kLanes <= end; j += kLanes) {
      V sum[kSums][4];
#pragma GCC unroll 8
      for (int s = 0; s < kSums; ++s) {
#pragma GCC unroll 4
        for (int u = 0; u < 4; ++u) sum[s][u] = hn::Zero(d);
      }
      std::size_t p = begin + j;
      for (; p + 3 * period + kLanes <= end; p += 4 * period) {
#pragma GCC unroll 4
        for (std::size_t u = 0; u < 4; ++u) body(p + u * period, j, u, sum);
      }
      for (; p + kLanes <= end; p += period) body(p, j, 0, sum);
      HWY_ALIGN float lanes[kLanes];
#pragma GCC unroll 8
      for (int s = 0; s < kSums; ++s) {
        hn::Store(hn::Add(hn::Add(sum[s][0], sum[s][1]), hn::Add(sum[s][2], sum[s][3])), d, lanes);
        double* at = sums[s] + j;
        for (std::size_t i = 0; i < kLanes; ++i) at[i] += static_cast<double>(lanes[i]);
      }
    }
    // What no whole vector covers: the end of the last run.
    for (std::size_t p = begin + (end - begin) / kLanes * kLanes; p < end; ++p) {
      float values[kSums];
      tail(p, (p - begin) % period, values);
      for (int s = 0; s < kSums; ++s) sums[s][(p - begin) % period] += static_cast<double>(values[s]);
    }
  }
}

// Sums of x - pivot and of its square, to sums[0] and sums[1] by position; `pivot` by position.
HWY_INLINE void add_moments(const float* x, std::size_t length, std::size_t period, const float* pivot,
                            double* const (&sums)[2]) {
  const D d;
  sum_by_position<2>(
      length, period,
      [&](std::size_t p, std::size_t q, std::size_t u, auto& sum) HWY_ATTR {
        const V apart = hn::Sub(hn::LoadU(d, x + p), hn::LoadU(d, pivot + q));
        sum[0][u] = hn::Add(sum[0][u], apart);
        sum[1][u] = hn::MulAdd(apart, apart, sum[1][u]);
      },
      [&](std::size_t p, std::size_t q, float* values) {
        values[0] = x[p] - pivot[q];
        values[1] = values[0] * values[0];
      },
      sums);
}

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
