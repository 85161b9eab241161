// The loops that all kernels are made of, for one instruction set: included by each dispatched file inside foreach_target.
// Single-threaded; plain pointers. `length` counts floats of consecutive pixels [pixel][channel].
#if defined(PTNAS_KERNELS_PRIMITIVES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PTNAS_KERNELS_PRIMITIVES_INL_H_
#undef PTNAS_KERNELS_PRIMITIVES_INL_H_
#else
#define PTNAS_KERNELS_PRIMITIVES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

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

// One tap of a depthwise convolution: where it reads, and its weights as a period table.
struct TapPointer {
  std::ptrdiff_t offset;
  const float* weights;
};

template <int kBlock, bool kAccumulate>
HWY_INLINE void depthwise_block(const float* HWY_RESTRICT in, const TapPointer* taps, int count,
                                std::size_t position, std::size_t step, float* HWY_RESTRICT out) {
  const D d;
  V sum[kBlock];
#pragma GCC unroll 16
  for (int v = 0; v < kBlock; ++v) {
    sum[v] = kAccumulate ? hn::LoadU(d, out + static_cast<std::size_t>(v) * step) : hn::Zero(d);
  }
  for (int k = 0; k < count; ++k) {
    const V weight = hn::Load(d, taps[k].weights + position);
    const float* x = in + taps[k].offset;
#pragma GCC unroll 16
    for (int v = 0; v < kBlock; ++v) {
      sum[v] = hn::MulAdd(weight, hn::LoadU(d, x + static_cast<std::size_t>(v) * step), sum[v]);
    }
  }
#pragma GCC unroll 16
  for (int v = 0; v < kBlock; ++v) hn::StoreU(sum[v], d, out + static_cast<std::size_t>(v) * step);
}

// A period that is known when compiling lets the addresses of a block be constants: kPeriod, or 0 for any other.
template <int kPeriod, bool kAccumulate>
HWY_INLINE void depthwise_rows_of(const float* in, std::size_t in_row, const TapPointer* taps, int count, int rows,
                                  std::size_t length, std::size_t any_period, float* out, std::size_t out_row) {
  const std::size_t period = kPeriod > 0 ? kPeriod : any_period;
  for (int r = 0; r < rows; ++r) {
    const float* x = in + static_cast<std::size_t>(r) * in_row;
    float* y = out + static_cast<std::size_t>(r) * out_row;
    for (std::size_t j = 0; j < period && j < length; j += kLanes) {
      std::size_t p = j;
      for (; p + 7 * period < length; p += 8 * period) {
        depthwise_block<8, kAccumulate>(x + p, taps, count, j, period, y + p);
      }
      for (; p + 3 * period < length; p += 4 * period) {
        depthwise_block<4, kAccumulate>(x + p, taps, count, j, period, y + p);
      }
      for (; p + period < length; p += 2 * period) {
        depthwise_block<2, kAccumulate>(x + p, taps, count, j, period, y + p);
      }
      if (p < length) depthwise_block<1, kAccumulate>(x + p, taps, count, j, period, y + p);
    }
  }
}

// Calls body with the period as a constant where it is a usual one.
template <typename Body>
HWY_INLINE void with_period(std::size_t period, const Body& body) {
  switch (period) {
    case 16: return body(std::integral_constant<int, 16>{});
    case 32: return body(std::integral_constant<int, 32>{});
    case 64: return body(std::integral_constant<int, 64>{});
    default: return body(std::integral_constant<int, 0>{});
  }
}

// out[r][p] (+)= sum over taps of weight[p mod C] in[offset + r in_row + p], p in 0 .. length - 1. Whole vectors are
// written: up to kLanes - 1 floats past each row, rows in ascending order.
template <bool kAccumulate>
HWY_INLINE void depthwise_rows(const float* in, std::size_t in_row, const TapPointer* taps, int count,
                               int rows, std::size_t length, std::size_t period, float* out,
                               std::size_t out_row) {
  with_period(period, [&](auto constant) HWY_ATTR {
    depthwise_rows_of<decltype(constant)::value, kAccumulate>(in, in_row, taps, count, rows, length, period, out, out_row);
  });
}

// Vectors that are in work at once: with 5 taps, 20 sums of 32 registers or 10 of 16.
constexpr int kGradientBlock = kManyRegisters ? 4 : 2;

template <int kTaps, int kPeriod>
HWY_INLINE void depthwise_gradient_group(const float* in, std::size_t in_row, const std::ptrdiff_t* offsets,
                                         const float* dy, std::size_t dy_row, int rows, std::size_t length,
                                         std::size_t any_period, float* gradient) {
  const D d;
  const std::size_t period = kPeriod > 0 ? kPeriod : any_period;
  for (std::size_t j = 0; j < period && j < length; j += kLanes) {
    V sum[kTaps][kGradientBlock];
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) {
#pragma GCC unroll 4
      for (int u = 0; u < kGradientBlock; ++u) sum[k][u] = hn::Zero(d);
    }
    for (int r = 0; r < rows; ++r) {
      const float* y = dy + static_cast<std::size_t>(r) * dy_row;
      const float* x[kTaps];
#pragma GCC unroll 8
      for (int k = 0; k < kTaps; ++k) x[k] = in + static_cast<std::size_t>(r) * in_row + offsets[k];
      std::size_t p = j;
      for (; p + (kGradientBlock - 1) * period < length; p += kGradientBlock * period) {
        V g[kGradientBlock];
#pragma GCC unroll 4
        for (int u = 0; u < kGradientBlock; ++u) g[u] = hn::LoadU(d, y + p + static_cast<std::size_t>(u) * period);
#pragma GCC unroll 8
        for (int k = 0; k < kTaps; ++k) {
#pragma GCC unroll 4
          for (int u = 0; u < kGradientBlock; ++u) {
            sum[k][u] = hn::MulAdd(g[u], hn::LoadU(d, x[k] + p + static_cast<std::size_t>(u) * period), sum[k][u]);
          }
        }
      }
      for (; p < length; p += period) {
        const V g = hn::LoadU(d, y + p);
#pragma GCC unroll 8
        for (int k = 0; k < kTaps; ++k) sum[k][0] = hn::MulAdd(g, hn::LoadU(d, x[k] + p), sum[k][0]);
      }
    }
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) {
      float* at = gradient + static_cast<std::size_t>(k) * period + j;
      V total = hn::Load(d, at);
#pragma GCC unroll 4
      for (int u = 0; u < kGradientBlock; ++u) total = hn::Add(total, sum[k][u]);
      hn::Store(total, d, at);
    }
  }
}

// Output rows whose gradient and source stay in the first cache while all groups of taps pass over them.
constexpr int kGradientRows = 4;

// gradient[k][p mod period] += sum over rows and p of dy[r][p] in[offset[k] + r in_row + p]. dy is 0 past `length`.
HWY_INLINE void depthwise_gradient(const float* in, std::size_t in_row, const std::ptrdiff_t* offsets,
                                   int taps, const float* dy, std::size_t dy_row, int rows,
                                   std::size_t length, std::size_t period, float* gradient) {
  with_period(period, [&](auto constant) HWY_ATTR {
    for (int r = 0; r < rows; r += kGradientRows) {
      const float* x = in + static_cast<std::size_t>(r) * in_row;
      const float* y = dy + static_cast<std::size_t>(r) * dy_row;
      const int count = rows - r < kGradientRows ? rows - r : kGradientRows;
      int k = 0;
      const auto group = [&](auto size) HWY_ATTR {
        constexpr int kSize = decltype(size)::value;
        for (; taps - k >= kSize; k += kSize) {
          depthwise_gradient_group<kSize, decltype(constant)::value>(x, in_row, offsets + k, y, dy_row, count, length,
                                                                     period,
                                                                     gradient + static_cast<std::size_t>(k) * period);
        }
      };
      if (taps % 3 != 0) group(std::integral_constant<int, 5>{});
      group(std::integral_constant<int, 3>{});
      group(std::integral_constant<int, 1>{});
    }
  });
}

// A matrix product over pixels: out[p][n] (+)= sum over segments s and k of in[offset[s] + p in_step + k] w[s depth + k][n].
struct Product {
  std::size_t in_step;            ///< floats from a pixel to the next
  const std::ptrdiff_t* offsets;  ///< [segments]
  int segments, depth;            ///< depth: values a segment and pixel
  const float* weights;           ///< [segments * depth][columns rounded up], zero beyond `columns`
  std::size_t columns;
  std::size_t out_step;
};

template <int kPixels, int kVectors, bool kAccumulate>
HWY_INLINE void product_tile(const Product& product, const float* HWY_RESTRICT in, std::size_t column,
                             float* HWY_RESTRICT out) {
  const D d;
  const std::size_t weight_row = round_up(product.columns);
  V sum[kPixels][kVectors];
#pragma GCC unroll 16
  for (int m = 0; m < kPixels; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) {
      sum[m][n] = kAccumulate ? hn::LoadU(d, out + static_cast<std::size_t>(m) * product.out_step +
                                                 static_cast<std::size_t>(n) * kLanes)
                              : hn::Zero(d);
    }
  }
  const float* w = product.weights + column;
  for (int s = 0; s < product.segments; ++s) {
    const float* x = in + product.offsets[s];
    for (int k = 0; k < product.depth; ++k, w += weight_row) {
      V weight[kVectors];
#pragma GCC unroll 4
      for (int n = 0; n < kVectors; ++n) weight[n] = hn::Load(d, w + static_cast<std::size_t>(n) * kLanes);
#pragma GCC unroll 16
      for (int m = 0; m < kPixels; ++m) {
        const V value = hn::Set(d, x[static_cast<std::size_t>(m) * product.in_step + static_cast<std::size_t>(k)]);
#pragma GCC unroll 4
        for (int n = 0; n < kVectors; ++n) sum[m][n] = hn::MulAdd(value, weight[n], sum[m][n]);
      }
    }
  }
  const std::size_t left = product.columns - column;
#pragma GCC unroll 16
  for (int m = 0; m < kPixels; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) {
      float* at = out + static_cast<std::size_t>(m) * product.out_step + static_cast<std::size_t>(n) * kLanes;
      const std::size_t begin = static_cast<std::size_t>(n) * kLanes;
      if (n + 1 < kVectors || begin + kLanes <= left) {
        hn::StoreU(sum[m][n], d, at);
      } else {
        store_first(sum[m][n], left - begin, at);
      }
    }
  }
}

template <int kVectors, bool kAccumulate>
HWY_INLINE void product_columns(const Product& product, const float* in, std::size_t pixels,
                                std::size_t column, float* out) {
  // As many sums as registers hold beside the weights.
  constexpr int kPixels = kVectors == 4 ? (kManyRegisters ? 4 : 2) : kVectors == 2 ? (kManyRegisters ? 8 : 4) : 8;
  std::size_t p = 0;
  const auto tiles = [&](auto size) {
    constexpr int kSize = decltype(size)::value;
    for (; p + kSize <= pixels; p += kSize) {
      product_tile<kSize, kVectors, kAccumulate>(product, in + p * product.in_step, column,
                                                 out + p * product.out_step + column);
    }
  };
  tiles(std::integral_constant<int, kPixels>{});
  if constexpr (kPixels > 4) tiles(std::integral_constant<int, 4>{});
  if constexpr (kPixels > 2) tiles(std::integral_constant<int, 2>{});
  tiles(std::integral_constant<int, 1>{});
}

template <bool kAccumulate>
HWY_INLINE void product_rows(const Product& product, const float* in, std::size_t pixels, float* out) {
  const std::size_t vectors = (product.columns + kLanes - 1) / kLanes;
  std::size_t v = 0;
  for (; v + 4 <= vectors; v += 4) product_columns<4, kAccumulate>(product, in, pixels, v * kLanes, out);
  for (; v + 2 <= vectors; v += 2) product_columns<2, kAccumulate>(product, in, pixels, v * kLanes, out);
  if (v < vectors) product_columns<1, kAccumulate>(product, in, pixels, v * kLanes, out);
}

template <int kRows, int kVectors>
HWY_INLINE void outer_tile(const float* HWY_RESTRICT x, std::size_t x_step, const float* HWY_RESTRICT y,
                           std::size_t y_step, std::size_t pixels, float* HWY_RESTRICT out, std::size_t out_row) {
  const D d;
  V sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int k = 0; k < kRows; ++k) {
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) sum[k][n] = hn::Zero(d);
  }
  for (std::size_t p = 0; p < pixels; ++p) {
    V g[kVectors];
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) g[n] = hn::LoadU(d, y + p * y_step + static_cast<std::size_t>(n) * kLanes);
#pragma GCC unroll 16
    for (int k = 0; k < kRows; ++k) {
      const V value = hn::Set(d, x[p * x_step + static_cast<std::size_t>(k)]);
#pragma GCC unroll 4
      for (int n = 0; n < kVectors; ++n) sum[k][n] = hn::MulAdd(value, g[n], sum[k][n]);
    }
  }
#pragma GCC unroll 16
  for (int k = 0; k < kRows; ++k) {
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) {
      float* at = out + static_cast<std::size_t>(k) * out_row + static_cast<std::size_t>(n) * kLanes;
      hn::Store(hn::Add(hn::Load(d, at), sum[k][n]), d, at);
    }
  }
}

template <int kVectors>
HWY_INLINE void outer_columns(const float* x, std::size_t x_step, int depth, const float* y, std::size_t y_step,
                              std::size_t pixels, float* out, std::size_t out_row) {
  constexpr int kRows = kVectors == 4 ? (kManyRegisters ? 4 : 2) : kVectors == 2 ? (kManyRegisters ? 8 : 4) : 8;
  int k = 0;
  const auto tiles = [&](auto size) {
    constexpr int kSize = decltype(size)::value;
    for (; k + kSize <= depth; k += kSize) {
      outer_tile<kSize, kVectors>(x + k, x_step, y, y_step, pixels, out + static_cast<std::size_t>(k) * out_row,
                                  out_row);
    }
  };
  tiles(std::integral_constant<int, kRows>{});
  if constexpr (kRows > 4) tiles(std::integral_constant<int, 4>{});
  if constexpr (kRows > 2) tiles(std::integral_constant<int, 2>{});
  tiles(std::integral_constant<int, 1>{});
}

// out[k][n] += sum over pixels of x[p][k] y[p][n], k below `depth`, n below `columns`. Rows of `out` are rounded up; what
// lies in them past `columns` is undefined. Up to kLanes - 1 floats are read past y.
HWY_INLINE void outer_product(const float* x, std::size_t x_step, int depth, const float* y, std::size_t y_step,
                              std::size_t columns, std::size_t pixels, float* out) {
  const std::size_t out_row = round_up(columns), vectors = (columns + kLanes - 1) / kLanes;
  std::size_t v = 0;
  const auto at = [&] { return v * kLanes; };
  for (; v + 4 <= vectors; v += 4) outer_columns<4>(x, x_step, depth, y + at(), y_step, pixels, out + at(), out_row);
  for (; v + 2 <= vectors; v += 2) outer_columns<2>(x, x_step, depth, y + at(), y_step, pixels, out + at(), out_row);
  if (v < vectors) outer_columns<1>(x, x_step, depth, y + at(), y_step, pixels, out + at(), out_row);
}

// Calls vector(position in the row, position in the period tables) for whole vectors and scalar(..) for the floats that are
// left; `table` is where the first float stands in the tables.
template <typename Vector, typename Scalar>
HWY_INLINE void for_each(std::size_t length, std::size_t period, const Vector& vector, const Scalar& scalar) {
  std::size_t p = 0, q = 0;
  for (; p + kLanes <= length; p += kLanes) {
    vector(p, q);
    q += kLanes;
    if (q == period) q = 0;
  }
  for (; p < length; ++p) {
    scalar(p, q);
    if (++q == period) q = 0;
  }
}

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
