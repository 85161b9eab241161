#include "ptnas/data/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ptnas/core/random.h"
#include "ptnas/core/testing.h"
#include "ptnas/data/jpeg_segments.h"
#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes sixteen_bit(const std::vector<std::uint16_t>& samples) {
  Bytes bytes(samples.size() * 2);
  std::copy_n(reinterpret_cast<const std::uint8_t*>(samples.data()), bytes.size(), bytes.data());
  return bytes;
}

void expect_near(const Image& image, int x, int y, const Bytes& colour, int tolerance) {
  ASSERT_EQ(image.channels, static_cast<int>(colour.size()));
  for (std::size_t c = 0; c < colour.size(); ++c) {
    const auto at = static_cast<std::size_t>((y * image.width + x) * image.channels) + c;
    EXPECT_NEAR(image.pixels.at(at), colour[c], tolerance) << "at " << x << ", " << y << " channel " << c;
  }
}

TEST(Image, PngOfEveryKind) {
  EXPECT_EQ(decode_image(png_bytes(2, 1, SPNG_COLOR_TYPE_GRAYSCALE, 8, {7, 250}), "x").pixels,
            Bytes({7, 250}));
  EXPECT_EQ(decode_image(png_bytes(4, 1, SPNG_COLOR_TYPE_GRAYSCALE, 1, {0b10100000}), "x").pixels,
            Bytes({255, 0, 255, 0}));
  EXPECT_EQ(
      decode_image(png_bytes(2, 1, SPNG_COLOR_TYPE_GRAYSCALE, 16, sixteen_bit({0x12FF, 0xFE00})), "x").pixels,
      Bytes({0x12, 0xFE}));
  EXPECT_EQ(decode_image(png_bytes(1, 1, SPNG_COLOR_TYPE_TRUECOLOR, 8, {1, 2, 3}), "x").pixels,
            Bytes({1, 2, 3}));
  EXPECT_EQ(
      decode_image(png_bytes(1, 1, SPNG_COLOR_TYPE_TRUECOLOR, 16, sixteen_bit({0x0100, 0x8000, 0xFFFF})), "x")
          .pixels,
      Bytes({1, 128, 255}));
}

TEST(Image, PaletteWithTransparency) {
  PngExtras extras;
  extras.palette = {{10, 20, 30, 255}, {200, 100, 0, 255}};
  EXPECT_EQ(decode_image(png_bytes(2, 1, SPNG_COLOR_TYPE_INDEXED, 8, {1, 0}, extras), "x").pixels,
            Bytes({200, 100, 0, 10, 20, 30}));
  extras.palette_alpha = {255, 0};
  EXPECT_EQ(decode_image(png_bytes(2, 1, SPNG_COLOR_TYPE_INDEXED, 8, {1, 0}, extras), "x").pixels,
            Bytes({255, 255, 255, 10, 20, 30}));
}

TEST(Image, AlphaShowsWhiteBehind) {
  EXPECT_EQ(decode_image(png_bytes(3, 1, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 8,
                                   {9, 8, 7, 255, 9, 8, 7, 0, 0, 100, 200, 51}),
                         "x")
                .pixels,
            Bytes({9, 8, 7, 255, 255, 255, 204, 224, 244}));
  EXPECT_EQ(decode_image(png_bytes(2, 1, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 8, {50, 255, 50, 0}), "x").pixels,
            Bytes({50, 255}));
}

TEST(Image, GreyStoredAsColourIsGrey) {
  const Image grey = decode_image(png_bytes(plain_image(3, 2, {9, 9, 9})), "x");
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.pixels, Bytes(6, 9));
}

TEST(Image, Jpeg) {
  const Image grey = decode_image(jpeg_bytes(9, 7, TJPF_GRAY, Bytes(63, 77)), "x");
  EXPECT_EQ(grey.width, 9);
  EXPECT_EQ(grey.height, 7);
  expect_near(grey, 8, 6, {77}, 1);
  const Image colour = plain_image(16, 8, {200, 40, 90});
  expect_near(decode_image(jpeg_bytes(16, 8, TJPF_RGB, colour.pixels), "x"), 3, 3, {200, 40, 90}, 3);
}

TEST(Image, CmykJpeg) {
  // TurboJPEG writes YCCK with Adobe's segment, in which 255 is no ink.
  const Image ink = plain_image(8, 8, {255, 128, 64, 200});
  const std::string adobe = jpeg_bytes(8, 8, TJPF_CMYK, ink.pixels);
  ASSERT_TRUE(has_adobe_segment(adobe));
  expect_near(decode_image(adobe, "x"), 4, 4, {200, 100, 50}, 4);

  // Without that segment the same components are plain CMYK, in which 255 is full ink: of C = M = Y = 155
  // come luma 100 and chroma 128.
  std::string plain = jpeg_bytes(8, 8, TJPF_CMYK, plain_image(8, 8, {155, 155, 155, 55}).pixels);
  const std::size_t at = plain.find("\xFF\xEE");
  ASSERT_NE(at, std::string::npos);
  plain.erase(at, 2 + static_cast<std::size_t>(plain[at + 3]));
  ASSERT_FALSE(has_adobe_segment(plain));
  expect_near(decode_image(plain, "x"), 4, 4, {155 * 200 / 255, 127 * 200 / 255, 127 * 200 / 255}, 4);
}

// A picture whose four quarters differ: a b / c d, 32 x 16.
Image quarters() {
  const Bytes a = {250, 10, 10}, b = {10, 250, 10}, c = {10, 10, 250}, d = {250, 250, 10};
  Image image{32, 16, 3, {}};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 32; ++x) {
      const Bytes& colour = y < 8 ? (x < 16 ? a : b) : (x < 16 ? c : d);
      image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
    }
  }
  return image;
}

void expect_orientation(const Image& image, int orientation) {
  // Quarters as they must be seen: top left, top right, bottom left, bottom right.
  const char* const kSeen[] = {"abcd", "badc", "dcba", "cdab", "acbd", "cadb", "dbca", "bdac"};
  const auto colour = [](char name) {
    return name == 'a'   ? Bytes{250, 10, 10}
           : name == 'b' ? Bytes{10, 250, 10}
           : name == 'c' ? Bytes{10, 10, 250}
                         : Bytes{250, 250, 10};
  };
  SCOPED_TRACE(orientation);
  ASSERT_EQ(image.width, orientation >= 5 ? 16 : 32);
  ASSERT_EQ(image.height, orientation >= 5 ? 32 : 16);
  const char* seen = kSeen[orientation - 1];
  const int right = image.width - 1, bottom = image.height - 1;
  expect_near(image, 0, 0, colour(seen[0]), 12);
  expect_near(image, right, 0, colour(seen[1]), 12);
  expect_near(image, 0, bottom, colour(seen[2]), 12);
  expect_near(image, right, bottom, colour(seen[3]), 12);
}

TEST(Image, ExifOrientation) {
  const std::string jpeg = jpeg_bytes(32, 16, TJPF_RGB, quarters().pixels);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {false, true}) {
      const std::string exif = exif_bytes(orientation, little);
      EXPECT_EQ(exif_orientation(exif), orientation);
      expect_orientation(decode_image(with_exif(jpeg, exif), "x"), orientation);
    }
    PngExtras extras;
    extras.exif = exif_bytes(orientation, false);
    expect_orientation(
        decode_image(png_bytes(32, 16, SPNG_COLOR_TYPE_TRUECOLOR, 8, quarters().pixels, extras), "x"),
        orientation);
  }
}

TEST(Image, DamagedExifIsUpright) {
  const std::string whole = exif_bytes(6, true);
  EXPECT_EQ(exif_orientation(exif_bytes(0, true)), 1);
  EXPECT_EQ(exif_orientation(exif_bytes(9, true)), 1);
  EXPECT_EQ(exif_orientation(""), 1);
  EXPECT_EQ(exif_orientation("XX" + whole.substr(2)), 1);
  for (std::size_t size = 0; size < whole.size() - 4; ++size)
    EXPECT_EQ(exif_orientation(whole.substr(0, size)), 1);
  std::string far = whole;
  far.replace(4, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(exif_orientation(far), 1);
  // A segment that says it is longer than the file, or shorter than its own length.
  EXPECT_EQ(jpeg_orientation("\xFF\xD8\xFF\xE1\xFF\xFF"
                             "Exif"),
            1);
  EXPECT_EQ(jpeg_orientation(std::string("\xFF\xD8\xFF\xE1\0\0", 6)), 1);
}

TEST(Image, BrokenFilesAreNamed) {
  const std::string png = png_bytes(quarters());
  const std::string jpeg = jpeg_bytes(32, 16, TJPF_RGB, quarters().pixels);
  expect_error([] { decode_image("", "a/b.png"); }, {"a/b.png", "empty"});
  expect_error([] { decode_image("GIF89a", "a/b.png"); }, {"a/b.png", "neither a PNG nor a JPEG"});
  for (const double share : {0.1, 0.3, 0.5, 0.8}) {
    const auto cut = [share](const std::string& whole) {
      return whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size())));
    };
    expect_error([&] { decode_image(cut(png), "c.png"); }, {"c.png", "not a whole PNG"});
    expect_error([&] { decode_image(cut(jpeg), "c.jpg"); }, {"c.jpg", "not a whole JPEG"});
  }
  std::string flipped = png;
  flipped[png.find("IDAT") + 8] ^= 1;
  expect_error([&] { decode_image(flipped, "d.png"); }, {"d.png", "not a whole PNG"});
  std::string huge = png;  // its header alone is not believed
  huge.replace(16, 8, "\x7F\xFF\xFF\xFF\x7F\xFF\xFF\xFF");
  expect_error([&] { decode_image(huge, "e.png"); }, {"e.png"});
}

TEST(Image, DamageAnywhereIsAnErrorOrAnImage) {
  const std::string jpeg = with_exif(jpeg_bytes(32, 16, TJPF_RGB, quarters().pixels), exif_bytes(6, true));
  RandomStream stream(1, Purpose::kAugmentation);
  for (const std::string& whole : {png_bytes(quarters()), jpeg}) {
    for (int trial = 0; trial < 300; ++trial) {
      std::string damaged = whole;
      for (int i = 0; i < 3; ++i)
        damaged[3 + stream.below(whole.size() - 3)] = static_cast<char>(stream.below(256));
      try {
        const Image image = decode_image(damaged, "x");
        EXPECT_EQ(image.pixels.size(), static_cast<std::size_t>(image.width * image.height * image.channels));
      } catch (const Error&) {
      }
    }
  }
}

TEST(FitSquare, KeepsPlainColoursAndEqualSizes) {
  for (const auto& [width, height] : {std::pair{8, 8}, {33, 57}, {5, 300}, {1, 1}, {1000, 3}}) {
    const Image fitted = fit_square(plain_image(width, height, {0, 255, 131}), 8);
    EXPECT_EQ(fitted.pixels, plain_image(8, 8, {0, 255, 131}).pixels) << width << " x " << height;
  }
  Image image{16, 16, 1, {}};
  for (int i = 0; i < 256; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 37));
  EXPECT_EQ(fit_square(image, 16).pixels, image.pixels);
}

TEST(FitSquare, CropsTheCentre) {
  // 24 x 8: three squares of which the middle one remains.
  Image image{24, 8, 1, {}};
  for (int i = 0; i < 24 * 8; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i % 24 / 8 * 100));
  EXPECT_EQ(fit_square(image, 8).pixels, Bytes(64, 100));
}

TEST(FitSquare, ShrinksWithoutAliasing) {
  // A checkerboard of single pixels is grey from afar; a filter that skipped pixels would show patterns.
  Image image{200, 200, 1, {}};
  for (int i = 0; i < 200 * 200; ++i) image.pixels.push_back((i / 200 + i % 200) % 2 == 0 ? 0 : 200);
  for (const std::uint8_t value : fit_square(image, 16).pixels) EXPECT_NEAR(value, 100, 3);
}

TEST(FitSquare, ResizesMoreThanItCrops) {
  // The middle half of an image in which each column has its number.
  Image image{32, 32, 1, {}};
  for (int i = 0; i < 32 * 32; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i % 32));
  const Image fitted = fit_square(image, 16, 32);
  for (int i = 0; i < 256; ++i) EXPECT_EQ(fitted.pixels[static_cast<std::size_t>(i)], 8 + i % 16);
}

TEST(FitSquare, GrowsBilinearly) {
  const Image image{2, 2, 1, {0, 100, 0, 100}};
  EXPECT_EQ(fit_square(image, 4).pixels,
            Bytes({0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100}));
}

TEST(WithChannels, GreyAndColour) {
  const Image colour{2, 1, 3, {255, 0, 0, 10, 10, 10}};
  EXPECT_EQ(with_channels(colour, 1).pixels, Bytes({76, 10}));
  EXPECT_EQ(with_channels(Image{2, 1, 1, {5, 6}}, 3).pixels, Bytes({5, 5, 5, 6, 6, 6}));
}

}  // namespace
}  // namespace ptnas
