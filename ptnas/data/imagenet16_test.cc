#include <gtest/gtest.h>

#include "ptnas/core/array_pickle_testing.h"
#include "ptnas/core/testing.h"
#include "ptnas/data/batch.h"
#include "ptnas/data/sources.h"
#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;
using testing_arrays::Writer;

constexpr std::size_t kPixels = 768;

// An image of `value`, plane c by c more.
std::string image(int value) {
  std::string pixels;
  for (int c = 0; c < 3; ++c) pixels += std::string(kPixels / 3, static_cast<char>(value + c));
  return pixels;
}

struct BatchFile {
  std::vector<int> labels;
  std::string pixels;
  std::string bytes(Writer writer) const {
    using namespace testing_arrays;
    return pickle(writer,
                  dict(writer, {{"data", array(writer, "u1", {static_cast<int>(labels.size()), 768}, pixels)},
                                {"labels", list({integers(labels)})},
                                {"mean", array(writer, "f8", {1}, "12345678", false, "<")}}));
  }
};

// Ten files of 13 images: each has 12 of the 120 classes and one beyond them.
BatchFile train_file(int number) {
  BatchFile file;
  for (int i = 0; i < 12; ++i) {
    file.labels.push_back(12 * (number - 1) + i + 1);
    file.pixels += image(file.labels.back());
  }
  file.labels.insert(file.labels.begin() + 5, 121 + number);
  file.pixels.insert(5 * kPixels, image(0));
  return file;
}

void put_set(const fs::path& folder, Writer writer = Writer::kProtocol4) {
  for (int number = 1; number <= 10; ++number)
    put_file(folder / ("train_data_batch_" + std::to_string(number)), train_file(number).bytes(writer));
  put_file(folder / "val_data", BatchFile{{1000, 3, 120}, image(0) + image(3) + image(120)}.bytes(writer));
}

std::unique_ptr<Dataset> open(const fs::path& folder) {
  DataOptions options;
  options.data = "imagenet16-120:" + folder.string();
  return open_dataset(options);
}

TEST(ImageNet16, KeepsTheFirst120ClassesOfEveryWritersFiles) {
  const ScratchDirectory scratch;
  for (const Writer writer : {Writer::kPython2, Writer::kProtocol2, Writer::kProtocol3, Writer::kProtocol4}) {
    put_set(scratch / "set", writer);
    const auto set = open(scratch / "set");
    EXPECT_EQ(set->info().name, "imagenet16-120");
    EXPECT_EQ(set->info().classes.size(), 120u);
    EXPECT_EQ(set->info().classes.front(), "1");
    EXPECT_EQ(set->info().height, 16);
    EXPECT_EQ(set->info().crop_padding, 2);
    EXPECT_EQ(set->size(Part::kTrain), 120);
    ASSERT_EQ(set->size(Part::kTest), 2);
    EXPECT_EQ(set->label(Part::kTest, 0), 2);
    EXPECT_EQ(set->label(Part::kTest, 1), 119);
    std::vector<std::uint8_t> pixels(kPixels);
    for (std::int64_t i = 0; i < 120; ++i) {
      set->read(Part::kTrain, i, pixels.data());
      EXPECT_EQ(set->label(Part::kTrain, i) + 1, pixels[0]);
      EXPECT_EQ(pixels[767], pixels[0] + 2);
    }
    EXPECT_NEAR(set->info().mean.at(0), 122.68 / 255, 1e-12);
    EXPECT_NEAR(set->info().deviation.at(2), 65.09 / 255, 1e-12);
  }
}

TEST(ImageNet16, IsCroppedWithAPaddingOfTwo) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  const auto set = open(scratch / "set");
  std::int64_t bright = 0;  // an image of one bright colour: its padding is all that is dark
  while (set->label(Part::kTrain, bright) < 100) ++bright;
  const BatchPlan plan{Part::kTrain, std::vector<std::int64_t>(200, bright), {true, 0}, 1, 0};
  const torch::Tensor red =
      make_batch(*set, plan, torch::MemoryFormat::Contiguous).images.select(1, 0);  // [N, H, W]
  const torch::Tensor black = red.lt(red.max() - 0.5);
  const torch::Tensor rows = black.all(2).sum(1), columns = black.all(1).sum(1);
  EXPECT_EQ(rows.max().item<std::int64_t>(), 2);
  EXPECT_EQ(rows.min().item<std::int64_t>(), 0);
  EXPECT_EQ(columns.max().item<std::int64_t>(), 2);
}

TEST(ImageNet16, LabelsMayBeAnArray) {
  using namespace testing_arrays;
  const ScratchDirectory scratch;
  const Writer w = Writer::kProtocol4;
  put_set(scratch / "set");
  for (const auto& [type, labels] :
       {std::pair<std::string, std::string>{"i8", std::string("\3\0\0\0\0\0\0\0\x79\0\0\0\0\0\0\0", 16)},
        {"u2", std::string("\3\0\x79\0", 4)},
        {"i4", std::string("\3\0\0\0\x79\0\0\0", 8)}}) {
    put_file(scratch / "set/val_data",
             pickle(w, dict(w, {{"labels", array(w, type, {2}, labels, false, "<")},
                                {"data", array(w, "u1", {2, 768}, image(3) + image(9))}})));
    const auto set = open(scratch / "set");
    ASSERT_EQ(set->size(Part::kTest), 1) << type;
    EXPECT_EQ(set->label(Part::kTest, 0), 2);
  }
  const std::string negative = std::string("\xFF\xFF\xFF\xFF", 4);
  put_file(scratch / "set/val_data", pickle(w, dict(w, {{"labels", array(w, "i4", {1}, negative, false, "<")},
                                                        {"data", array(w, "u1", {1, 768}, image(3))}})));
  expect_error([&] { open(scratch / "set"); }, {"val_data", "label -1"});
}

TEST(ImageNet16, BadFiles) {
  using namespace testing_arrays;
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set", first = folder / "train_data_batch_1";
  const Writer w = Writer::kProtocol2;
  const auto expect = [&](const std::vector<std::string>& says) {
    expect_error([&] { open(folder); }, says);
    put_set(folder);
  };
  expect({"no train_data_batch_1"});
  fs::remove(folder / "train_data_batch_10");
  expect({"no train_data_batch_10"});
  fs::remove(folder / "val_data");
  expect({"no val_data"});
  put_file(first, "");
  expect({"train_data_batch_1", "truncated"});
  put_file(first, train_file(1).bytes(w).substr(0, 5000));
  expect({"train_data_batch_1", "truncated"});
  put_file(first, "images, but in a text");
  expect({"train_data_batch_1", "protocol"});
  put_file(first, pickle(w, global(w, "os", "system") + tuple({text(w, "touch x")}) + "R"));
  expect({"train_data_batch_1", "os.system", "nothing was executed"});
  put_file(first, pickle(w, list({integers({1})})));
  expect({"train_data_batch_1", "expected a dict"});
  put_file(first, pickle(w, dict(w, {{"labels", list({integers({1})})}})));
  expect({"found no `data`"});
  put_file(first, pickle(w, dict(w, {{"data", array(w, "u1", {1, 768}, image(1))}})));
  expect({"found no `labels`"});
  for (const auto& [labels, says] : {std::pair<std::vector<int>, std::string>{{0}, "label 0"},
                                     {{1001}, "label 1001"},
                                     {{1, 2}, "2 labels"}}) {
    put_file(first, pickle(w, dict(w, {{"data", array(w, "u1", {1, 768}, image(1))},
                                       {"labels", list({integers(labels)})}})));
    expect({"train_data_batch_1", says});
  }
  put_file(first, pickle(w, dict(w, {{"data", array(w, "u1", {1, 767}, image(1).substr(1))},
                                     {"labels", list({integers({1})})}})));
  expect({"[1, 767]"});
  put_file(
      first,
      pickle(w, dict(w, {{"data", array(w, "i4", {1, 192}, image(1))}, {"labels", list({integers({1})})}})));
  expect({"type i4"});
  put_file(first, pickle(w, dict(w, {{"data", list({})}, {"labels", list({text(w, "cat")})}})));
  expect({"no array"});
}

}  // namespace
}  // namespace ptnas
