#include <gtest/gtest.h>

#include "ptnas/core/testing.h"
#include "ptnas/data/sources.h"
#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

// CIFAR-100's files: record i has the coarse label i % 20, the fine label `first` + i modulo 100, and its
// number in the first pixel of each plane.
std::string records(int count, int first) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes += static_cast<char>(i % 20);
    bytes += static_cast<char>((first + i) % 100);
    for (int c = 0; c < 3; ++c)
      bytes += static_cast<char>(i + c) + std::string(1023, static_cast<char>(50 * c));
  }
  return bytes;
}

void put_set(const fs::path& folder) {
  put_file(folder / "train.bin", records(150, 0));
  put_file(folder / "test.bin", records(20, 7));
}

std::unique_ptr<Dataset> open(const fs::path& folder) {
  DataOptions options;
  options.data = "cifar100:" + folder.string();
  return open_dataset(options);
}

TEST(Cifar100, TheFineLabelIsTheClass) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  const auto set = open(scratch / "set");
  EXPECT_EQ(set->info().name, "cifar100");
  EXPECT_EQ(set->info().classes.size(), 100u);
  EXPECT_EQ(set->size(Part::kTrain), 150);
  EXPECT_EQ(set->size(Part::kTest), 20);
  EXPECT_EQ(set->label(Part::kTrain, 99), 99);
  EXPECT_EQ(set->label(Part::kTrain, 120), 20);
  EXPECT_EQ(set->label(Part::kTest, 1), 8);
  std::vector<std::uint8_t> pixels(3072);
  set->read(Part::kTrain, 120, pixels.data());
  EXPECT_EQ(pixels[0], 120);
  EXPECT_EQ(pixels[1024], 121);
  EXPECT_EQ(pixels[3071], 100);
  EXPECT_FALSE(set->info().measured);
  EXPECT_DOUBLE_EQ(set->info().mean.at(1), 0.4865);
  EXPECT_DOUBLE_EQ(set->info().deviation.at(2), 0.2762);
  EXPECT_EQ(set->info().crop_padding, 4);
}

TEST(Cifar100, NamesStandBesideTheFiles) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  std::string names;
  for (int i = 0; i < 100; ++i) names += "class_" + std::to_string(i) + "\n";
  put_file(scratch / "set/fine_label_names.txt", names);
  EXPECT_EQ(open(scratch / "set")->info().classes.at(42), "class_42");
  put_file(scratch / "set/fine_label_names.txt", "too\nfew\n");
  EXPECT_EQ(open(scratch / "set")->info().classes.at(42), "42");
}

TEST(Cifar100, BadFiles) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set";
  const auto expect = [&](const std::vector<std::string>& says) {
    expect_error([&] { open(folder); }, says);
    put_set(folder);
  };
  expect({"no train.bin", "CIFAR-100"});
  fs::remove(folder / "test.bin");
  expect({"no test.bin"});
  put_file(folder / "train.bin", records(150, 0).substr(0, 100 * 3074 + 9));
  expect({"train.bin", "truncated"});
  put_file(folder / "test.bin", "");
  expect({"test.bin", "truncated"});
  put_file(folder / "train.bin", std::string(10 * 3073, '\0'));  // CIFAR-10's records
  expect({"train.bin", "3074"});
  std::string wrong = records(150, 0);
  wrong[3074 * 3 + 1] = 100;
  put_file(folder / "train.bin", wrong);
  expect({"label 100", "100 classes"});
  put_file(folder / "train.bin", records(99, 0));
  expect({"class 99 has no training images"});
}

}  // namespace
}  // namespace ptnas
