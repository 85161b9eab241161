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

/// Decodes a PNG (grey, colour, palette, 16-bit) or a JPEG (grey, colour, CMYK, YCCK), told apart by their
/// first bytes. What is transparent shows white behind it; the EXIF orientation is applied; an image all of
/// whose pixels are grey has one channel, however it was stored. Anything but a whole, undamaged image is an
/// Error naming `what`. Thread-safe.
Image decode_image(std::string_view bytes, const std::string& what);

/// True where the bytes begin as a PNG or JPEG does.
bool looks_like_image(std::string_view bytes);

/// Resizes so that the shorter side is `size` (a triangle filter: as wide as the scale where the image
/// shrinks, so that nothing aliases; bilinear where it grows) and crops the centre square.
Image fit_square(const Image& image, int size);
/// The same with the shorter side resized to `shorter_side` (`size` or more) before the crop.
Image fit_square(const Image& image, int size, int shorter_side);

/// A part of an image, in pixels, within it.
struct Box {
  int left, top, width, height;
};
/// The part resized to `size` by `size` with the same filter, as if there were nothing around it.
Image resize_box(const Image& image, const Box& box, int size);

/// Converts between grey and colour: grey by ITU-R BT.601 luma.
Image with_channels(const Image& image, int channels);

}  // namespace ptnas
