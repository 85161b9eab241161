#include "ptnas/kernels/convolution.h"

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
using reference::Values;

enum class Kind { kSeparable3, kSeparable5, kDilated3, kDilated5, kPointwise, kDense3, kReduce };

struct Shape {
  Kind kind;
  int channels, out, height, width, stride;
};

std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << "kind " << static_cast<int>(s.kind) << ", " << s.channels << " to " << s.out << " channels, "
             << s.height << "x" << s.width << ", stride " << s.stride;
}

Convolution make(const Shape& s) {
  const PaddedLayout source(s.channels, s.height, s.width, s.stride, 4);
  switch (s.kind) {
    case Kind::kSeparable3:
      return separable_convolution(source, 3, 1);
    case Kind::kSeparable5:
      return separable_convolution(source, 5, 1);
    case Kind::kDilated3:
      return separable_convolution(source, 3, 2);
    case Kind::kDilated5:
      return separable_convolution(source, 5, 2);
    case Kind::kPointwise:
      return dense_convolution(source, s.out, 1);
    case Kind::kDense3:
      return dense_convolution(source, s.out, 3);
    case Kind::kReduce:
      break;
  }
  return factorized_reduce(source, s.out);
}

// Random weights, and the convolution written out: forward, and the gradients of input and weights.
struct Twin {
  const Convolution& c;
  Image x, g;
  Values depthwise, matrices;  // [channels][taps], [matrices][out][in]
  std::size_t in, out, taps;

  Twin(const Convolution& convolution, std::mt19937& random)
      : c(convolution),
        x(reference::random_image(c.source.height, c.source.width, c.source.channels, random)),
        g(reference::random_image(c.out_height, c.out_width, c.out_channels, random)),
        in(static_cast<std::size_t>(c.source.channels)),
        out(static_cast<std::size_t>(c.out_channels)),
        taps(c.taps.size()) {
    if (c.depthwise)
      depthwise = reference::random_image(1, static_cast<int>(taps), static_cast<int>(in), random).values;
    matrices = reference::random_image(c.matrices(), c.out_channels, c.source.channels, random).values;
  }
  double weight(std::size_t matrix, int o, int i) const {
    return matrices[(matrix * out + static_cast<std::size_t>(o)) * in + static_cast<std::size_t>(i)];
  }
  double source(int y, int x_at, int channel) const {
    return x.inside(y, x_at) ? std::max(0.0, x.at(y, x_at, channel)) : 0.0;
  }
  // The input of matrix m at output pixel (y, x): one tap, or the depthwise sum of all.
  double value(std::size_t m, int y, int x_at, int channel) const {
    const int sy = y * c.source.stride, sx = x_at * c.source.stride;
    if (!c.depthwise) return source(sy + c.taps[m].y, sx + c.taps[m].x, channel);
    double sum = 0;
    for (std::size_t k = 0; k < taps; ++k) {
      sum += depthwise[static_cast<std::size_t>(channel) * taps + k] *
             source(sy + c.taps[k].y, sx + c.taps[k].x, channel);
    }
    return sum;
  }
  template <typename Body>
  void for_each(const Body& body) const {
    for (int y = 0; y < c.out_height; ++y) {
      for (int x_at = 0; x_at < c.out_width; ++x_at) {
        for (std::size_t m = 0; m < static_cast<std::size_t>(c.matrices()); ++m) {
          for (int i = 0; i < c.source.channels; ++i) body(y, x_at, m, i);
        }
      }
    }
  }
  Image forward() const {
    Image raw(c.out_height, c.out_width, c.out_channels);
    for_each([&](int y, int x_at, std::size_t m, int i) {
      const double v = value(m, y, x_at, i);
      for (int o = 0; o < c.out_channels; ++o) raw.at(y, x_at, o) += v * weight(m, o, i);
    });
    return raw;
  }
  struct Gradients {
    Image source;  // before the ReLU
    Values depthwise, matrices;
  };
  Gradients backward(const Image& gradient) const {
    Gradients result{Image(c.source.height, c.source.width, c.source.channels), Values(depthwise.size(), 0),
                     Values(matrices.size(), 0)};
    for_each([&](int y, int x_at, std::size_t m, int i) {
      const double v = value(m, y, x_at, i);
      double back = 0;
      for (int o = 0; o < c.out_channels; ++o) {
        const double d = gradient.at(y, x_at, o);
        result.matrices[(m * out + static_cast<std::size_t>(o)) * in + static_cast<std::size_t>(i)] += d * v;
        back += d * weight(m, o, i);
      }
      const int sy = y * c.source.stride, sx = x_at * c.source.stride;
      for (std::size_t k = c.depthwise ? 0 : m; k < (c.depthwise ? taps : m + 1); ++k) {
        const int py = sy + c.taps[k].y, px = sx + c.taps[k].x;
        if (!x.inside(py, px)) continue;
        const std::size_t w = static_cast<std::size_t>(i) * taps + k;
        result.source.at(py, px, i) += back * (c.depthwise ? depthwise[w] : 1);
        if (c.depthwise) result.depthwise[w] += back * source(py, px, i);
      }
    });
    for (std::size_t p = 0; p < x.values.size(); ++p) {
      if (x.values[p] <= 0) result.source.values[p] = 0;
    }
    return result;
  }
};

void expect_moments(const Image& raw, const std::vector<double>& mean, const std::vector<double>& m2,
                    double tolerance) {
  const auto pixels = static_cast<double>(raw.height * raw.width);
  for (int o = 0; o < raw.channels; ++o) {
    double sum = 0, squares = 0;
    for (int y = 0; y < raw.height; ++y) {
      for (int x = 0; x < raw.width; ++x) sum += raw.at(y, x, o) / pixels;
    }
    for (int y = 0; y < raw.height; ++y) {
      for (int x = 0; x < raw.width; ++x) squares += (raw.at(y, x, o) - sum) * (raw.at(y, x, o) - sum);
    }
    const double scale = std::abs(sum) + std::sqrt(squares / pixels) + 1;
    EXPECT_NEAR(mean[static_cast<std::size_t>(o)], sum, tolerance * scale);
    EXPECT_NEAR(m2[static_cast<std::size_t>(o)], squares, tolerance * scale * scale * pixels);
  }
}

// The same unit three times, its gradients summed in one pass over the image, onto 0.5.
void expect_spread_back(const Convolution& c, const PackedWeights& weights, const Padded& source,
                        const Twin& twin, const Image& expected, const std::vector<float>& g,
                        const std::vector<float>& raw, const NormGradient& norm) {
  ConvolutionScratch scratch;
  Padded spread;
  depthwise_back(c, weights, &source, g.data(), raw.data(), norm, {}, spread, scratch);
  const SpreadUnit unit{&c, &weights, &spread};
  const std::vector<SpreadUnit> units(3, unit);
  std::vector<float> found(expected.values.size() + 1, 0.5f);
  Values sum(expected.values.size());
  spread_back(units.data(), 3, source, /*accumulate=*/true, found.data());
  for (std::size_t p = 0; p < sum.size(); ++p) sum[p] = 3 * expected.values[p] + 0.5;
  const double bound = tolerance(static_cast<double>(twin.out * (twin.taps + 1)));
  EXPECT_LT(error(found.data(), sum), bound);
  EXPECT_EQ(found.back(), 0.5f) << "nothing is written past the image";
  spread_back(&unit, 1, source, /*accumulate=*/false, found.data());
  EXPECT_LT(error(found.data(), expected.values), bound);
  EXPECT_EQ(found.back(), 0.5f);
}

class ConvolutionTest : public testing::TestWithParam<Shape> {};

TEST_P(ConvolutionTest, AgreesWithTheSlowTwinOnEveryTarget) {
  std::mt19937 random(7);
  const Convolution c = make(GetParam());
  const Twin twin(c, random);
  PackedWeights weights;
  weights.shape(c);
  const std::vector<float> depthwise = narrow(twin.depthwise), matrices = narrow(twin.matrices);
  if (c.depthwise) weights.pack_depthwise(c, depthwise.data());
  for (int m = 0; m < c.matrices(); ++m) {
    weights.pack_matrix(c, m, matrices.data() + static_cast<std::size_t>(m) * twin.out * twin.in, 0,
                        c.out_channels, twin.in, 1);
  }
  const Image raw = twin.forward();
  // The gradient of the raw output: 2 g - 0.5 raw + 0.25.
  Image raw_gradient = twin.g;
  for (std::size_t p = 0; p < raw.values.size(); ++p) {
    raw_gradient.values[p] = 2 * twin.g.values[p] - 0.5 * raw.values[p] + 0.25;
  }
  const Twin::Gradients expected = twin.backward(raw_gradient);
  const std::size_t period = period_of(c.out_channels);
  Floats g_scale(period), raw_scale(period), constant(period);
  std::fill_n(g_scale.data(), period, 2.0f);
  std::fill_n(raw_scale.data(), period, -0.5f);
  std::fill_n(constant.data(), period, 0.25f);

  reference::for_each_target([&](const std::string& target) {
    const std::vector<float> x = narrow(twin.x.values), g = narrow(twin.g.values), exact = narrow(raw.values);
    Padded source;
    source.shape(c.source);
    pad_image(source, x.data(), {.relu = true});
    ConvolutionScratch scratch;
    std::vector<float> found(raw.values.size() + 1, 12345.0f);
    std::vector<double> mean(twin.out), m2(twin.out);
    convolve(c, weights, source, found.data(), {mean.data(), m2.data()}, scratch);
    const double terms = static_cast<double>(twin.in * (twin.taps + 1));
    EXPECT_LT(error(found.data(), raw.values), tolerance(terms)) << target << ": " << GetParam();
    EXPECT_EQ(found.back(), 12345.0f) << "nothing is written past the output";
    expect_moments(raw, mean, m2, tolerance(terms));
    if (c.depthwise && c.source.stride == 1) {
      expect_spread_back(c, weights, source, twin, expected.source, g, exact,
                         {g_scale.data(), raw_scale.data(), constant.data()});
    }

    Floats dx(c.source.size), sums(c.matrix_size() + c.depthwise_size());
    const WeightGradient gradient{c.depthwise ? sums.data() + c.matrix_size() : nullptr, sums.data()};
    std::vector<float> input(x.size(), 0.5f);
    for (const bool accumulate : {false, true}) {
      convolve_back(c, weights, &source, g.data(), exact.data(),
                    {g_scale.data(), raw_scale.data(), constant.data()}, dx.data(), accumulate, gradient,
                    scratch);
    }
    gather_gradient(c.source, dx.data(), x.data(), {.relu = true}, /*accumulate=*/true, input.data());
    Values twice(expected.source.values.size());
    for (std::size_t p = 0; p < twice.size(); ++p) twice[p] = 2 * expected.source.values[p] + 0.5;
    const double back = tolerance(static_cast<double>(twin.out * (twin.taps + 1)));
    EXPECT_LT(error(input.data(), twice), back) << target << ": " << GetParam();

    const double pixels = static_cast<double>(c.pixels() * (twin.taps + 1));
    std::vector<float> matrix(twin.matrices.size()), taps(twin.depthwise.size());
    const std::size_t row = round_up(twin.out);
    for (std::size_t m = 0; m < static_cast<std::size_t>(c.matrices()); ++m) {
      for (std::size_t o = 0; o < twin.out; ++o) {
        for (std::size_t i = 0; i < twin.in; ++i) {
          matrix[(m * twin.out + o) * twin.in + i] = gradient.matrices[(m * twin.in + i) * row + o] / 2;
        }
      }
    }
    EXPECT_LT(error(matrix.data(), expected.matrices), tolerance(pixels)) << target << ": " << GetParam();
    for (std::size_t i = 0; i < twin.in && c.depthwise; ++i) {
      for (std::size_t k = 0; k < twin.taps; ++k) {
        float& sum = taps[i * twin.taps + k];
        for (std::size_t at = i; at < c.period(); at += twin.in)
          sum += gradient.depthwise[k * c.period() + at] / 2;
      }
    }
    if (c.depthwise) {
      EXPECT_LT(error(taps.data(), expected.depthwise), tolerance(pixels)) << target << ": " << GetParam();
    }
  });
}

std::vector<Shape> shapes() {
  std::vector<Shape> result;
  std::mt19937 random(3);
  const auto any = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  for (const Kind kind : {Kind::kSeparable3, Kind::kSeparable5, Kind::kDilated3, Kind::kDilated5,
                          Kind::kPointwise, Kind::kDense3, Kind::kReduce}) {
    const bool separable = kind <= Kind::kDilated5;
    for (const int channels : {1, 4, 5, 16, 36, 48, 64}) {
      for (const int stride : {1, 2}) {
        if (kind == Kind::kReduce && stride == 1) continue;
        result.push_back({kind, channels, separable ? channels : any(1, 70), any(1, 13), any(1, 13), stride});
      }
    }
  }
  result.push_back({Kind::kSeparable5, 16, 16, 32, 32, 1});
  result.push_back({Kind::kDense3, 3, 48, 17, 16, 1});
  return result;
}

INSTANTIATE_TEST_SUITE_P(Shapes, ConvolutionTest, testing::ValuesIn(shapes()));

}  // namespace
}  // namespace ptnas::kernels
