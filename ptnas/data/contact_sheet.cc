#include "ptnas/data/contact_sheet.h"

#include <spng.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

void write_contact_sheet(const Dataset& dataset, const std::filesystem::path& path, int per_class) {
  const DatasetInfo& info = dataset.info();
  if (per_class < 1 || per_class > 1000) fail_usage("--per-class must be 1 to 1000, not {}", per_class);
  constexpr int kGap = 2;
  const int columns = per_class, rows = static_cast<int>(info.classes.size());
  const int width = columns * (info.width + kGap) + kGap, height = rows * (info.height + kGap) + kGap;
  const auto channels = static_cast<std::size_t>(info.channels);
  const auto plane = static_cast<std::size_t>(info.height) * static_cast<std::size_t>(info.width);
  std::vector<std::uint8_t> sheet(
      static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * channels, 255);
  std::vector<std::uint8_t> pixels(plane * channels);
  std::vector<int> placed(info.classes.size(), 0);
  for (std::int64_t i = 0; i < dataset.size(Part::kTrain); ++i) {
    const auto row = static_cast<std::size_t>(dataset.label(Part::kTrain, i));
    if (placed[row] == columns) continue;
    const int left = kGap + placed[row]++ * (info.width + kGap),
              top = kGap + static_cast<int>(row) * (info.height + kGap);
    dataset.read(Part::kTrain, i, pixels.data());
    for (std::size_t p = 0; p < plane; ++p) {
      const auto x = static_cast<std::size_t>(left) + p % static_cast<std::size_t>(info.width);
      const auto y = static_cast<std::size_t>(top) + p / static_cast<std::size_t>(info.width);
      for (std::size_t c = 0; c < channels; ++c) {
        sheet[(y * static_cast<std::size_t>(width) + x) * channels + c] = pixels[c * plane + p];
      }
    }
  }
  const std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> context(spng_ctx_new(SPNG_CTX_ENCODER),
                                                                    spng_ctx_free);
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header = {};
  header.width = static_cast<std::uint32_t>(width);
  header.height = static_cast<std::uint32_t>(height);
  header.bit_depth = 8;
  header.color_type =
      static_cast<std::uint8_t>(info.channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR : SPNG_COLOR_TYPE_GRAYSCALE);
  spng_set_ihdr(context.get(), &header);
  int status =
      spng_encode_image(context.get(), sheet.data(), sheet.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&std::free)> png(
      status == 0 ? spng_get_png_buffer(context.get(), &size, &status) : nullptr, std::free);
  if (!png) fail("cannot make the contact sheet {}: {}", path.string(), spng_strerror(status));
  write_file(path, {static_cast<const char*>(png.get()), size});
}

}  // namespace ptnas
