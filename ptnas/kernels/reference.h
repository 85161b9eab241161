// Slow, obvious twins of the kernels, in double precision: the truth that they are tested against.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "ptnas/kernels/convolution.h"
#include "ptnas/kernels/vector_target.h"

namespace ptnas::kernels::reference {

using Values = std::vector<double>;

/// An image [H][W][C].
struct Image {
  int height, width, channels;
  Values values;
  Image(int h, int w, int c)
      : height(h), width(w), channels(c), values(static_cast<std::size_t>(h * w * c), 0) {}
  bool inside(int y, int x) const { return y >= 0 && y < height && x >= 0 && x < width; }
  double& at(int y, int x, int c) { return values[static_cast<std::size_t>((y * width + x) * channels + c)]; }
  double at(int y, int x, int c) const {
    return values[static_cast<std::size_t>((y * width + x) * channels + c)];
  }
};

inline Image random_image(int h, int w, int c, std::mt19937& random) {
  Image image(h, w, c);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (double& value : image.values) value = uniform(random);
  return image;
}
inline std::vector<float> narrow(const Values& values) { return {values.begin(), values.end()}; }

/// The largest difference over the norm of what is expected, divided by the root of the number of values: an
/// error of single precision in a sum of n terms is about epsilon times the root of the sum of squares of its
/// terms.
inline double error(const float* found, const Values& expected) {
  double largest = 0, squares = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double apart = std::abs(static_cast<double>(found[i]) - expected[i]);
    largest = std::isnan(apart) ? std::numeric_limits<double>::infinity() : std::max(largest, apart);
    squares += expected[i] * expected[i];
  }
  return largest /
         (std::sqrt(squares / static_cast<double>(std::max<std::size_t>(1, expected.size()))) + 1e-30);
}
/// Of a sum of `terms` products in single precision, relative to its root mean square: epsilon sqrt(terms),
/// times 8 for the largest of many and for sums that happen to be small.
inline double tolerance(double terms) {
  return 8 * static_cast<double>(std::numeric_limits<float>::epsilon()) * std::sqrt(terms + 16);
}

/// Calls body with each vector target of this machine in force, and leaves the best one.
template <typename Body>
void for_each_target(const Body& body) {
  const std::vector<std::string> targets = vector_targets();
  for (const std::string& target : targets) {
    force_vector_target(target);
    body(target);
  }
  force_vector_target(targets.front());
}

}  // namespace ptnas::kernels::reference
