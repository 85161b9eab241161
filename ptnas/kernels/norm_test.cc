#include "ptnas/kernels/norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptnas/kernels/padded.h"
#include "ptnas/kernels/reference.h"

namespace ptnas::kernels {
namespace {

using reference::error;
using reference::Image;
using reference::narrow;
using reference::tolerance;
using reference::Values;

TEST(NormTest, MomentsAreExactFarFromZero) {
  std::mt19937 random(1);
  reference::for_each_target([&](const std::string& target) {
    for (const int channels : {1, 3, 4, 5, 16, 36, 64}) {
      for (const int pixels : {1, 2, 7, 64, 1000}) {
        Image image = reference::random_image(1, pixels, channels, random);
        // Squares of values about 1000 cancel in single precision.
        for (double& value : image.values) value = static_cast<float>(1000 + value);
        const std::vector<float> x = narrow(image.values);
        Values mean(static_cast<std::size_t>(channels)), m2(mean.size());
        channel_moments(x.data(), static_cast<std::size_t>(pixels), channels, {mean.data(), m2.data()});
        for (int c = 0; c < channels; ++c) {
          double expected = 0, squares = 0;
          for (int p = 0; p < pixels; ++p) expected += image.at(0, p, c) / pixels;
          for (int p = 0; p < pixels; ++p) squares += std::pow(image.at(0, p, c) - expected, 2);
          EXPECT_NEAR(mean[static_cast<std::size_t>(c)], expected, tolerance(pixels)) << target;
          EXPECT_NEAR(m2[static_cast<std::size_t>(c)], squares, tolerance(pixels) * (pixels + 1)) << target;
        }
      }
    }
  });
}

TEST(NormTest, GradientSumsAndMixAgreeWithTheirDefinitions) {
  std::mt19937 random(2);
  reference::for_each_target([&](const std::string& target) {
    for (const int channels : {1, 4, 5, 16, 36, 64}) {
      for (const int pixels : {1, 3, 8, 300}) {
        const Image g = reference::random_image(1, pixels, channels, random);
        const Image x = reference::random_image(1, pixels, channels, random);
        const Image center = reference::random_image(1, 1, channels, random);
        const std::vector<float> g_values = narrow(g.values), x_values = narrow(x.values);
        Floats table(period_of(channels)), constant(period_of(channels));
        fill_period(narrow(center.values).data(), channels, table.data());
        fill_period(narrow(center.values).data(), channels, constant.data());
        Values sum_g(static_cast<std::size_t>(channels)), sum_gx(sum_g.size());
        gradient_sums(g_values.data(), x_values.data(), table.data(), static_cast<std::size_t>(pixels),
                      channels, sum_g.data(), sum_gx.data());
        Values mixed(g.values.size());
        for (int c = 0; c < channels; ++c) {
          double expected_g = 0, expected_gx = 0;
          for (int p = 0; p < pixels; ++p) {
            expected_g += g.at(0, p, c);
            expected_gx += g.at(0, p, c) * (x.at(0, p, c) - center.at(0, 0, c));
            mixed[static_cast<std::size_t>(p * channels + c)] =
                center.at(0, 0, c) * (1 + g.at(0, p, c) + x.at(0, p, c)) + 3;
          }
          EXPECT_NEAR(sum_g[static_cast<std::size_t>(c)], expected_g, tolerance(pixels) * std::sqrt(pixels))
              << target;
          EXPECT_NEAR(sum_gx[static_cast<std::size_t>(c)], expected_gx, tolerance(pixels) * std::sqrt(pixels))
              << target;
        }
        std::vector<float> out(g.values.size() + 1, 3.0f);
        const MixTerm terms[2] = {{g_values.data(), table.data()}, {x_values.data(), table.data()}};
        mix(terms, 2, constant.data(), static_cast<std::size_t>(pixels), channels, /*accumulate=*/true,
            out.data());
        EXPECT_LT(error(out.data(), mixed), tolerance(4)) << target;
        EXPECT_EQ(out.back(), 3.0f) << "nothing is written past the pixels";
      }
    }
  });
}

}  // namespace
}  // namespace ptnas::kernels
