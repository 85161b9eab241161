#include "ptnas/kernels/pool.h"

#include <algorithm>
#include <array>
#include <limits>

#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/pool.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include "ptnas/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

using Size = std::size_t;

constexpr int kTaps = 9;

std::array<std::ptrdiff_t, kTaps> window(const PaddedLayout& layout) {
  std::array<std::ptrdiff_t, kTaps> offsets;
  for (int k = 0; k < kTaps; ++k) offsets[static_cast<Size>(k)] = layout.at(k / 3 - 1, k % 3 - 1);
  return offsets;
}

int strided(int size, int stride) { return (size + stride - 1) / stride; }

// Positions -1, 0, 1 around stride * at that lie inside 0 .. size - 1.
int inside(int at, int stride, int size) {
  const int middle = stride * at;
  return 1 + (middle > 0 ? 1 : 0) + (middle + 1 < size ? 1 : 0);
}

// shares[rows inside - 1][x][c] = 1 / (pixels of the window that lie inside).
void fill_shares(const PaddedLayout& layout, Floats& shares, Size row) {
  const int width = strided(layout.width, layout.stride), channels = layout.channels;
  shares.resize(3 * row);
  for (int rows = 1; rows <= 3; ++rows) {
    float* out = shares.data() + static_cast<Size>(rows - 1) * row;
    for (int x = 0; x < width; ++x) {
      out = std::fill_n(out, channels,
                        1.0f / static_cast<float>(rows * inside(x, layout.stride, layout.width)));
    }
  }
}

// One output row: length floats and up to kLanes - 1 more are written.
void maximum_row(const float* in, const std::ptrdiff_t* offsets, Size length, float* out) {
  const D d;
  for (Size p = 0; p < length; p += kLanes) {
    V best = hn::LoadU(d, in + offsets[0] + p);
#pragma GCC unroll 8
    for (int k = 1; k < kTaps; ++k) best = hn::Max(best, hn::LoadU(d, in + offsets[k] + p));
    hn::StoreU(best, d, out + p);
  }
}

void average_row(const float* in, const std::ptrdiff_t* offsets, const float* shares, Size length,
                 float* out) {
  const D d;
  for (Size p = 0; p < length; p += kLanes) {
    V sum = hn::LoadU(d, in + offsets[0] + p);
#pragma GCC unroll 8
    for (int k = 1; k < kTaps; ++k) sum = hn::Add(sum, hn::LoadU(d, in + offsets[k] + p));
    hn::StoreU(hn::Mul(sum, hn::LoadU(d, shares + p)), d, out + p);
  }
}

void pool_impl(PoolKind kind, const PaddedLayout& layout, const float* x, float* out, PoolScratch& scratch) {
  const bool maximum = kind == PoolKind::kMaximum;
  const int height = strided(layout.height, layout.stride), width = strided(layout.width, layout.stride);
  const Size length = static_cast<Size>(width * layout.channels), row = round_up(length);
  // Outside counts for nothing: the least number, or 0.
  Padded& source = maximum ? scratch.maximum : scratch.average;
  source.shape(layout, maximum ? std::numeric_limits<float>::lowest() : 0.0f);
  pad_image(source, x, {});
  scratch.rows.resize(row);
  if (!maximum) fill_shares(layout, scratch.shares, row);
  const auto offsets = window(layout);
  for (int y = 0; y < height; ++y, out += length) {
    const float* in = source.data() + static_cast<Size>(y) * layout.row;
    if (maximum) {
      maximum_row(in, offsets.data(), length, scratch.rows.data());
    } else {
      const Size share = static_cast<Size>(inside(y, layout.stride, layout.height) - 1) * row;
      average_row(in, offsets.data(), scratch.shares.data() + share, length, scratch.rows.data());
    }
    std::copy_n(scratch.rows.data(), length, out);
  }
}

// g's row through the norm, times shares where given; zero up to a whole vector.
void gradient_row(const float* g, const float* out, const NormGradient& norm, const float* shares,
                  Size length, Size period, float* to) {
  const D d;
  for_each(
      length, period,
      [&](Size q) HWY_ATTR {
        const V g_scale = hn::Load(d, norm.g_scale + q), raw_scale = hn::Load(d, norm.raw_scale + q);
        const V constant = hn::Load(d, norm.constant + q);
        return [=](Size p) HWY_ATTR {
          const V affine = hn::MulAdd(hn::LoadU(d, out + p), raw_scale, constant);
          const V raw = hn::MulAdd(hn::LoadU(d, g + p), g_scale, affine);
          hn::StoreU(shares != nullptr ? hn::Mul(raw, hn::LoadU(d, shares + p)) : raw, d, to + p);
        };
      },
      [&](Size p, Size q) {
        const float raw = g[p] * norm.g_scale[q] + (out[p] * norm.raw_scale[q] + norm.constant[q]);
        to[p] = shares != nullptr ? raw * shares[p] : raw;
      });
  std::fill(to + length, to + round_up(length), 0.0f);
}

// The pixels of a row of windows that hold the maximum, first of equals, get its gradient.
void maximum_row_back(const float* in, const std::ptrdiff_t* offsets, const float* gradient, Size length,
                      float* dx) {
  const D d;
  for (Size p = 0; p < length; p += kLanes) {
    V best = hn::LoadU(d, in + offsets[0] + p);
#pragma GCC unroll 8
    for (int k = 1; k < kTaps; ++k) best = hn::Max(best, hn::LoadU(d, in + offsets[k] + p));
    V left = hn::LoadU(d, gradient + p);
#pragma GCC unroll 9
    for (int k = 0; k < kTaps; ++k) {
      const auto here = hn::Eq(hn::LoadU(d, in + offsets[k] + p), best);
      float* to = dx + offsets[k] + p;
      hn::StoreU(hn::Add(hn::LoadU(d, to), hn::IfThenElseZero(here, left)), d, to);
      left = hn::IfThenZeroElse(here, left);
    }
  }
}

void average_row_back(const std::ptrdiff_t* offsets, const float* gradient, Size length, float* dx) {
  const D d;
#pragma GCC unroll 9
  for (int k = 0; k < kTaps; ++k) {
    float* to = dx + offsets[k];
    for (Size p = 0; p < length; p += kLanes) {
      hn::StoreU(hn::Add(hn::LoadU(d, to + p), hn::LoadU(d, gradient + p)), d, to + p);
    }
  }
}

void pool_back_impl(PoolKind kind, const PaddedLayout& layout, const float* x, const float* out,
                    const float* g, const NormGradient& norm, float* dx, PoolScratch& scratch) {
  const bool maximum = kind == PoolKind::kMaximum;
  const int height = strided(layout.height, layout.stride), width = strided(layout.width, layout.stride);
  const Size length = static_cast<Size>(width * layout.channels), row = round_up(length);
  const Size period = period_of(layout.channels);
  scratch.rows.resize(row);
  if (maximum) {
    scratch.maximum.shape(layout, std::numeric_limits<float>::lowest());
    pad_image(scratch.maximum, x, {});
  } else {
    fill_shares(layout, scratch.shares, row);
  }
  scratch.gradient.reset(layout);
  const auto offsets = window(layout);
  for (int y = 0; y < height; ++y, g += length, out += length) {
    const Size at = static_cast<Size>(y) * layout.row;
    const Size share = static_cast<Size>(inside(y, layout.stride, layout.height) - 1) * row;
    gradient_row(g, out, norm, maximum ? nullptr : scratch.shares.data() + share, length, period,
                 scratch.rows.data());
    if (maximum) {
      maximum_row_back(scratch.maximum.data() + at, offsets.data(), scratch.rows.data(), length,
                       scratch.gradient.data() + at);
    } else {
      average_row_back(offsets.data(), scratch.rows.data(), length, scratch.gradient.data() + at);
    }
  }
  gather_gradient(layout, scratch.gradient.data(), x, {}, /*accumulate=*/true, dx);
}

}  // namespace

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

HWY_EXPORT(pool_impl);
HWY_EXPORT(pool_back_impl);

void pool(PoolKind kind, const PaddedLayout& layout, const float* x, float* out, PoolScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(pool_impl)(kind, layout, x, out, scratch);
}

void pool_back(PoolKind kind, const PaddedLayout& layout, const float* x, const float* out, const float* g,
               const NormGradient& norm, float* dx, PoolScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(pool_back_impl)(kind, layout, x, out, g, norm, dx, scratch);
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
