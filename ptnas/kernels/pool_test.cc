#include "ptnas/kernels/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ptnas/kernels/reference.h"

namespace ptnas::kernels {
namespace {

using reference::error;
using reference::Image;
using reference::narrow;
using reference::tolerance;

// The pixels of a window that lie inside, row by row.
std::vector<std::pair<int, int>> window(const Image& x, int y, int x_at, int stride) {
  std::vector<std::pair<int, int>> pixels;
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) {
      if (x.inside(stride * y + dy, stride * x_at + dx))
        pixels.emplace_back(stride * y + dy, stride * x_at + dx);
    }
  }
  return pixels;
}

// The slow twin: out, and adds the gradient of x where `g` is given.
Image pool_slowly(PoolKind kind, const Image& x, int stride, const Image* g, Image* dx) {
  Image out((x.height + stride - 1) / stride, (x.width + stride - 1) / stride, x.channels);
  for (int y = 0; y < out.height; ++y) {
    for (int at = 0; at < out.width; ++at) {
      const auto pixels = window(x, y, at, stride);
      for (int c = 0; c < x.channels; ++c) {
        auto best = pixels.front();
        for (const auto& p : pixels) {
          out.at(y, at, c) += x.at(p.first, p.second, c) / static_cast<double>(pixels.size());
          if (x.at(p.first, p.second, c) > x.at(best.first, best.second, c)) best = p;
        }
        if (kind == PoolKind::kMaximum) out.at(y, at, c) = x.at(best.first, best.second, c);
        if (g == nullptr) continue;
        if (kind == PoolKind::kMaximum) {
          dx->at(best.first, best.second, c) += g->at(y, at, c);
        } else {
          for (const auto& p : pixels)
            dx->at(p.first, p.second, c) += g->at(y, at, c) / static_cast<double>(pixels.size());
        }
      }
    }
  }
  return out;
}

TEST(PoolTest, AgreesWithTheSlowTwinOnEveryTarget) {
  std::mt19937 random(5);
  const auto any = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  for (const PoolKind kind : {PoolKind::kMaximum, PoolKind::kAverage}) {
    for (const int channels : {1, 4, 5, 16, 36, 64}) {
      for (const int stride : {1, 2}) {
        Image x = reference::random_image(any(1, 12), any(1, 12), channels, random);
        // Values that are often equal: a maximum's gradient goes to the first.
        for (double& value : x.values) value = std::round(2 * value);
        const Image plain = pool_slowly(kind, x, stride, nullptr, nullptr);
        const Image g = reference::random_image(plain.height, plain.width, channels, random);
        Image raw_gradient = g, dx(x.height, x.width, channels);
        for (std::size_t p = 0; p < g.values.size(); ++p) {
          raw_gradient.values[p] = 2 * g.values[p] - 0.5 * plain.values[p] + 0.25;
        }
        pool_slowly(kind, x, stride, &raw_gradient, &dx);
        const std::size_t period = period_of(channels);
        Floats g_scale(period), raw_scale(period), constant(period);
        std::fill_n(g_scale.data(), period, 2.0f);
        std::fill_n(raw_scale.data(), period, -0.5f);
        std::fill_n(constant.data(), period, 0.25f);
        reference::for_each_target([&](const std::string& target) {
          const PaddedLayout layout(channels, x.height, x.width, stride, 4);
          PoolScratch scratch;
          const std::vector<float> values = narrow(x.values), gradient = narrow(g.values);
          std::vector<float> out(plain.values.size() + 1, 12345.0f), back(x.values.size(), 0.0f);
          pool(kind, layout, values.data(), out.data(), scratch);
          EXPECT_LT(error(out.data(), plain.values), tolerance(9)) << target;
          EXPECT_EQ(out.back(), 12345.0f) << "nothing is written past the output";
          pool_back(kind, layout, values.data(), out.data(), gradient.data(),
                    {g_scale.data(), raw_scale.data(), constant.data()}, back.data(), scratch);
          EXPECT_LT(error(back.data(), dx.values), tolerance(9))
              << target << ", C " << channels << ", stride " << stride;
        });
      }
    }
  }
}

}  // namespace
}  // namespace ptnas::kernels
