#include "ptnas/data/image_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "ptnas/core/error.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

DatasetInfo info_of(const std::string& name, int channels, int height, int width) {
  DatasetInfo info;
  info.name = name;
  info.classes = {"a", "b"};
  info.channels = channels;
  info.height = height;
  info.width = width;
  info.mean.assign(static_cast<std::size_t>(channels), 0);
  info.deviation.assign(static_cast<std::size_t>(channels), 1);
  return info;
}

// Each pixel its own value.
Image numbered_image(int width, int height) {
  Image image{width, height, 1, {}};
  for (int i = 0; i < width * height; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i));
  return image;
}

TEST(ImageFilesTest, AnImageOfTheRightSizeIsShownAsItIs) {
  const Image image = numbered_image(9, 12);
  EXPECT_EQ(view_of(image, info_of("idx", 1, 12, 9)).pixels, image.pixels);
  const Image colour = view_of(image, info_of("folder", 3, 12, 9));
  EXPECT_EQ(colour.channels, 3);
  EXPECT_EQ(colour.pixels[3 * 50 + 2], image.pixels[50]);
}

TEST(ImageFilesTest, OthersAreResizedAndCropped) {
  for (const auto& [height, width] : {std::pair{8, 8}, {12, 9}, {9, 12}, {40, 40}}) {
    const Image view = view_of(numbered_image(17, 11), info_of("folder", 1, height, width));
    EXPECT_EQ(view.height, height);
    EXPECT_EQ(view.width, width);
    EXPECT_EQ(view.pixels.size(), static_cast<std::size_t>(height * width));
  }
  // The middle columns of the square that it is fitted to.
  const Image square = fit_square(numbered_image(17, 11), 12);
  const Image view = view_of(numbered_image(17, 11), info_of("folder", 1, 12, 8));
  EXPECT_EQ(view.pixels[0], square.pixels[2]);
  EXPECT_EQ(view.pixels[8 * 11 + 7], square.pixels[12 * 11 + 9]);
}

TEST(ImageFilesTest, ImageNetsAreShownAsItsTestPartIs) {
  const Image image = numbered_image(16, 16);
  const Image view = view_of(image, info_of("imagenet", 3, 16, 16));
  EXPECT_EQ(view.channels, 3);
  EXPECT_NE(view.pixels, with_channels(image, 3).pixels) << "only the middle of 256/224 is seen";
}

TEST(ImageFilesTest, NothingToFindIsAnError) {
  const ScratchDirectory folder;
  EXPECT_THROW(find_images(folder.path()), Error);
  EXPECT_THROW(find_images(folder / "nowhere.png"), Error);
  std::ofstream(folder / "notes.txt") << "no image";
  EXPECT_THROW(find_images(folder.path()), Error);
  EXPECT_EQ(find_images(folder / "notes.txt").size(), 1u) << "named, so it is tried";
}

TEST(ImageFilesTest, ADirectoryStandsForItsImagesInOrder) {
  const ScratchDirectory folder;
  std::filesystem::create_directories(folder / "b");
  std::filesystem::create_directories(folder / ".hidden");
  for (const char* name : {"c.JPG", "b/1.png", "a.png", ".hidden/2.png", ".d.png", "e.txt"})
    std::ofstream(folder / name) << "?";
  std::ofstream(folder / "unnamed") << "\x89PNG\r\n\x1a\n";
  std::vector<std::string> names;
  for (const auto& file : find_images(folder.path()))
    names.push_back(file.lexically_relative(folder.path()).generic_string());
  EXPECT_THAT(names, testing::ElementsAre("a.png", "b/1.png", "c.JPG", "unnamed"));
}

TEST(ImageFilesTest, ABrokenImageThrowsOrIsBlackWithItsFault) {
  const ScratchDirectory folder;
  const std::filesystem::path file = folder / "broken.png";
  std::ofstream(file) << "\x89PNG\r\n\x1a\n broken";
  std::vector<std::uint8_t> pixels(64, 7);
  const ImageFiles strict(info_of("folder", 1, 8, 8), {file}, false);
  EXPECT_THROW(strict.read(Part::kTest, 0, pixels.data()), Error);
  const ImageFiles lenient(info_of("folder", 1, 8, 8), {file}, true);
  lenient.read(Part::kTest, 0, pixels.data());
  EXPECT_THAT(pixels, testing::Each(0));
  EXPECT_THAT(lenient.fault(0), testing::HasSubstr("broken.png"));
  EXPECT_EQ(lenient.size(Part::kTrain), 0);
}

}  // namespace
}  // namespace ptnas
