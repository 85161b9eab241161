#include "ptnas/data/contact_sheet.h"

#include <spng.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

namespace {

constexpr std::int64_t kMostBytes = 256'000'000;
constexpr std::size_t kGap = 2;

// [height, width, channels] bytes.
struct Sheet {
  std::size_t width, height, channels;
  std::vector<std::uint8_t> pixels;
};

Sheet empty_sheet(const DatasetInfo& info, int per_class) {
  const std::int64_t width = per_class * (info.width + std::int64_t{kGap}) + std::int64_t{kGap};
  const auto rows = static_cast<std::int64_t>(info.classes.size());
  const std::int64_t height = rows * (info.height + std::int64_t{kGap}) + std::int64_t{kGap};
  if (width * height * info.channels > kMostBytes) {
    fail_usage(
        "a contact sheet of {} images of {} classes would have {}x{} pixels; give a smaller --per-class",
        per_class, rows, width, height);
  }
  Sheet sheet{static_cast<std::size_t>(width),
              static_cast<std::size_t>(height),
              static_cast<std::size_t>(info.channels),
              {}};
  sheet.pixels.assign(sheet.width * sheet.height * sheet.channels, 255);
  return sheet;
}

// Puts an image, [C, H, W] bytes, with its top left corner at (left, top).
void place(Sheet& sheet, const std::vector<std::uint8_t>& image, const DatasetInfo& info, std::size_t left,
           std::size_t top) {
  const auto width = static_cast<std::size_t>(info.width),
             plane = width * static_cast<std::size_t>(info.height);
  for (std::size_t p = 0; p < plane; ++p) {
    const std::size_t at = (top + p / width) * sheet.width + left + p % width;
    for (std::size_t c = 0; c < sheet.channels; ++c)
      sheet.pixels[at * sheet.channels + c] = image[c * plane + p];
  }
}

void write_png(const Sheet& sheet, const std::filesystem::path& path) {
  const std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> context(spng_ctx_new(SPNG_CTX_ENCODER),
                                                                    spng_ctx_free);
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header = {};
  header.width = static_cast<std::uint32_t>(sheet.width);
  header.height = static_cast<std::uint32_t>(sheet.height);
  header.bit_depth = 8;
  header.color_type = sheet.channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR : SPNG_COLOR_TYPE_GRAYSCALE;
  spng_set_ihdr(context.get(), &header);
  int status = spng_encode_image(context.get(), sheet.pixels.data(), sheet.pixels.size(), SPNG_FMT_PNG,
                                 SPNG_ENCODE_FINALIZE);
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&std::free)> png(
      status == 0 ? spng_get_png_buffer(context.get(), &size, &status) : nullptr, std::free);
  if (!png) fail("cannot make the contact sheet {}: {}", path.string(), spng_strerror(status));
  write_file(path, {static_cast<const char*>(png.get()), size});
}

}  // namespace

void write_contact_sheet(const Dataset& dataset, const std::filesystem::path& path, int per_class) {
  const DatasetInfo& info = dataset.info();
  if (per_class < 1 || per_class > 1000) fail_usage("--per-class must be 1 to 1000, not {}", per_class);
  Sheet sheet = empty_sheet(info, per_class);
  std::vector<std::uint8_t> image(static_cast<std::size_t>(info.channels) *
                                  static_cast<std::size_t>(info.height * info.width));
  std::vector<std::size_t> placed(info.classes.size(), 0);
  for (std::int64_t i = 0; i < dataset.size(Part::kTrain); ++i) {
    const auto row = static_cast<std::size_t>(dataset.label(Part::kTrain, i));
    if (placed[row] == static_cast<std::size_t>(per_class)) continue;
    dataset.read(Part::kTrain, i, image.data());
    const std::size_t left = kGap + placed[row]++ * (static_cast<std::size_t>(info.width) + kGap);
    place(sheet, image, info, left, kGap + row * (static_cast<std::size_t>(info.height) + kGap));
  }
  write_png(sheet, path);
}

}  // namespace ptnas
