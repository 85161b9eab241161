#include "ptnas/data/image.h"

#include <spng.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

constexpr std::int64_t kMostPixels = 400'000'000;  // refuse what would not fit in memory

void check_size(std::int64_t width, std::int64_t height, const std::string& what) {
  if (width < 1 || height < 1 || width * height > kMostPixels) {
    fail("{}: an image of {}x{} pixels cannot be used; at most {} pixels", what, width, height, kMostPixels);
  }
}

Image decode_png(std::string_view bytes, const std::string& what) {
  const std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> context(spng_ctx_new(0), spng_ctx_free);
  if (!context) fail("{}: no memory to decode it", what);
  spng_set_crc_action(context.get(), SPNG_CRC_ERROR, SPNG_CRC_USE);
  spng_ihdr header = {};
  std::size_t size = 0;
  int status = spng_set_png_buffer(context.get(), bytes.data(), bytes.size());
  if (status == 0) status = spng_get_ihdr(context.get(), &header);
  if (status != 0) fail("{}: not a whole PNG ({})", what, spng_strerror(status));
  check_size(header.width, header.height, what);
  status = spng_decoded_image_size(context.get(), SPNG_FMT_RGBA8, &size);
  std::vector<std::uint8_t> rgba(status == 0 ? size : 0);
  if (status == 0)
    status = spng_decode_image(context.get(), rgba.data(), rgba.size(), SPNG_FMT_RGBA8, SPNG_DECODE_TRNS);
  if (status != 0) fail("{}: not a whole PNG ({})", what, spng_strerror(status));
  const bool grey =
      header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  Image image{static_cast<int>(header.width), static_cast<int>(header.height), grey ? 1 : 3, {}};
  image.pixels.reserve(rgba.size() / 4 * static_cast<std::size_t>(image.channels));
  for (std::size_t i = 0; i + 3 < rgba.size(); i += 4) {
    const int alpha = rgba[i + 3];
    for (std::size_t c = 0; c < static_cast<std::size_t>(image.channels); ++c) {
      image.pixels.push_back(
          static_cast<std::uint8_t>((rgba[i + c] * alpha + 255 * (255 - alpha) + 127) / 255));
    }
  }
  return image;
}

Image decode_jpeg(std::string_view bytes, const std::string& what) {
  const std::unique_ptr<void, decltype(&tjDestroy)> decoder(tjInitDecompress(), tjDestroy);
  if (!decoder) fail("{}: no memory to decode it", what);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(decoder.get(), data, bytes.size(), &width, &height, &subsampling, &colours) != 0) {
    fail("{}: not a whole JPEG ({})", what, tjGetErrorStr2(decoder.get()));
  }
  check_size(width, height, what);
  const bool cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
  const int format = cmyk ? TJPF_CMYK : colours == TJCS_GRAY ? TJPF_GRAY : TJPF_RGB;
  Image image{width, height, tjPixelSize[format], {}};
  image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                      static_cast<std::size_t>(image.channels));
  if (tjDecompress2(decoder.get(), data, bytes.size(), image.pixels.data(), width, 0, height, format,
                    TJFLAG_ACCURATEDCT) != 0) {
    // A warning too: the data ended early or is damaged, and what came out is made up.
    fail("{}: not a whole JPEG ({})", what, tjGetErrorStr2(decoder.get()));
  }
  if (!cmyk) return image;
  // Adobe's files, which are nearly all there are, hold inverted CMYK: 255 is no ink.
  Image rgb{width, height, 3, {}};
  rgb.pixels.reserve(image.pixels.size() / 4 * 3);
  for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
    for (std::size_t c = 0; c < 3; ++c) {
      rgb.pixels.push_back(static_cast<std::uint8_t>(image.pixels[i + c] * image.pixels[i + 3] / 255));
    }
  }
  return rgb;
}

// EXIF orientations: where pixel (x, y) of the upright image comes from.
Image oriented(const Image& image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  Image result{
      transposed ? image.height : image.width, transposed ? image.width : image.height, image.channels, {}};
  result.pixels.resize(image.pixels.size());
  const auto channels = static_cast<std::size_t>(image.channels);
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      int from_x = transposed ? y : x, from_y = transposed ? x : y;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        from_x = image.width - 1 - from_x;
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        from_y = image.height - 1 - from_y;
      const auto to = (static_cast<std::size_t>(y) * static_cast<std::size_t>(result.width) +
                       static_cast<std::size_t>(x)) *
                      channels;
      const auto from = (static_cast<std::size_t>(from_y) * static_cast<std::size_t>(image.width) +
                         static_cast<std::size_t>(from_x)) *
                        channels;
      std::copy_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(from), channels,
                  result.pixels.begin() + static_cast<std::ptrdiff_t>(to));
    }
  }
  return result;
}

// What one output sample takes from a line: consecutive inputs with weights that sum to 1.
struct Taps {
  int first;
  std::vector<float> weights;
};

// A triangle as wide as the scale (at least one sample) around each output's centre.
std::vector<Taps> make_taps(int in, int out) {
  const double scale = static_cast<double>(in) / out, support = std::max(1.0, scale);
  std::vector<Taps> result;
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * scale - 0.5;
    const int first = std::max(0, static_cast<int>(std::ceil(centre - support)));
    const int last = std::min(in - 1, static_cast<int>(std::floor(centre + support)));
    Taps taps{first, {}};
    double sum = 0;
    for (int j = first; j <= last; ++j) {
      const double weight = std::max(0.0, 1 - std::abs(j - centre) / support);
      taps.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : taps.weights) weight = static_cast<float>(weight / sum);
    result.push_back(std::move(taps));
  }
  return result;
}

Image resized(const Image& image, int width, int height) {
  const std::vector<Taps> columns = make_taps(image.width, width), rows = make_taps(image.height, height);
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto line = static_cast<std::size_t>(width) * channels;
  std::vector<float> narrow(static_cast<std::size_t>(image.height) * line, 0.0f);
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
    const std::uint8_t* source = image.pixels.data() + y * static_cast<std::size_t>(image.width) * channels;
    for (std::size_t x = 0; x < static_cast<std::size_t>(width); ++x) {
      for (std::size_t t = 0; t < columns[x].weights.size(); ++t) {
        const std::uint8_t* pixel = source + (static_cast<std::size_t>(columns[x].first) + t) * channels;
        for (std::size_t c = 0; c < channels; ++c)
          narrow[y * line + x * channels + c] += columns[x].weights[t] * pixel[c];
      }
    }
  }
  Image result{width, height, image.channels, {}};
  result.pixels.resize(static_cast<std::size_t>(height) * line);
  std::vector<float> sum(line);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (std::size_t t = 0; t < rows[y].weights.size(); ++t) {
      const float* source = narrow.data() + (static_cast<std::size_t>(rows[y].first) + t) * line;
      for (std::size_t i = 0; i < line; ++i) sum[i] += rows[y].weights[t] * source[i];
    }
    for (std::size_t i = 0; i < line; ++i) {
      result.pixels[y * line + i] = static_cast<std::uint8_t>(std::clamp(std::lround(sum[i]), 0L, 255L));
    }
  }
  return result;
}

}  // namespace

bool looks_like_image(std::string_view bytes) {
  return bytes.starts_with("\x89PNG\r\n\x1a\n") || bytes.starts_with("\xFF\xD8\xFF");
}

Image decode_image(std::string_view bytes, const std::string& what) {
  if (bytes.empty()) fail("{} is empty; expected a PNG or JPEG image", what);
  if (bytes.starts_with("\x89PNG")) return decode_png(bytes, what);
  if (bytes.starts_with("\xFF\xD8\xFF")) return oriented(decode_jpeg(bytes, what), exif_orientation(bytes));
  fail("{} is neither a PNG nor a JPEG image", what);
}

Image fit_square(const Image& image, int size) {
  const int shorter = std::min(image.width, image.height);
  const auto scaled = [&](int side) {
    return std::max(size, static_cast<int>(std::lround(static_cast<double>(side) * size / shorter)));
  };
  const Image whole = image.width == size && image.height == size
                          ? image
                          : resized(image, scaled(image.width), scaled(image.height));
  Image result{size, size, image.channels, {}};
  const auto channels = static_cast<std::size_t>(image.channels);
  const int left = (whole.width - size) / 2, top = (whole.height - size) / 2;
  for (int y = 0; y < size; ++y) {
    const auto start = (static_cast<std::size_t>(top + y) * static_cast<std::size_t>(whole.width) +
                        static_cast<std::size_t>(left)) *
                       channels;
    result.pixels.insert(result.pixels.end(), whole.pixels.begin() + static_cast<std::ptrdiff_t>(start),
                         whole.pixels.begin() +
                             static_cast<std::ptrdiff_t>(start + static_cast<std::size_t>(size) * channels));
  }
  return result;
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

int exif_orientation(std::string_view jpeg) {
  constexpr int kUpright = 1;
  const auto byte = [&](std::size_t at) {
    return at < jpeg.size() ? static_cast<unsigned char>(jpeg[at]) : 0u;
  };
  std::size_t at = 2;
  // Segments: 0xFF, marker, two bytes of length; pixels begin at SOS (0xDA).
  while (at + 4 <= jpeg.size() && byte(at) == 0xFF && byte(at + 1) != 0xDA) {
    const std::size_t length = byte(at + 2) << 8 | byte(at + 3);
    const std::string_view segment = jpeg.substr(std::min(at + 4, jpeg.size()), length < 2 ? 0 : length - 2);
    if (byte(at + 1) == 0xE1 && segment.starts_with(std::string_view("Exif\0\0", 6))) {
      const std::string_view tiff = segment.substr(6);
      const bool little = tiff.starts_with("II");
      const auto number = [&](std::size_t position, std::size_t bytes) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
          const std::size_t from = position + (little ? bytes - 1 - i : i);
          value = value << 8 | (from < tiff.size() ? static_cast<unsigned char>(tiff[from]) : 0u);
        }
        return value;
      };
      const std::size_t directory = number(4, 4);
      const std::uint32_t entries = directory < tiff.size() ? number(directory, 2) : 0;
      for (std::size_t e = 0; e < entries && directory + 2 + 12 * (e + 1) <= tiff.size(); ++e) {
        const std::size_t entry = directory + 2 + 12 * e;
        constexpr std::uint32_t kOrientation = 0x0112;
        if (number(entry, 2) != kOrientation) continue;
        const std::uint32_t value = number(entry + 8, 2);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : kUpright;
      }
    }
    if (length < 2) break;
    at += 2 + length;
  }
  return kUpright;
}

}  // namespace ptnas
