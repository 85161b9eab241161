#pragma once

#include <spng.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/data/image.h"

namespace ptnas {

/// For tests: what a PNG holds beside its pixels.
struct PngExtras {
  std::vector<spng_plte_entry> palette;
  std::vector<std::uint8_t> palette_alpha;
  std::string exif;
};

/// For tests: a PNG of samples as PNG stores them (16-bit ones in the machine's order).
inline std::string png_bytes(int width, int height, int color_type, int bit_depth,
                             const std::vector<std::uint8_t>& samples, PngExtras extras = {}) {
  const std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> context(spng_ctx_new(SPNG_CTX_ENCODER),
                                                                    spng_ctx_free);
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header = {};
  header.width = static_cast<std::uint32_t>(width);
  header.height = static_cast<std::uint32_t>(height);
  header.color_type = static_cast<std::uint8_t>(color_type);
  header.bit_depth = static_cast<std::uint8_t>(bit_depth);
  spng_set_ihdr(context.get(), &header);
  if (!extras.palette.empty()) {
    spng_plte palette = {};
    palette.n_entries = static_cast<std::uint32_t>(extras.palette.size());
    std::copy(extras.palette.begin(), extras.palette.end(), palette.entries);
    spng_set_plte(context.get(), &palette);
  }
  if (!extras.palette_alpha.empty()) {
    spng_trns alpha = {};
    alpha.n_type3_entries = static_cast<std::uint32_t>(extras.palette_alpha.size());
    std::copy(extras.palette_alpha.begin(), extras.palette_alpha.end(), alpha.type3_alpha);
    spng_set_trns(context.get(), &alpha);
  }
  if (!extras.exif.empty()) {
    spng_exif exif{extras.exif.size(), extras.exif.data()};
    spng_set_exif(context.get(), &exif);
  }
  int status =
      spng_encode_image(context.get(), samples.data(), samples.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&std::free)> png(
      status == 0 ? spng_get_png_buffer(context.get(), &size, &status) : nullptr, std::free);
  if (!png) fail("test PNG: {}", spng_strerror(status));
  return {static_cast<const char*>(png.get()), size};
}

/// For tests: the image as a PNG of 8 bits a sample.
inline std::string png_bytes(const Image& image) {
  return png_bytes(image.width, image.height,
                   image.channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR, 8,
                   image.pixels);
}

/// For tests: EXIF data with an orientation.
inline std::string exif_bytes(int orientation, bool little_endian) {
  const auto number = [&](std::uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i)
      text += static_cast<char>(value >> 8 * (little_endian ? i : bytes - 1 - i) & 0xFF);
    return text;
  };
  const auto entry = [&](std::uint32_t tag, std::uint32_t value) {
    return number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2);
  };
  const auto value = static_cast<std::uint32_t>(orientation);
  return (little_endian ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2) + entry(0x0100, 7) +
         entry(0x0112, value) + number(0, 4);
}

/// For tests: the JPEG with an APP1 segment of EXIF data.
inline std::string with_exif(const std::string& jpeg, const std::string& exif) {
  const std::size_t length = 2 + 6 + exif.size();
  std::string segment = "\xFF\xE1";
  segment += static_cast<char>(length >> 8);
  segment += static_cast<char>(length & 0xFF);
  segment += std::string("Exif\0\0", 6) + exif;
  return jpeg.substr(0, 2) + segment + jpeg.substr(2);
}

/// For tests: a JPEG of TurboJPEG's pixel format (TJPF_GRAY, TJPF_RGB, TJPF_CMYK), without subsampling.
inline std::string jpeg_bytes(int width, int height, int format, const std::vector<std::uint8_t>& pixels) {
  const std::unique_ptr<void, decltype(&tjDestroy)> encoder(tjInitCompress(), tjDestroy);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  const int status = tjCompress2(encoder.get(), pixels.data(), width, 0, height, format, &buffer, &size,
                                 format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444, 98, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, decltype(&tjFree)> owner(buffer, tjFree);
  if (status != 0) fail("test JPEG: {}", tjGetErrorStr2(encoder.get()));
  return {reinterpret_cast<const char*>(buffer), size};
}

/// For tests: an image of one colour.
inline Image plain_image(int width, int height, const std::vector<std::uint8_t>& colour) {
  Image image{width, height, static_cast<int>(colour.size()), {}};
  for (int i = 0; i < width * height; ++i)
    image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
  return image;
}

/// For tests: writes a file, and the directories it lies in.
inline void put_file(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  write_file(path, content);
}

}  // namespace ptnas
