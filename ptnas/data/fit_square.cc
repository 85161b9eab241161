// Resizing and cropping in one: only the pixels of the result are computed.

#include <algorithm>
#include <cmath>

#include "ptnas/data/image.h"

namespace ptnas {

namespace {

// What one output sample takes from a line: consecutive inputs with weights that sum to 1.
struct Taps {
  int first;
  std::vector<float> weights;
};

// Taps of the `count` samples in the middle of the `in` samples from `start` on, resized to `out`: a triangle
// as wide as the scale (at least one sample) around each output's centre.
std::vector<Taps> centre_taps(int start, int in, std::int64_t out, int count) {
  const double scale = static_cast<double>(in) / static_cast<double>(out), support = std::max(1.0, scale);
  const std::int64_t first_sample = (out - count) / 2;
  std::vector<Taps> result;
  for (int i = 0; i < count; ++i) {
    const double centre = (static_cast<double>(first_sample + i) + 0.5) * scale - 0.5;
    const int first = std::max(0, static_cast<int>(std::ceil(centre - support)));
    const int last = std::min(in - 1, static_cast<int>(std::floor(centre + support)));
    const auto weight = [&](int j) { return std::max(0.0, 1 - std::abs(j - centre) / support); };
    double sum = 0;
    for (int j = first; j <= last; ++j) sum += weight(j);
    Taps taps{start + first, {}};
    for (int j = first; j <= last; ++j) taps.weights.push_back(static_cast<float>(weight(j) / sum));
    result.push_back(std::move(taps));
  }
  return result;
}

// out[x, c] += weight sum of the taps of line[:, c].
void filter_line(const std::uint8_t* line, const std::vector<Taps>& columns, std::size_t channels,
                 float* out) {
  for (const Taps& taps : columns) {
    const std::uint8_t* pixel = line + static_cast<std::size_t>(taps.first) * channels;
    for (const float weight : taps.weights) {
      for (std::size_t c = 0; c < channels; ++c) out[c] += weight * static_cast<float>(*pixel++);
    }
    out += channels;
  }
}

// The square of `size` that the taps make.
Image resample(const Image& image, const std::vector<Taps>& columns, const std::vector<Taps>& rows,
               int size) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t in_line = static_cast<std::size_t>(image.width) * channels;
  const std::size_t out_line = static_cast<std::size_t>(size) * channels;

  // Lines first, then between lines.
  const auto top = static_cast<std::size_t>(rows.front().first);
  const std::size_t bottom = static_cast<std::size_t>(rows.back().first) + rows.back().weights.size();
  std::vector<float> narrow((bottom - top) * out_line, 0.0f);
  for (std::size_t y = top; y < bottom; ++y)
    filter_line(image.pixels.data() + y * in_line, columns, channels, narrow.data() + (y - top) * out_line);

  Image result{size, size, image.channels, {}};
  result.pixels.reserve(static_cast<std::size_t>(size) * out_line);
  std::vector<float> sum(out_line);
  for (const Taps& taps : rows) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    const float* source = narrow.data() + (static_cast<std::size_t>(taps.first) - top) * out_line;
    for (const float weight : taps.weights) {
      for (std::size_t i = 0; i < out_line; ++i) sum[i] += weight * *source++;
    }
    for (const float value : sum)
      result.pixels.push_back(static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L)));
  }
  return result;
}

}  // namespace

Image fit_square(const Image& image, int size, int shorter_side) {
  const int shorter = std::min(image.width, image.height);
  const auto scaled = [&](int side) {
    const double exact = static_cast<double>(side) * shorter_side / shorter;
    return std::max<std::int64_t>(size, std::llround(exact));
  };
  return resample(image, centre_taps(0, image.width, scaled(image.width), size),
                  centre_taps(0, image.height, scaled(image.height), size), size);
}

Image fit_square(const Image& image, int size) { return fit_square(image, size, size); }

Image resize_box(const Image& image, const Box& box, int size) {
  return resample(image, centre_taps(box.left, box.width, size, size),
                  centre_taps(box.top, box.height, size, size), size);
}

}  // namespace ptnas
