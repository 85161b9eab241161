#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ptnas {

/// A decoded image, [height, width, channels] bytes; channels 1 (grey) or 3 (red, green, blue).
struct Image {
  int width = 0, height = 0, channels = 0;
  std::vector<std::uint8_t> pixels;
};

/// Decodes a PNG (grey, colour, palette, 16-bit, alpha: over white) or a JPEG (grey, colour, CMYK; EXIF
/// orientation applied), told apart by their first bytes. Throws Error naming `what`. Thread-safe.
Image decode_image(std::string_view bytes, const std::string& what);

/// True where the bytes begin as a PNG or JPEG does.
bool looks_like_image(std::string_view bytes);

/// Resizes so that the shorter side is `size` (area-weighted mean where it shrinks, bilinear where it grows)
/// and crops the centre square.
Image fit_square(const Image& image, int size);

/// Converts between grey and colour: grey by ITU-R BT.601 luma.
Image with_channels(const Image& image, int channels);

/// The EXIF orientation (1 to 8) in a JPEG's APP1 segment; 1 where there is none or it is damaged.
int exif_orientation(std::string_view jpeg);

}  // namespace ptnas
