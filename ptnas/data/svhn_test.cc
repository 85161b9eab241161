#include <gtest/gtest.h>
#include <matio.h>

#include "ptnas/core/random.h"
#include "ptnas/core/testing.h"
#include "ptnas/data/sources.h"
#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kImage = 32 * 32 * 3;

// A variable of a MAT-file.
struct Variable {
  std::string name;
  matio_classes kind;
  matio_types type;
  std::vector<std::size_t> sizes;
  std::string data;
};

void put_mat(const fs::path& path, std::vector<Variable> variables, bool compressed = true,
             mat_ft version = MAT_FT_MAT5) {
  fs::create_directories(path.parent_path());
  mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, version);
  ASSERT_NE(mat, nullptr);
  for (Variable& v : variables) {
    matvar_t* written = Mat_VarCreate(v.name.c_str(), v.kind, v.type, static_cast<int>(v.sizes.size()),
                                      v.sizes.data(), v.data.data(), 0);
    ASSERT_NE(written, nullptr);
    EXPECT_EQ(Mat_VarWrite(mat, written, compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(written);
  }
  Mat_Close(mat);
}

// What stands in image n at row, column, channel.
std::uint8_t pixel_of(std::size_t n, std::size_t row, std::size_t column, std::size_t channel) {
  return static_cast<std::uint8_t>(n * 50 + row * 3 + column * 5 + channel * 71);
}

Variable images(std::size_t count) {
  Variable x{"X", MAT_C_UINT8, MAT_T_UINT8, {32, 32, 3, count}, {}};
  for (std::size_t n = 0; n < count; ++n)
    for (std::size_t channel = 0; channel < 3; ++channel)
      for (std::size_t column = 0; column < 32; ++column)
        for (std::size_t row = 0; row < 32; ++row)
          x.data += static_cast<char>(pixel_of(n, row, column, channel));
  return x;
}

Variable labels(const std::vector<int>& values) {
  Variable y{"y", MAT_C_UINT8, MAT_T_UINT8, {values.size(), 1}, {}};
  for (const int value : values) y.data += static_cast<char>(value);
  return y;
}

template <typename Number>
Variable labels_as(matio_classes kind, matio_types type, const std::vector<Number>& values) {
  return {"y",
          kind,
          type,
          {1, values.size()},
          std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number))};
}

const std::vector<int> kTrainLabels = {10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3};

void put_set(const fs::path& folder, bool compressed = true) {
  put_mat(folder / "train_32x32.mat", {images(12), labels(kTrainLabels)}, compressed);
  put_mat(folder / "test_32x32.mat", {labels({5, 10}), images(2)}, compressed);
}

std::unique_ptr<Dataset> open(const fs::path& folder) {
  DataOptions options;
  options.data = "svhn:" + folder.string();
  return open_dataset(options);
}

void expect_the_set(const Dataset& set) {
  EXPECT_EQ(set.info().classes, (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
  ASSERT_EQ(set.size(Part::kTrain), 12);
  ASSERT_EQ(set.size(Part::kTest), 2);
  for (std::int64_t i = 0; i < 12; ++i)
    EXPECT_EQ(set.label(Part::kTrain, i), kTrainLabels[static_cast<std::size_t>(i)] % 10);
  EXPECT_EQ(set.label(Part::kTest, 1), 0);
  std::vector<std::uint8_t> pixels(kImage);
  for (const auto& [part, index] : {std::pair{Part::kTrain, 11}, {Part::kTrain, 0}, {Part::kTest, 1}}) {
    set.read(part, index, pixels.data());
    for (std::size_t c = 0, i = 0; c < 3; ++c)
      for (std::size_t row = 0; row < 32; ++row)
        for (std::size_t column = 0; column < 32; ++column, ++i)
          ASSERT_EQ(pixels[i], pixel_of(static_cast<std::size_t>(index), row, column, c));
  }
}

TEST(Svhn, CompressedAndPlainFiles) {
  const ScratchDirectory scratch;
  for (const bool compressed : {true, false}) {
    put_set(scratch / "set", compressed);
    expect_the_set(*open(scratch / "set"));
  }
  const auto set = open(scratch / "set");
  EXPECT_EQ(set->info().name, "svhn");
  EXPECT_DOUBLE_EQ(set->info().mean.at(2), 0.4728);
  EXPECT_DOUBLE_EQ(set->info().deviation.at(0), 0.1980);
}

TEST(Svhn, LabelsOfOtherTypes) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  const auto check = [&](const Variable& y) {
    put_mat(scratch / "set/train_32x32.mat", {images(12), y});
    expect_the_set(*open(scratch / "set"));
  };
  check(labels_as(MAT_C_DOUBLE, MAT_T_DOUBLE, std::vector<double>(kTrainLabels.begin(), kTrainLabels.end())));
  check(labels_as(MAT_C_INT32, MAT_T_INT32,
                  std::vector<std::int32_t>(kTrainLabels.begin(), kTrainLabels.end())));
  check(labels_as(MAT_C_INT64, MAT_T_INT64,
                  std::vector<std::int64_t>(kTrainLabels.begin(), kTrainLabels.end())));
}

TEST(Svhn, OtherVariablesAreLeftAlone) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  Variable note{"note", MAT_C_DOUBLE, MAT_T_DOUBLE, {1, 1}, std::string(8, '\0')};
  Variable more = note;
  more.name = "more";
  put_mat(scratch / "set/train_32x32.mat", {note, images(12), more, labels(kTrainLabels)});
  expect_the_set(*open(scratch / "set"));
}

TEST(Svhn, BadFiles) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set", train = folder / "train_32x32.mat";
  const auto expect = [&](const std::vector<std::string>& says) {
    expect_error([&] { open(folder); }, says);
    put_set(folder);
  };
  expect({"no train_32x32.mat"});
  fs::remove(folder / "test_32x32.mat");
  expect({"no test_32x32.mat"});
  put_mat(train, {labels(kTrainLabels)});
  expect({"train_32x32.mat", "variable X", "none"});
  put_mat(train, {images(12)});
  expect({"train_32x32.mat", "variable y", "none"});
  Variable wrong = images(12);
  wrong.sizes = {3, 32, 32, 12};
  put_mat(train, {wrong, labels(kTrainLabels)});
  expect({"expected X", "[3, 32, 32, 12]"});
  wrong.sizes = {32, 32, 36};
  put_mat(train, {wrong, labels(kTrainLabels)});
  expect({"expected X", "[32, 32, 36]"});
  wrong = images(12);
  wrong.kind = MAT_C_INT8;
  wrong.type = MAT_T_INT8;
  put_mat(train, {wrong, labels(kTrainLabels)});
  expect({"expected X", "another kind"});
  put_mat(train, {images(12), labels({1, 2, 3})});
  expect({"expected y", "[3, 1]"});
  for (const int label : {0, 11, 255}) {
    std::vector<int> values = kTrainLabels;
    values[7] = label;
    put_mat(train, {images(12), labels(values)});
    expect({"image 7", "label " + std::to_string(label)});
  }
  std::vector<double> halves(12, 1);
  halves[3] = 2.5;
  put_mat(train, {images(12), labels_as(MAT_C_DOUBLE, MAT_T_DOUBLE, halves)});
  expect({"image 3", "2.5"});
  put_mat(train, {images(12), labels({1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3})});
  expect({"class 0 has no training images"});
  put_file(train, "");
  expect({"train_32x32.mat"});
  put_file(train, "no MAT-file, but a text that is longer than the header of one would be: " +
                      std::string(500, 'x'));
  expect({"train_32x32.mat"});
  put_file(train, png_bytes(plain_image(32, 32, {1, 2, 3})));
  expect({"train_32x32.mat"});
}

TEST(Svhn, TruncatedFilesAreRefused) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set", train = folder / "train_32x32.mat";
  for (const bool compressed : {true, false}) {
    put_set(folder, compressed);
    const std::string whole = read_file(train);
    for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 60) {
      put_file(train, whole.substr(0, size));
      EXPECT_THROW(open(folder), Error) << size << " of " << whole.size();
    }
  }
}

TEST(Svhn, DamagedDataIsRefused) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set", train = folder / "train_32x32.mat";
  put_set(folder);
  const std::string whole = read_file(train);
  RandomStream stream(1, Purpose::kAugmentation);
  int refused = 0;
  for (int trial = 0; trial < 60; ++trial) {
    std::string damaged = whole;
    for (int i = 0; i < 3; ++i)
      damaged[200 + stream.below(whole.size() - 200)] ^= static_cast<char>(1 + stream.below(255));
    put_file(train, damaged);
    try {
      open(folder);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_EQ(refused, 60);  // compressed data has a checksum
}

}  // namespace
}  // namespace ptnas
