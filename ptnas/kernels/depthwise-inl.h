// Depthwise convolutions, for one instruction set.
#if defined(PTNAS_KERNELS_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PTNAS_KERNELS_DEPTHWISE_INL_H_
#undef PTNAS_KERNELS_DEPTHWISE_INL_H_
#else
#define PTNAS_KERNELS_DEPTHWISE_INL_H_
#endif

#include "ptnas/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

// One tap of a depthwise convolution: where it reads for the first output pixel, and its weights as a period
// table.
struct TapPointer {
  const float* in;
  const float* weights;
};

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

// The taps of one convolution; those of several may be summed as one. Runs only where a pixel is whole
// vectors.
struct TapGroup {
  const TapPointer* taps;
  int count;
  TapRuns runs;
};

// Where a block of vectors stands: `at` floats after the taps' first pixel, `position` in the tables, `step`
// floats from a vector to the next.
struct BlockPlace {
  std::size_t at, position, step;
};

template <int kBlock>
HWY_INLINE void add_taps(const TapGroup& group, const BlockPlace& place, V (&sum)[kBlock]) {
  const D d;
  for (int k = 0; k < group.count; ++k) {
    const V weight = hn::Load(d, group.taps[k].weights + place.position);
    const float* HWY_RESTRICT x = group.taps[k].in + place.at;
#pragma GCC unroll 16
    for (int v = 0; v < kBlock; ++v, x += place.step) sum[v] = hn::MulAdd(weight, hn::LoadU(d, x), sum[v]);
  }
}

// Neighbouring pixels: each of a run is loaded once for all its taps.
template <int kTaps, int kSpacing, int kBlock>
HWY_INLINE void add_runs(const TapGroup& group, const BlockPlace& place, V (&sum)[kBlock]) {
  const D d;
  for (int run = 0; run < group.count; run += kTaps) {
    V weight[kTaps];
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) weight[k] = hn::Load(d, group.taps[run + k].weights + place.position);
    const float* HWY_RESTRICT x = group.taps[run].in + place.at;
#pragma GCC unroll 24
    for (int i = 0; i < kBlock + (kTaps - 1) * kSpacing; ++i, x += place.step) {
      V value = hn::LoadU(d, x);
      keep_loaded(value);
#pragma GCC unroll 8
      for (int k = 0; k < kTaps; ++k) {
        const int o = i - k * kSpacing;
        if (o >= 0 && o < kBlock) sum[o] = hn::MulAdd(weight[k], value, sum[o]);
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

// The first row that is read and the way from one to the next, in floats after the taps' first pixel.
struct InputRows {
  std::size_t begin, row;
};

// Rows of output, `length` floats each, block by block: add(place, sum) makes the sums of a block's vectors,
// finish(sum, row, p) takes one that begins at float p of its row (which may end within it).
template <typename Add, typename Finish>
HWY_INLINE void depthwise_blocks(const InputRows& in, int rows, std::size_t length, std::size_t step,
                                 const Add& add, const Finish& finish) {
  const D d;
  for (int r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < step && j < length; j += kLanes) {
      std::size_t p = j;
      const auto blocks = [&](auto size) HWY_ATTR {
        constexpr int kBlock = decltype(size)::value;
        for (; p + (kBlock - 1) * step < length; p += kBlock * step) {
          V sum[kBlock];
#pragma GCC unroll 16
          for (int v = 0; v < kBlock; ++v) sum[v] = hn::Zero(d);
          add(BlockPlace{in.begin + static_cast<std::size_t>(r) * in.row + p, j, step}, sum);
#pragma GCC unroll 16
          for (int v = 0; v < kBlock; ++v) finish(sum[v], r, p + static_cast<std::size_t>(v) * step);
        }
      };
      blocks(std::integral_constant<int, 8>{});
      blocks(std::integral_constant<int, 4>{});
      blocks(std::integral_constant<int, 2>{});
      blocks(std::integral_constant<int, 1>{});
    }
  }
}

// The sum of all groups' taps: sum over taps of weight[p mod C] in[begin + r row + p].
template <typename Finish>
HWY_INLINE void depthwise_rows(const TapGroup* groups, int count, const InputRows& in, int rows,
                               std::size_t length, std::size_t period, const Finish& finish) {
  if (count == 1) {
    const TapGroup& group = groups[0];
    const auto by_runs = [&](auto size, auto spacing) HWY_ATTR {
      depthwise_blocks(
          in, rows, length, period,
          [&](const BlockPlace& place, auto& sum)
              HWY_ATTR { add_runs<decltype(size)::value, decltype(spacing)::value>(group, place, sum); },
          finish);
    };
    if (with_runs(group.runs, by_runs)) return;
  }
  depthwise_blocks(
      in, rows, length, period,
      [&](const BlockPlace& place, auto& sum) HWY_ATTR {
        for (int g = 0; g < count; ++g) {
          const TapGroup& group = groups[g];
          if (!with_runs(group.runs, [&](auto size, auto spacing) HWY_ATTR {
                add_runs<decltype(size)::value, decltype(spacing)::value>(group, place, sum);
              })) {
            add_taps(group, place, sum);
          }
        }
      },
      finish);
}

// One run of taps over a block of rows of whole-vector pixels: as depthwise_gradient_group, each pixel loaded
// once.
template <int kTaps, int kSpacing>
HWY_INLINE void depthwise_gradient_run(const float* in, std::size_t in_row, const float* dy,
                                       std::size_t dy_row, int rows, std::size_t length, std::size_t channels,
                                       float* gradient) {
  const D d;
  // Enough chains of sums to hide the latency of two units, as far as registers go.
  constexpr int kBlock = kManyRegisters ? 8 : 4, kChains = kManyRegisters && kTaps == 3 ? 4 : 2;
  for (std::size_t j = 0; j < channels; j += kLanes) {
    V sum[kTaps][kChains];
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) {
#pragma GCC unroll 4
      for (int u = 0; u < kChains; ++u) sum[k][u] = hn::Zero(d);
    }
    for (int r = 0; r < rows; ++r) {
      const float* y = dy + static_cast<std::size_t>(r) * dy_row + j;
      const float* x = in + static_cast<std::size_t>(r) * in_row + j;
      std::size_t p = 0;
      for (; p + (kBlock - 1) * channels < length; p += kBlock * channels) {
        V g[kBlock];
#pragma GCC unroll 8
        for (int o = 0; o < kBlock; ++o) g[o] = hn::LoadU(d, y + p + static_cast<std::size_t>(o) * channels);
        const float* at = x + p;
#pragma GCC unroll 24
        for (int i = 0; i < kBlock + (kTaps - 1) * kSpacing; ++i, at += channels) {
          V value = hn::LoadU(d, at);
          keep_loaded(value);
#pragma GCC unroll 8
          for (int k = 0; k < kTaps; ++k) {
            const int o = i - k * kSpacing;
            if (o >= 0 && o < kBlock) sum[k][o % kChains] = hn::MulAdd(g[o], value, sum[k][o % kChains]);
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
      V total = hn::Load(d, at);
#pragma GCC unroll 4
      for (int u = 0; u < kChains; ++u) total = hn::Add(total, sum[k][u]);
      hn::Store(total, d, at);
    }
  }
}

// Vectors that are in work at once: with 5 taps, 20 sums of 32 registers or 10 of 16.
constexpr int kGradientBlock = kManyRegisters ? 4 : 2;

template <int kTaps>
HWY_INLINE void depthwise_gradient_group(const float* in, std::size_t in_row, const std::ptrdiff_t* offsets,
                                         const float* dy, std::size_t dy_row, int rows, std::size_t length,
                                         std::size_t period, float* gradient) {
  const D d;
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
  for (int r = 0; r < rows; r += kGradientRows) {
    const float* x = in + static_cast<std::size_t>(r) * in_row;
    const float* y = dy + static_cast<std::size_t>(r) * dy_row;
    const int count = rows - r < kGradientRows ? rows - r : kGradientRows;
    int k = 0;
    const auto group = [&](auto size) HWY_ATTR {
      constexpr int kSize = decltype(size)::value;
      for (; taps - k >= kSize; k += kSize) {
        depthwise_gradient_group<kSize>(x, in_row, offsets + k, y, dy_row, count, length, period,
                                        gradient + static_cast<std::size_t>(k) * period);
      }
    };
    if (taps % 3 != 0) group(std::integral_constant<int, 5>{});
    group(std::integral_constant<int, 3>{});
    group(std::integral_constant<int, 1>{});
  }
}

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
