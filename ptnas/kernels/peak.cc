#include "ptnas/kernels/peak.h"

#include "ptnas/kernels/padded.h"
#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/peak.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include "ptnas/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

// Enough independent sums to hide the latency of two units.
constexpr int kSums = 12;

double multiply_add_peak_impl(std::size_t rounds, float* sink) {
  const D d;
  V sum[kSums];
#pragma GCC unroll 16
  for (int i = 0; i < kSums; ++i) sum[i] = hn::Set(d, static_cast<float>(i));
  const V factor = hn::Set(d, 0.999f), term = hn::Set(d, 1e-3f);
  for (std::size_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sum[i] = hn::MulAdd(sum[i], factor, term);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kSums; ++i) *sink += hn::GetLane(sum[i]);
  return 2.0 * static_cast<double>(kLanes) * kSums * static_cast<double>(rounds);
}

}  // namespace

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

HWY_EXPORT(multiply_add_peak_impl);

double multiply_add_peak(std::size_t rounds, float* sink) {
  return HWY_DYNAMIC_DISPATCH(multiply_add_peak_impl)(rounds, sink);
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
