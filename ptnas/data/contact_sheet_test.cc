#include "ptnas/data/contact_sheet.h"

#include <gtest/gtest.h>

#include "ptnas/core/testing.h"
#include "ptnas/data/sources.h"
#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

TEST(ContactSheet, OneRowAClass) {
  const ScratchDirectory scratch;
  for (int i = 0; i < 4; ++i) {
    put_file(scratch / "set/a" / (std::to_string(i) + ".png"), png_bytes(plain_image(8, 8, {200, 0, 0})));
    put_file(scratch / "set/b" / (std::to_string(i) + ".png"), png_bytes(plain_image(8, 8, {0, 0, 200})));
  }
  DataOptions options;
  options.image_size = 8;
  const auto set = open_folder((scratch / "set").string(), options);
  write_contact_sheet(*set, scratch / "sheet.png", 5);
  const Image sheet = decode_image(read_file(scratch / "sheet.png"), "sheet");
  EXPECT_EQ(sheet.width, 5 * 10 + 2);
  EXPECT_EQ(sheet.height, 2 * 10 + 2);
  const auto pixel = [&](int x, int y) {
    const auto at = static_cast<std::size_t>(3 * (y * sheet.width + x));
    return std::vector<int>{sheet.pixels[at], sheet.pixels[at + 1], sheet.pixels[at + 2]};
  };
  EXPECT_EQ(pixel(2, 2), (std::vector<int>{200, 0, 0}));
  EXPECT_EQ(pixel(29, 19), (std::vector<int>{0, 0, 200}));  // the third image: one of four is held out
  EXPECT_EQ(pixel(35, 5), (std::vector<int>{255, 255, 255}));
  EXPECT_EQ(pixel(0, 0), (std::vector<int>{255, 255, 255}));

  expect_error([&] { write_contact_sheet(*set, scratch / "sheet.png", 0); }, {"--per-class"},
               ErrorKind::kUsage);
  expect_error([&] { write_contact_sheet(*set, scratch / "no/such/sheet.png", 1); }, {"no/such/sheet.png"});
}

}  // namespace
}  // namespace ptnas
