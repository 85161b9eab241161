#include "ptnas/data/imagenet_augmentation.h"

#include <algorithm>
#include <cmath>

namespace ptnas {

namespace {

// FACTS, Retraining: ImageNet mobile.
constexpr double kLeastArea = 0.08, kLeastRatio = 3.0 / 4, kLargestRatio = 4.0 / 3;
constexpr double kFactor = 0.4, kHue = 0.2;
constexpr int kTries = 10;
constexpr double kResize = 256.0 / 224;

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

// ITU-R BT.601 luma, 0 to 255.
float grey_of(const std::uint8_t* pixel) {
  return 0.299f * static_cast<float>(pixel[0]) + 0.587f * static_cast<float>(pixel[1]) +
         0.114f * static_cast<float>(pixel[2]);
}

void map_bytes(Image& image, const std::array<std::uint8_t, 256>& table) {
  for (std::uint8_t& value : image.pixels) value = table[value];
}

// Every value to centre + factor (value - centre).
std::array<std::uint8_t, 256> stretched_about(double centre, double factor) {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t value = 0; value < table.size(); ++value)
    table[value] = byte_of(centre + factor * (static_cast<double>(value) - centre));
  return table;
}

double mean_grey(const Image& image) {
  double sum = 0;
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3)
    sum += static_cast<double>(grey_of(image.pixels.data() + i));
  return sum / (static_cast<double>(image.width) * image.height);
}

void saturate(Image& image, double factor) {
  const auto times = static_cast<float>(factor);
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = image.pixels.data() + i;
    const float grey = grey_of(pixel);
    for (std::size_t c = 0; c < 3; ++c) {
      const float value = grey + times * (static_cast<float>(pixel[c]) - grey);
      pixel[c] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0f, 255.0f)));
    }
  }
}

// In the hexagon of hues: sextant and place in it, 0 to 6. A colour of hue h, largest value v and spread d
// has in channel c the value v - d clamp(min(k, 4 - k), 0, 1), k = (5 - 2 c + h) mod 6.
void turn_hue(Image& image, double turns) {
  const auto shift = static_cast<float>(6 * turns);
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = image.pixels.data() + i;
    const auto [low, high] = std::minmax({pixel[0], pixel[1], pixel[2]});
    if (low == high) continue;
    const auto largest = static_cast<float>(high), spread = static_cast<float>(high - low);
    const auto over = [&](int a, int b) { return static_cast<float>(pixel[a] - pixel[b]) / spread; };
    const float hue = high == pixel[0] ? over(1, 2) : high == pixel[1] ? 2 + over(2, 0) : 4 + over(0, 1);
    for (int c = 0; c < 3; ++c) {
      float k = static_cast<float>(5 - 2 * c) + hue + shift;
      k -= 6 * std::floor(k / 6);
      pixel[c] = static_cast<std::uint8_t>(
          std::lround(largest - spread * std::clamp(std::min(k, 4 - k), 0.0f, 1.0f)));
    }
  }
}

void mirror(Image& image) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t line = static_cast<std::size_t>(image.width) * channels;
  for (std::size_t at = 0; at < image.pixels.size(); at += line) {
    for (std::size_t left = at, right = at + line - channels; left < right;
         left += channels, right -= channels) {
      for (std::size_t c = 0; c < channels; ++c) std::swap(image.pixels[left + c], image.pixels[right + c]);
    }
  }
}

}  // namespace

Box draw_resized_crop(int width, int height, RandomStream& stream) {
  const double area = static_cast<double>(width) * height;
  for (int i = 0; i < kTries; ++i) {
    const double wanted = area * stream.uniform(kLeastArea, 1);
    const double ratio = std::exp(stream.uniform(std::log(kLeastRatio), std::log(kLargestRatio)));
    const int w = static_cast<int>(std::lround(std::sqrt(wanted * ratio)));
    const int h = static_cast<int>(std::lround(std::sqrt(wanted / ratio)));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const int top = static_cast<int>(stream.below(static_cast<std::uint64_t>(height - h + 1)));
    const int left = static_cast<int>(stream.below(static_cast<std::uint64_t>(width - w + 1)));
    return {left, top, w, h};
  }
  const double ratio = static_cast<double>(width) / height;
  int w = width, h = height;
  if (ratio < kLeastRatio) h = static_cast<int>(std::lround(width / kLeastRatio));
  if (ratio > kLargestRatio) w = static_cast<int>(std::lround(height * kLargestRatio));
  return {(width - w) / 2, (height - h) / 2, w, h};
}

ColourJitter draw_colour_jitter(RandomStream& stream) {
  ColourJitter jitter;
  for (std::size_t i = jitter.order.size(); i > 1; --i)
    std::swap(jitter.order[i - 1], jitter.order[static_cast<std::size_t>(stream.below(i))]);
  jitter.brightness = stream.uniform(1 - kFactor, 1 + kFactor);
  jitter.contrast = stream.uniform(1 - kFactor, 1 + kFactor);
  jitter.saturation = stream.uniform(1 - kFactor, 1 + kFactor);
  jitter.hue = stream.uniform(-kHue, kHue);
  return jitter;
}

void apply(const ColourJitter& jitter, Image& image) {
  for (const ColourJitter::Step step : jitter.order) {
    switch (step) {
      case ColourJitter::Step::kBrightness:
        map_bytes(image, stretched_about(0, jitter.brightness));
        break;
      case ColourJitter::Step::kContrast:
        map_bytes(image, stretched_about(std::round(mean_grey(image)), jitter.contrast));
        break;
      case ColourJitter::Step::kSaturation:
        saturate(image, jitter.saturation);
        break;
      case ColourJitter::Step::kHue:
        turn_hue(image, jitter.hue);
        break;
    }
  }
}

Image imagenet_training_view(const Image& image, int size, RandomStream& stream) {
  const Box box = draw_resized_crop(image.width, image.height, stream);
  Image view = with_channels(resize_box(image, box, size), 3);
  if (stream.below(2) == 1) mirror(view);
  apply(draw_colour_jitter(stream), view);
  return view;
}

Image imagenet_test_view(const Image& image, int size) {
  return with_channels(fit_square(image, size, static_cast<int>(std::lround(size * kResize))), 3);
}

}  // namespace ptnas
