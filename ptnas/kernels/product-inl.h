// Matrix products over pixels, for one instruction set.
#if defined(PTNAS_KERNELS_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PTNAS_KERNELS_PRODUCT_INL_H_
#undef PTNAS_KERNELS_PRODUCT_INL_H_
#else
#define PTNAS_KERNELS_PRODUCT_INL_H_
#endif

#include "ptnas/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

// A matrix product over pixels: out[p][n] (+)= sum over segments s and k of in[offset[s] + p in_step + k] w[s
// depth + k][n].
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
  const auto add = [&](const float* x, auto depth) HWY_ATTR {
    constexpr int kDepth = decltype(depth)::value;
    V weight[kDepth][kVectors];
#pragma GCC unroll 4
    for (int k = 0; k < kDepth; ++k, w += weight_row) {
#pragma GCC unroll 4
      for (int n = 0; n < kVectors; ++n) weight[k][n] = hn::Load(d, w + static_cast<std::size_t>(n) * kLanes);
    }
#pragma GCC unroll 16
    for (int m = 0; m < kPixels; ++m, x += product.in_step) {
#pragma GCC unroll 4
      for (int k = 0; k < kDepth; ++k) {
        const V value = hn::Set(d, x[k]);
#pragma GCC unroll 4
        for (int n = 0; n < kVectors; ++n) sum[m][n] = hn::MulAdd(value, weight[k][n], sum[m][n]);
      }
    }
  };
  for (int s = 0; s < product.segments; ++s) {
    const float* x = in + product.offsets[s];
    int k = 0;
    if constexpr (kVectors == 1 && kManyRegisters) {
      for (; k + 4 <= product.depth; k += 4) add(x + k, std::integral_constant<int, 4>{});
    }
    for (; k < product.depth; ++k) add(x + k, std::integral_constant<int, 1>{});
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
  constexpr int kPixels = kVectors == 4   ? (kManyRegisters ? 4 : 2)
                          : kVectors == 2 ? (kManyRegisters ? 8 : 4)
                                          : (kManyRegisters ? 16 : 8);
  std::size_t p = 0;
  const auto tiles = [&](auto size) {
    constexpr int kSize = decltype(size)::value;
    for (; p + kSize <= pixels; p += kSize) {
      product_tile<kSize, kVectors, kAccumulate>(product, in + p * product.in_step, column,
                                                 out + p * product.out_step + column);
    }
  };
  tiles(std::integral_constant<int, kPixels>{});
  if constexpr (kPixels > 8) tiles(std::integral_constant<int, 8>{});
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
                           std::size_t y_step, std::size_t pixels, float* HWY_RESTRICT out,
                           std::size_t out_row) {
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
    for (int n = 0; n < kVectors; ++n)
      g[n] = hn::LoadU(d, y + p * y_step + static_cast<std::size_t>(n) * kLanes);
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
HWY_INLINE void outer_columns(const float* x, std::size_t x_step, int depth, const float* y,
                              std::size_t y_step, std::size_t pixels, float* out, std::size_t out_row) {
  constexpr int kRows = kVectors == 4   ? (kManyRegisters ? 4 : 2)
                        : kVectors == 2 ? (kManyRegisters ? 8 : 4)
                                        : (kManyRegisters ? 16 : 8);
  int k = 0;
  const auto tiles = [&](auto size) {
    constexpr int kSize = decltype(size)::value;
    for (; k + kSize <= depth; k += kSize) {
      outer_tile<kSize, kVectors>(x + k, x_step, y, y_step, pixels,
                                  out + static_cast<std::size_t>(k) * out_row, out_row);
    }
  };
  tiles(std::integral_constant<int, kRows>{});
  if constexpr (kRows > 8) tiles(std::integral_constant<int, 8>{});
  if constexpr (kRows > 4) tiles(std::integral_constant<int, 4>{});
  if constexpr (kRows > 2) tiles(std::integral_constant<int, 2>{});
  tiles(std::integral_constant<int, 1>{});
}

// out[k][n] += sum over pixels of x[p][k] y[p][n], k below `depth`, n below `columns`. Rows of `out` are
// rounded up; what lies in them past `columns` is undefined. Up to kLanes - 1 floats are read past y.
HWY_INLINE void outer_product(const float* x, std::size_t x_step, int depth, const float* y,
                              std::size_t y_step, std::size_t columns, std::size_t pixels, float* out) {
  const std::size_t out_row = round_up(columns), vectors = (columns + kLanes - 1) / kLanes;
  std::size_t v = 0;
  const auto at = [&] { return v * kLanes; };
  for (; v + 4 <= vectors; v += 4)
    outer_columns<4>(x, x_step, depth, y + at(), y_step, pixels, out + at(), out_row);
  for (; v + 2 <= vectors; v += 2)
    outer_columns<2>(x, x_step, depth, y + at(), y_step, pixels, out + at(), out_row);
  if (v < vectors) outer_columns<1>(x, x_step, depth, y + at(), y_step, pixels, out + at(), out_row);
}

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
