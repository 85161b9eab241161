// The loops that all kernels are made of, for one instruction set: included by each dispatched file inside
// foreach_target. Single-threaded; plain pointers. `length` counts floats of consecutive pixels
// [pixel][channel].
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

// A period that is known when compiling lets the addresses of a block be constants: kPeriod, or 0 for any
// other.
template <int kPeriod, bool kAccumulate>
HWY_INLINE void depthwise_rows_of(const float* in, std::size_t in_row, const TapPointer* taps, int count,
                                  int rows, std::size_t length, std::size_t any_period, float* out,
                                  std::size_t out_row) {
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
    case 16:
      return body(std::integral_constant<int, 16>{});
    case 32:
      return body(std::integral_constant<int, 32>{});
    case 64:
      return body(std::integral_constant<int, 64>{});
    default:
      return body(std::integral_constant<int, 0>{});
  }
}

// How taps stand to each other: runs of `length` taps, `spacing` pixels apart; length 0: in no such order.
struct TapRuns {
  int length = 0, spacing = 0;
};
inline TapRuns tap_runs(const std::ptrdiff_t* offsets, int count, std::size_t channels) {
  if (count < 2) return {};
  const std::ptrdiff_t step = offsets[1] - offsets[0], c = static_cast<std::ptrdiff_t>(channels);
  TapRuns runs{2, static_cast<int>(step / c)};
  if (step <= 0 || step % c != 0) return {};
  while (runs.length < count && offsets[runs.length] - offsets[runs.length - 1] == step) ++runs.length;
  if (count % runs.length != 0) return {};
  for (int k = 0; k < count; ++k) {
    if (k % runs.length != 0 && offsets[k] - offsets[k - 1] != step) return {};
  }
  return runs;
}

// A block of neighbouring pixels, a vector of channels each: every pixel of a run is loaded once for all its
// taps.
template <int kTaps, int kSpacing, int kBlock, bool kAccumulate>
HWY_INLINE void depthwise_run_block(const float* HWY_RESTRICT in, const TapPointer* taps, int count,
                                    std::size_t position, std::size_t pixel, float* HWY_RESTRICT out) {
  const D d;
  V sum[kBlock];
#pragma GCC unroll 16
  for (int o = 0; o < kBlock; ++o) {
    sum[o] = kAccumulate ? hn::LoadU(d, out + static_cast<std::size_t>(o) * pixel) : hn::Zero(d);
  }
  for (int run = 0; run < count; run += kTaps) {
    V weight[kTaps];
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) weight[k] = hn::Load(d, taps[run + k].weights + position);
    const float* x = in + taps[run].offset;
#pragma GCC unroll 24
    for (int i = 0; i < kBlock + (kTaps - 1) * kSpacing; ++i, x += pixel) {
      const V value = hn::LoadU(d, x);
#pragma GCC unroll 8
      for (int k = 0; k < kTaps; ++k) {
        const int o = i - k * kSpacing;
        if (o >= 0 && o < kBlock) sum[o] = hn::MulAdd(weight[k], value, sum[o]);
      }
    }
  }
#pragma GCC unroll 16
  for (int o = 0; o < kBlock; ++o) hn::StoreU(sum[o], d, out + static_cast<std::size_t>(o) * pixel);
}

template <int kTaps, int kSpacing, bool kAccumulate>
HWY_INLINE void depthwise_run_rows(const float* in, std::size_t in_row, const TapPointer* taps, int count,
                                   int rows, std::size_t length, std::size_t channels, float* out,
                                   std::size_t out_row) {
  for (int r = 0; r < rows; ++r) {
    const float* x = in + static_cast<std::size_t>(r) * in_row;
    float* y = out + static_cast<std::size_t>(r) * out_row;
    for (std::size_t j = 0; j < channels; j += kLanes) {
      std::size_t p = j;
      for (; p + 7 * channels < length; p += 8 * channels) {
        depthwise_run_block<kTaps, kSpacing, 8, kAccumulate>(x + p, taps, count, j, channels, y + p);
      }
      for (; p + 3 * channels < length; p += 4 * channels) {
        depthwise_run_block<kTaps, kSpacing, 4, kAccumulate>(x + p, taps, count, j, channels, y + p);
      }
      for (; p < length; p += channels) {
        depthwise_run_block<kTaps, kSpacing, 1, kAccumulate>(x + p, taps, count, j, channels, y + p);
      }
    }
  }
}

// Calls body with the runs' length and spacing as constants where they are usual ones; false where they are
// not.
template <typename Body>
HWY_INLINE bool with_runs(const TapRuns& runs, const Body& body) {
  using One = std::integral_constant<int, 1>;
  using Two = std::integral_constant<int, 2>;
  using Three = std::integral_constant<int, 3>;
  using Five = std::integral_constant<int, 5>;
  if (runs.length == 3 && runs.spacing == 1) return body(Three{}, One{}), true;
  if (runs.length == 5 && runs.spacing == 1) return body(Five{}, One{}), true;
  if (runs.length == 3 && runs.spacing == 2) return body(Three{}, Two{}), true;
  if (runs.length == 5 && runs.spacing == 2) return body(Five{}, Two{}), true;
  return false;
}

// out[r][p] (+)= sum over taps of weight[p mod C] in[offset + r in_row + p], p in 0 .. length - 1. Whole
// vectors are written: up to kLanes - 1 floats past each row, rows in ascending order.
template <bool kAccumulate>
HWY_INLINE void depthwise_rows(const float* in, std::size_t in_row, const TapPointer* taps, int count,
                               const TapRuns& runs, int rows, std::size_t length, std::size_t channels,
                               std::size_t period, float* out, std::size_t out_row) {
  // Where a pixel is whole vectors, neighbouring pixels are.
  if (period == channels && with_runs(runs, [&](auto size, auto spacing) HWY_ATTR {
        depthwise_run_rows<decltype(size)::value, decltype(spacing)::value, kAccumulate>(
            in, in_row, taps, count, rows, length, channels, out, out_row);
      })) {
    return;
  }
  with_period(period, [&](auto constant) HWY_ATTR {
    depthwise_rows_of<decltype(constant)::value, kAccumulate>(in, in_row, taps, count, rows, length, period,
                                                              out, out_row);
  });
}

// One run of taps over a block of rows of whole-vector pixels: as depthwise_gradient_group, each pixel loaded
// once.
template <int kTaps, int kSpacing>
HWY_INLINE void depthwise_gradient_run(const float* in, std::size_t in_row, const float* dy,
                                       std::size_t dy_row, int rows, std::size_t length, std::size_t channels,
                                       float* gradient) {
  const D d;
  constexpr int kBlock = 4;
  for (std::size_t j = 0; j < channels; j += kLanes) {
    V sum[kTaps][2];
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) sum[k][0] = sum[k][1] = hn::Zero(d);
    for (int r = 0; r < rows; ++r) {
      const float* y = dy + static_cast<std::size_t>(r) * dy_row + j;
      const float* x = in + static_cast<std::size_t>(r) * in_row + j;
      std::size_t p = 0;
      for (; p + (kBlock - 1) * channels < length; p += kBlock * channels) {
        V g[kBlock];
#pragma GCC unroll 4
        for (int o = 0; o < kBlock; ++o) g[o] = hn::LoadU(d, y + p + static_cast<std::size_t>(o) * channels);
        const float* at = x + p;
#pragma GCC unroll 24
        for (int i = 0; i < kBlock + (kTaps - 1) * kSpacing; ++i, at += channels) {
          const V value = hn::LoadU(d, at);
#pragma GCC unroll 8
          for (int k = 0; k < kTaps; ++k) {
            const int o = i - k * kSpacing;
            if (o >= 0 && o < kBlock) sum[k][o % 2] = hn::MulAdd(g[o], value, sum[k][o % 2]);
          }
        }
      }
      for (; p < length; p += channels) {
        const V g = hn::LoadU(d, y + p);
#pragma GCC unroll 8
        for (int k = 0; k < kTaps; ++k) {
          sum[k][0] = hn::MulAdd(g, hn::LoadU(d, x + p + static_cast<std::size_t>(k * kSpacing) * channels),
                                 sum[k][0]);
        }
      }
    }
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) {
      float* at = gradient + static_cast<std::size_t>(k) * channels + j;
      hn::Store(hn::Add(hn::Load(d, at), hn::Add(sum[k][0], sum[k][1])), d, at);
    }
  }
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
        for (int u = 0; u < kGradientBlock; ++u)
          g[u] = hn::LoadU(d, y + p + static_cast<std::size_t>(u) * period);
#pragma GCC unroll 8
        for (int k = 0; k < kTaps; ++k) {
#pragma GCC unroll 4
          for (int u = 0; u < kGradientBlock; ++u) {
            sum[k][u] =
                hn::MulAdd(g[u], hn::LoadU(d, x[k] + p + static_cast<std::size_t>(u) * period), sum[k][u]);
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

// gradient[k][p mod period] += sum over rows and p of dy[r][p] in[offset[k] + r in_row + p]. dy is 0 past
// `length`.
HWY_INLINE void depthwise_gradient(const float* in, std::size_t in_row, const std::ptrdiff_t* offsets,
                                   int taps, const TapRuns& runs, const float* dy, std::size_t dy_row,
                                   int rows, std::size_t length, std::size_t channels, std::size_t period,
                                   float* gradient) {
  const auto by_runs = [&](auto size, auto spacing) HWY_ATTR {
    constexpr int kSize = decltype(size)::value;
    for (int r = 0; r < rows; r += kGradientRows) {
      const int count = rows - r < kGradientRows ? rows - r : kGradientRows;
      for (int k = 0; k < taps; k += kSize) {
        depthwise_gradient_run<kSize, decltype(spacing)::value>(
            in + static_cast<std::size_t>(r) * in_row + offsets[k], in_row,
            dy + static_cast<std::size_t>(r) * dy_row, dy_row, count, length, channels,
            gradient + static_cast<std::size_t>(k) * period);
      }
    }
  };
  if (period == channels && with_runs(runs, by_runs)) return;
  with_period(period, [&](auto constant) HWY_ATTR {
    for (int r = 0; r < rows; r += kGradientRows) {
      const float* x = in + static_cast<std::size_t>(r) * in_row;
      const float* y = dy + static_cast<std::size_t>(r) * dy_row;
      const int count = rows - r < kGradientRows ? rows - r : kGradientRows;
      int k = 0;
      const auto group = [&](auto size) HWY_ATTR {
        constexpr int kSize = decltype(size)::value;
        for (; taps - k >= kSize; k += kSize) {
          depthwise_gradient_group<kSize, decltype(constant)::value>(
              x, in_row, offsets + k, y, dy_row, count, length, period,
              gradient + static_cast<std::size_t>(k) * period);
        }
      };
      if (taps % 3 != 0) group(std::integral_constant<int, 5>{});
      group(std::integral_constant<int, 3>{});
      group(std::integral_constant<int, 1>{});
    }
  });
}

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
  for (int s = 0; s < product.segments; ++s) {
    const float* x = in + product.offsets[s];
    for (int k = 0; k < product.depth; ++k, w += weight_row) {
      V weight[kVectors];
#pragma GCC unroll 4
      for (int n = 0; n < kVectors; ++n) weight[n] = hn::Load(d, w + static_cast<std::size_t>(n) * kLanes);
#pragma GCC unroll 16
      for (int m = 0; m < kPixels; ++m) {
        const V value =
            hn::Set(d, x[static_cast<std::size_t>(m) * product.in_step + static_cast<std::size_t>(k)]);
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
  constexpr int kPixels = kVectors == 4   ? (kManyRegisters ? 4 : 2)
                          : kVectors == 2 ? (kManyRegisters ? 8 : 4)
                                          : 8;
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
                                        : 8;
  int k = 0;
  const auto tiles = [&](auto size) {
    constexpr int kSize = decltype(size)::value;
    for (; k + kSize <= depth; k += kSize) {
      outer_tile<kSize, kVectors>(x + k, x_step, y, y_step, pixels,
                                  out + static_cast<std::size_t>(k) * out_row, out_row);
    }
  };
  tiles(std::integral_constant<int, kRows>{});
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

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
