#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "ptnas/core/random.h"
#include "ptnas/core/testing.h"
#include "ptnas/data/sources.h"
#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

DataOptions small_options() {
  DataOptions options;
  options.image_size = 8;
  return options;
}

std::unique_ptr<Dataset> open(const fs::path& folder, const DataOptions& options = small_options()) {
  return open_folder(folder.string(), options);
}

// Writes `count` images of mixed size and type; the colour tells class and number.
void put_class(const fs::path& folder, int count, std::uint8_t red, bool grey = false) {
  for (int i = 0; i < count; ++i) {
    const auto shade = static_cast<std::uint8_t>(10 * i);
    const Image image = plain_image(
        9 + i, 20 - i, grey ? std::vector<std::uint8_t>{shade} : std::vector<std::uint8_t>{red, shade, 99});
    const bool jpeg = i % 2 == 1;
    put_file(folder / (std::to_string(i) + (jpeg ? ".JPG" : ".png")),
             jpeg ? jpeg_bytes(image.width, image.height, grey ? TJPF_GRAY : TJPF_RGB, image.pixels)
                  : png_bytes(image));
  }
}

std::vector<std::uint8_t> all_pixels(const Dataset& dataset, Part part) {
  const auto bytes =
      static_cast<std::size_t>(dataset.info().channels * dataset.info().height * dataset.info().width);
  std::vector<std::uint8_t> pixels(bytes * static_cast<std::size_t>(dataset.size(part)));
  for (std::int64_t i = 0; i < dataset.size(part); ++i)
    dataset.read(part, i, pixels.data() + static_cast<std::size_t>(i) * bytes);
  return pixels;
}

TEST(Folder, TrainAndTest) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/train/cat", 3, 200);
  put_class(scratch / "set/train/ant/deeper", 4, 50);
  put_class(scratch / "set/test/cat", 1, 200);
  put_class(scratch / "set/test/ant", 2, 50);
  const auto set = open(scratch / "set");
  EXPECT_EQ(set->info().classes, (std::vector<std::string>{"ant", "cat"}));
  EXPECT_EQ(set->info().channels, 3);
  EXPECT_EQ(set->size(Part::kTrain), 7);
  EXPECT_EQ(set->size(Part::kTest), 3);
  EXPECT_TRUE(set->info().measured);
  EXPECT_EQ(set->describe()["train_counts"].dump(), "[4,3]");
  EXPECT_TRUE(set->describe()["held_out"].empty());
  const std::vector<std::uint8_t> pixels = all_pixels(*set, Part::kTrain);
  for (std::int64_t i = 0; i < 7; ++i) {
    EXPECT_NEAR(pixels[static_cast<std::size_t>(i) * 192], set->label(Part::kTrain, i) == 1 ? 200 : 50, 3);
    EXPECT_NEAR(pixels[static_cast<std::size_t>(i) * 192 + 191], 99, 3);
  }
}

TEST(Folder, HoldsOutAShareOfEachClass) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/a", 10, 1);
  put_class(scratch / "set/b", 2, 100);
  put_class(scratch / "set/c", 7, 200);
  DataOptions options = small_options();
  options.test_portion = 0.3;
  const auto set = open(scratch / "set", options);
  const Json description = set->describe();
  EXPECT_EQ(description["train_counts"].dump(), "[7,1,5]");
  EXPECT_EQ(description["test_counts"].dump(), "[3,1,2]");
  ASSERT_EQ(description["held_out"].size(), 6u);
  for (const Json& file : description["held_out"])
    EXPECT_TRUE(fs::exists(scratch / "set" / file.get<std::string>()));
  EXPECT_EQ(open(scratch / "set", options)->describe(), description);
  options.test_portion = 0.99;
  EXPECT_EQ(open(scratch / "set", options)->describe()["train_counts"].dump(), "[1,1,1]");
  options.test_portion = 0.001;
  EXPECT_EQ(open(scratch / "set", options)->describe()["test_counts"].dump(), "[1,1,1]");
}

TEST(Folder, OrderIsFixedAndMixed) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/a", 12, 1);
  put_class(scratch / "set/b", 12, 100);
  std::vector<int> labels[2];
  for (std::vector<int>& list : labels) {
    const auto set = open(scratch / "set");
    for (std::int64_t i = 0; i < set->size(Part::kTrain); ++i) list.push_back(set->label(Part::kTrain, i));
  }
  EXPECT_EQ(labels[0], labels[1]);
  EXPECT_FALSE(std::is_sorted(labels[0].begin(), labels[0].end()));
}

TEST(Folder, DecodedAtEachUseWhereMemoryIsShort) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/a", 9, 1);
  put_class(scratch / "set/b", 9, 100, /*grey=*/true);
  const auto all = open_folder((scratch / "set").string(), small_options(), 1 << 20);
  for (const std::uint64_t cache : {0, 1000}) {
    const auto some = open_folder((scratch / "set").string(), small_options(), cache);
    EXPECT_EQ(some->describe(), all->describe());
    for (const Part part : {Part::kTrain, Part::kTest})
      EXPECT_EQ(all_pixels(*some, part), all_pixels(*all, part));
  }
  // A file that went away meanwhile is named.
  const auto none = open_folder((scratch / "set").string(), small_options(), 0);
  fs::remove_all(scratch / "set");
  std::vector<std::uint8_t> pixels(192);
  expect_error([&] { none->read(Part::kTrain, 0, pixels.data()); }, {(scratch / "set").string()});
}

TEST(Folder, AllGreyHasOneChannel) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/a", 4, 0, true);
  put_class(scratch / "set/b", 4, 0, true);
  EXPECT_EQ(open(scratch / "set")->info().channels, 1);
  put_file(scratch / "set/b/colour.png", png_bytes(plain_image(9, 9, {1, 2, 3})));
  EXPECT_EQ(open(scratch / "set")->info().channels, 3);
}

TEST(Folder, OtherFilesAreIgnoredAndFormatsToldByContent) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/a", 2, 1);
  put_class(scratch / "set/b", 2, 100);
  put_file(scratch / "set/a/notes.txt", "words");
  put_file(scratch / "set/a/.hidden.png", "no image");
  put_file(scratch / "set/.cache/x.png", "no image");
  put_file(scratch / "set/readme", "words");
  put_file(scratch / "set/b/really-a-png.jpg", png_bytes(plain_image(9, 9, {1, 2, 3})));
  put_file(scratch / "set/b/no-extension", jpeg_bytes(8, 8, TJPF_GRAY, std::vector<std::uint8_t>(64, 9)));
  ::testing::internal::CaptureStderr();
  const auto set = open(scratch / "set");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("2 files are no PNG or JPEG"), std::string::npos);
  EXPECT_EQ(set->info().classes.size(), 2u);
  EXPECT_EQ(set->size(Part::kTrain) + set->size(Part::kTest), 6);
}

TEST(Folder, BrokenImages) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/a", 4, 1);
  put_class(scratch / "set/b", 4, 100);
  const std::string png = png_bytes(plain_image(30, 30, {1, 2, 3}));
  put_file(scratch / "set/a/cut.png", png.substr(0, png.size() - 30));
  put_file(scratch / "set/b/empty.jpg", "");
  expect_error([&] { open(scratch / "set"); }, {"a/cut.png", "1 more", "--skip-bad-images"});
  DataOptions options = small_options();
  options.skip_bad_images = true;
  const auto set = open(scratch / "set", options);
  EXPECT_EQ(set->describe()["left_out"].dump(), R"(["a/cut.png","b/empty.jpg"])");
  EXPECT_EQ(set->size(Part::kTrain) + set->size(Part::kTest), 8);
  // Nothing is left of a class.
  put_file(scratch / "set/c/x.png", "broken");
  expect_error([&] { open(scratch / "set", options); }, {"class c has no images"});
}

TEST(Folder, BadLayouts) {
  const ScratchDirectory scratch;
  fs::create_directories(scratch / "set");
  expect_error([&] { open(scratch / "set"); }, {"at least two", "found 0"});
  put_class(scratch / "set/a", 2, 1);
  expect_error([&] { open(scratch / "set"); }, {"at least two", "found 1"});
  fs::create_directories(scratch / "set/b");
  expect_error([&] { open(scratch / "set"); }, {"class b has no images"});
  put_class(scratch / "set/b", 1, 1);
  expect_error([&] { open(scratch / "set"); }, {"class b has one image"});
  put_class(scratch / "set/test/a", 1, 1);
  expect_error([&] { open(scratch / "set"); }, {"test/ but no train/"});
  put_class(scratch / "set/train/a", 2, 1);
  put_class(scratch / "set/train/b", 1, 1);
  expect_error([&] { open(scratch / "set"); }, {"same class folders", "b"});
  put_file(scratch / "file", "x");
  expect_error([&] { open(scratch / "file"); }, {"expected a directory"});
}

TEST(Folder, AClassMayBeCalledTrain) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/bus", 3, 1);
  put_class(scratch / "set/train", 3, 100);
  EXPECT_EQ(open(scratch / "set")->info().classes, (std::vector<std::string>{"bus", "train"}));
}

TEST(Folder, NamesThatAreNotUtf8) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/caf\xE9", 3, 1);
  put_class(scratch / "set/<b>", 3, 100);
  const Json description = open(scratch / "set")->describe();
  EXPECT_EQ(description["classes"][1], "caf\xEF\xBF\xBD");
  EXPECT_NO_THROW(description.dump());
}

TEST(Folder, WrongOptions) {
  const ScratchDirectory scratch;
  put_class(scratch / "set/a", 2, 1);
  put_class(scratch / "set/b", 2, 1);
  for (const std::int64_t size : {7, -1, 100000}) {
    DataOptions options = small_options();
    options.image_size = size;
    expect_error([&] { open(scratch / "set", options); }, {"--image-size"}, ErrorKind::kUsage);
  }
  for (const double portion : {0.0, 1.0, -1.0}) {
    DataOptions options = small_options();
    options.test_portion = portion;
    expect_error([&] { open(scratch / "set", options); }, {"--test-portion"}, ErrorKind::kUsage);
  }
}

}  // namespace
}  // namespace ptnas
