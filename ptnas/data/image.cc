#include "ptnas/data/image.h"

#include <spng.h>
#include <turbojpeg.h>

#include <algorithm>
#include <memory>

#include "ptnas/core/error.h"
#include "ptnas/data/jpeg_segments.h"

namespace ptnas {

namespace {

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n", kJpeg = "\xFF\xD8\xFF";
constexpr std::int64_t kMostPixels = 200'000'000;  // refuse what would not fit in memory
constexpr std::size_t kMostChunkBytes = std::size_t{1} << 26;

void check_size(std::int64_t width, std::int64_t height, const std::string& what) {
  if (width * height > kMostPixels) {
    fail("{}: an image of {}x{} pixels cannot be used; expected at most {} pixels", what, width, height,
         kMostPixels);
  }
}

// Red, green, blue and alpha, over white.
std::vector<std::uint8_t> over_white(const std::vector<std::uint8_t>& rgba) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(rgba.size() / 4 * 3);
  for (std::size_t i = 0; i + 3 < rgba.size(); i += 4) {
    const int alpha = rgba[i + 3];
    for (std::size_t c = 0; c < 3; ++c)
      rgb.push_back(static_cast<std::uint8_t>((rgba[i + c] * alpha + 255 * (255 - alpha) + 127) / 255));
  }
  return rgb;
}

// Cyan, magenta, yellow and black; 255 is no ink where the file holds them inverted, as Adobe's do.
std::vector<std::uint8_t> without_ink(const std::vector<std::uint8_t>& cmyk, bool inverted) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(cmyk.size() / 4 * 3);
  const auto light = [inverted](std::uint8_t ink) { return inverted ? ink : 255 - ink; };
  for (std::size_t i = 0; i + 3 < cmyk.size(); i += 4) {
    for (std::size_t c = 0; c < 3; ++c)
      rgb.push_back(static_cast<std::uint8_t>((light(cmyk[i + c]) * light(cmyk[i + 3]) + 127) / 255));
  }
  return rgb;
}

// EXIF orientations (TIFF 6.0, tag 274): 2 to 4 mirror, 5 to 8 also swap rows and columns.
Image oriented(Image image, int orientation) {
  if (orientation == 1) return image;
  const bool transposed = orientation >= 5;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image result{image.width, image.height, image.channels, {}};
  if (transposed) std::swap(result.width, result.height);
  result.pixels.reserve(image.pixels.size());
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      int from_x = transposed ? y : x, from_y = transposed ? x : y;
      if (flip_x) from_x = image.width - 1 - from_x;
      if (flip_y) from_y = image.height - 1 - from_y;
      const std::uint8_t* pixel =
          image.pixels.data() + (static_cast<std::ptrdiff_t>(from_y) * image.width + from_x) * image.channels;
      result.pixels.insert(result.pixels.end(), pixel, pixel + image.channels);
    }
  }
  return result;
}

Image decode_png(std::string_view bytes, const std::string& what) {
  const std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> context(spng_ctx_new(0), spng_ctx_free);
  if (!context) fail("{}: no memory to decode it", what);
  spng_set_crc_action(context.get(), SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
  spng_set_chunk_limits(context.get(), kMostChunkBytes, kMostChunkBytes);
  const auto check = [&what](int status) {
    if (status != 0) fail("{} is not a whole PNG ({})", what, spng_strerror(status));
  };
  spng_ihdr header = {};
  check(spng_set_png_buffer(context.get(), bytes.data(), bytes.size()));
  check(spng_get_ihdr(context.get(), &header));
  check_size(header.width, header.height, what);
  spng_exif exif = {};
  int orientation = 1;
  if (spng_get_exif(context.get(), &exif) == 0) orientation = exif_orientation({exif.data, exif.length});
  std::size_t size = 0;
  check(spng_decoded_image_size(context.get(), SPNG_FMT_RGBA8, &size));
  std::vector<std::uint8_t> rgba(size);
  check(spng_decode_image(context.get(), rgba.data(), rgba.size(), SPNG_FMT_RGBA8, SPNG_DECODE_TRNS));
  Image image{static_cast<int>(header.width), static_cast<int>(header.height), 3, over_white(rgba)};
  return oriented(std::move(image), orientation);
}

Image decode_jpeg(std::string_view bytes, const std::string& what) {
  const std::unique_ptr<void, decltype(&tjDestroy)> decoder(tjInitDecompress(), tjDestroy);
  if (!decoder) fail("{}: no memory to decode it", what);
  // A warning is a fault too: the data ended early or is damaged, and what came out is made up.
  const auto check = [&](int status) {
    if (status != 0) fail("{} is not a whole JPEG ({})", what, tjGetErrorStr2(decoder.get()));
  };
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, subsampling = 0, colours = 0;
  check(tjDecompressHeader3(decoder.get(), data, bytes.size(), &width, &height, &subsampling, &colours));
  if (width < 1 || height < 1) fail("{} is not a whole JPEG (it ends before its size)", what);
  check_size(width, height, what);
  const bool cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
  const int format = cmyk ? TJPF_CMYK : colours == TJCS_GRAY ? TJPF_GRAY : TJPF_RGB;
  Image image{width, height, tjPixelSize[format], {}};
  image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                      static_cast<std::size_t>(image.channels));
  check(tjDecompress2(decoder.get(), data, bytes.size(), image.pixels.data(), width, 0, height, format,
                      TJFLAG_ACCURATEDCT));
  if (cmyk) image = {width, height, 3, without_ink(image.pixels, has_adobe_segment(bytes))};
  return oriented(std::move(image), jpeg_orientation(bytes));
}

bool all_grey(const Image& image) {
  if (image.channels == 1) return true;
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    const std::uint8_t* pixel = image.pixels.data() + i;
    if (pixel[0] != pixel[1] || pixel[1] != pixel[2]) return false;
  }
  return true;
}

}  // namespace

bool looks_like_image(std::string_view bytes) { return bytes.starts_with(kPng) || bytes.starts_with(kJpeg); }

Image decode_image(std::string_view bytes, const std::string& what) {
  if (bytes.empty()) fail("{} is empty; expected a PNG or JPEG image", what);
  if (!looks_like_image(bytes)) fail("{} is neither a PNG nor a JPEG image", what);
  const Image image = bytes.starts_with(kPng) ? decode_png(bytes, what) : decode_jpeg(bytes, what);
  return all_grey(image) ? with_channels(image, 1) : image;
}

Image with_channels(const Image& image, int channels) {
  if (image.channels == channels) return image;
  Image result{image.width, image.height, channels, {}};
  const std::size_t count = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  for (std::size_t i = 0; i < count; ++i) {
    if (channels == 3) {
      result.pixels.insert(result.pixels.end(), 3, image.pixels[i]);
    } else {
      const std::uint8_t* p = image.pixels.data() + 3 * i;
      result.pixels.push_back(static_cast<std::uint8_t>((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000));
    }
  }
  return result;
}

}  // namespace ptnas
