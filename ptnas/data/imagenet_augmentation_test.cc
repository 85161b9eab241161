#include "ptnas/data/imagenet_augmentation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

using Step = ColourJitter::Step;

RandomStream stream_of(int number) { return {1, Purpose::kAugmentation, static_cast<std::uint64_t>(number)}; }

// Every pixel differs from its neighbours.
Image pattern(int width, int height) {
  Image image{width, height, 3, {}};
  for (int i = 0; i < width * height * 3; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>((i * 37 + i / 7 * 11) % 256));
  return image;
}

TEST(ResizedCrop, HasAllowedAreasAndShapesAndLiesAnywhere) {
  std::set<int> lefts, tops;
  double least_area = 1, largest_area = 0, least_ratio = 9, largest_ratio = 0;
  for (int i = 0; i < 2000; ++i) {
    RandomStream stream = stream_of(i);
    const Box box = draw_resized_crop(400, 300, stream);
    ASSERT_GE(box.left, 0);
    ASSERT_GE(box.top, 0);
    ASSERT_LE(box.left + box.width, 400);
    ASSERT_LE(box.top + box.height, 300);
    const double area = box.width * box.height / (400.0 * 300.0);
    const double ratio = static_cast<double>(box.width) / box.height;
    least_area = std::min(least_area, area);
    largest_area = std::max(largest_area, area);
    least_ratio = std::min(least_ratio, ratio);
    largest_ratio = std::max(largest_ratio, ratio);
    lefts.insert(box.left);
    tops.insert(box.top);
  }
  EXPECT_NEAR(least_area, 0.08, 0.01);
  EXPECT_GT(largest_area, 0.9);
  EXPECT_NEAR(least_ratio, 3.0 / 4, 0.03);
  EXPECT_NEAR(largest_ratio, 4.0 / 3, 0.03);
  EXPECT_GT(lefts.size(), 150u);
  EXPECT_GT(tops.size(), 120u);
}

TEST(ResizedCrop, OfAStripIsItsMiddle) {
  // No shape allowed has a twelfth of such an image's area.
  for (int i = 0; i < 20; ++i) {
    RandomStream a = stream_of(i), b = stream_of(i);
    const Box wide = draw_resized_crop(3000, 30, a), high = draw_resized_crop(30, 3000, b);
    EXPECT_EQ(wide.height, 30);
    EXPECT_EQ(wide.width, 40);
    EXPECT_EQ(wide.left, 1480);
    EXPECT_EQ(high.width, 30);
    EXPECT_EQ(high.height, 40);
    EXPECT_EQ(high.top, 1480);
  }
  RandomStream stream = stream_of(0);
  const Box one = draw_resized_crop(1, 1, stream);
  EXPECT_TRUE(one.width == 1 && one.height == 1 && one.left == 0 && one.top == 0);
}

// The part cut out first, and every output pixel summed over the whole of it.
Image slow_resize(const Image& image, const Box& box, int size) {
  Image result{size, size, image.channels, {}};
  const auto weight = [](double at, int in, int i, int out) {
    const double scale = static_cast<double>(in) / out, support = std::max(1.0, scale);
    return std::max(0.0, 1 - std::abs(at - ((i + 0.5) * scale - 0.5)) / support);
  };
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      for (int c = 0; c < image.channels; ++c) {
        double sum = 0, weights = 0;
        for (int v = 0; v < box.height; ++v) {
          for (int u = 0; u < box.width; ++u) {
            const double w = weight(v, box.height, y, size) * weight(u, box.width, x, size);
            const int at = ((box.top + v) * image.width + box.left + u) * image.channels + c;
            sum += w * image.pixels[static_cast<std::size_t>(at)];
            weights += w;
          }
        }
        result.pixels.push_back(static_cast<std::uint8_t>(std::lround(sum / weights)));
      }
    }
  }
  return result;
}

TEST(ResizeBox, IsTheSlowOne) {
  const Image image = pattern(41, 29);
  for (const Box box : {Box{0, 0, 41, 29}, {5, 3, 8, 8}, {7, 2, 30, 11}, {40, 28, 1, 1}, {1, 20, 3, 9}}) {
    const Image fast = resize_box(image, box, 8), slow = slow_resize(image, box, 8);
    ASSERT_EQ(fast.pixels.size(), slow.pixels.size());
    for (std::size_t i = 0; i < fast.pixels.size(); ++i) EXPECT_NEAR(fast.pixels[i], slow.pixels[i], 1);
  }
}

TEST(TestView, IsTheMiddleOfTheResizedImage) {
  // 256 columns stay as they are; of the middle 224, the first has number 16.
  Image image{256, 256, 1, {}};
  for (int i = 0; i < 256 * 256; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i % 256));
  const Image view = imagenet_test_view(image, 224);
  EXPECT_EQ(view.width, 224);
  EXPECT_EQ(view.channels, 3);
  EXPECT_EQ(view.pixels[0], 16);
  EXPECT_EQ(view.pixels[3 * 223 + 2], 239);
  EXPECT_EQ(imagenet_test_view(pattern(70, 33), 28).pixels.size(), 28u * 28 * 3);
}

TEST(ColourJitterTest, StepsByHand) {
  const auto applied = [](ColourJitter jitter, Image image) {
    apply(jitter, image);
    return image.pixels;
  };
  using Bytes = std::vector<std::uint8_t>;
  const Image image{2, 1, 3, {200, 100, 50, 10, 20, 30}};
  EXPECT_EQ(applied({}, image), image.pixels);
  EXPECT_EQ(applied({.brightness = 1.5}, image), Bytes({255, 150, 75, 15, 30, 45}));
  EXPECT_EQ(applied({.brightness = 0.5}, image), Bytes({100, 50, 25, 5, 10, 15}));
  // Greys 124.2 and 18.15: a mean of 71.
  EXPECT_EQ(applied({.contrast = 0.5}, image), Bytes({136, 86, 61, 41, 46, 51}));
  EXPECT_EQ(applied({.contrast = 0}, image), Bytes(6, 71));
  EXPECT_EQ(applied({.saturation = 0}, image), Bytes({124, 124, 124, 18, 18, 18}));
  EXPECT_EQ(applied({.saturation = 0.5}, image), Bytes({162, 112, 87, 14, 19, 24}));
  // A third of a turn takes red to green, green to blue, blue to red.
  EXPECT_EQ(applied({.hue = 1.0 / 3}, image), Bytes({50, 200, 100, 30, 10, 20}));
  EXPECT_EQ(applied({.hue = -1.0 / 3}, image), Bytes({100, 50, 200, 20, 30, 10}));
  const Image red{1, 1, 3, {255, 0, 0}};
  EXPECT_EQ(applied({.hue = 1.0 / 6}, red), Bytes({255, 255, 0}));
  EXPECT_EQ(applied({.hue = 0.5}, red), Bytes({0, 255, 255}));
  EXPECT_EQ(applied({.hue = 0.1}, Image{1, 1, 3, {9, 9, 9}}), Bytes(3, 9));
}

TEST(ColourJitterTest, StepsInTheOrderDrawn) {
  ColourJitter jitter{.brightness = 1.4, .contrast = 0.6};
  Image first{1, 2, 3, {200, 200, 200, 0, 0, 0}}, second = first;
  apply(jitter, first);
  jitter.order = {Step::kContrast, Step::kBrightness, Step::kSaturation, Step::kHue};
  apply(jitter, second);
  EXPECT_NE(first.pixels, second.pixels);
}

TEST(ColourJitterTest, IsDrawnFromItsRanges) {
  std::set<std::array<Step, 4>> orders;
  double least[4] = {9, 9, 9, 9}, most[4] = {-9, -9, -9, -9};
  for (int i = 0; i < 1000; ++i) {
    RandomStream stream = stream_of(i);
    const ColourJitter jitter = draw_colour_jitter(stream);
    orders.insert(jitter.order);
    const double values[4] = {jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue};
    for (int v = 0; v < 4; ++v) {
      least[v] = std::min(least[v], values[v]);
      most[v] = std::max(most[v], values[v]);
    }
  }
  EXPECT_EQ(orders.size(), 24u);
  for (int v = 0; v < 3; ++v) {
    EXPECT_GE(least[v], 0.6);
    EXPECT_LT(least[v], 0.62);
    EXPECT_LE(most[v], 1.4);
    EXPECT_GT(most[v], 1.38);
  }
  EXPECT_GE(least[3], -0.2);
  EXPECT_LT(least[3], -0.19);
  EXPECT_LE(most[3], 0.2);
  EXPECT_GT(most[3], 0.19);
}

TEST(TrainingView, IsAFunctionOfItsStreamAndMirroredHalfOfTheTime) {
  // Dark on the left, bright on the right.
  Image image{64, 48, 1, {}};
  for (int i = 0; i < 64 * 48; ++i) image.pixels.push_back(static_cast<std::uint8_t>(4 * (i % 64)));
  int mirrored = 0;
  for (int i = 0; i < 200; ++i) {
    RandomStream a = stream_of(i), b = stream_of(i);
    const Image view = imagenet_training_view(image, 16, a);
    EXPECT_EQ(view.pixels, imagenet_training_view(image, 16, b).pixels);
    ASSERT_EQ(view.pixels.size(), 16u * 16 * 3);
    mirrored += view.pixels[0] > view.pixels[3 * 15];
  }
  EXPECT_NEAR(mirrored, 100, 35);  // five standard deviations
}

}  // namespace
}  // namespace ptnas
