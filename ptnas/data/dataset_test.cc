// The table of data sets, IDX and CIFAR-10 files, and what all sets share.

#include "ptnas/data/dataset.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "ptnas/core/testing.h"
#include "ptnas/data/sources.h"
#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

std::string big_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
  return text;
}

std::string idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width, std::size_t bytes) {
  std::string pixels(bytes, '\0');
  const std::size_t image = std::size_t{height} * width;
  for (std::size_t i = 0; i < bytes; ++i) pixels[i] = static_cast<char>(i / std::max<std::size_t>(image, 1));
  return big_endian(0x803) + big_endian(count) + big_endian(height) + big_endian(width) + pixels;
}

std::string idx_labels(const std::vector<int>& labels) {
  std::string text = big_endian(0x801) + big_endian(static_cast<std::uint32_t>(labels.size()));
  for (const int label : labels) text += static_cast<char>(label);
  return text;
}

// Images of which all pixels are the image's number.
void put_idx(const fs::path& folder, const std::vector<int>& train, const std::vector<int>& test,
             int side = 8) {
  const auto put = [&](const char* prefix, const std::vector<int>& labels) {
    const auto n = static_cast<std::uint32_t>(labels.size()), s = static_cast<std::uint32_t>(side);
    put_file(folder / (std::string(prefix) + "-images-idx3-ubyte"),
             idx_images(n, s, s, std::size_t{n} * s * s));
    put_file(folder / (std::string(prefix) + "-labels-idx1-ubyte"), idx_labels(labels));
  };
  put("train", train);
  put("t10k", test);
}

void gzip_file(const fs::path& path) {
  const std::string content = read_file(path);
  const gzFile file = gzopen((path.string() + ".gz").c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  fs::remove(path);
}

std::unique_ptr<Dataset> open(const std::string& data) {
  DataOptions options;
  options.data = data;
  return open_dataset(options);
}

// The first pixel of every training image, in the order of use.
std::vector<int> first_pixels(const Dataset& dataset) {
  std::vector<std::uint8_t> pixels(
      static_cast<std::size_t>(dataset.info().channels * dataset.info().height * dataset.info().width));
  std::vector<int> result;
  for (std::int64_t i = 0; i < dataset.size(Part::kTrain); ++i) {
    dataset.read(Part::kTrain, i, pixels.data());
    result.push_back(pixels[0]);
  }
  return result;
}

TEST(OpenDataset, WrongUse) {
  expect_error([] { open("mnist"); },
               {"fashion-mnist, idx:DIR, cifar10:DIR, cifar100:DIR", "imagenet:DIR, folder:DIR", "mnist"},
               ErrorKind::kUsage);
  expect_error([] { open(""); }, {"fashion-mnist"}, ErrorKind::kUsage);
  for (const char* name :
       {"idx", "cifar10", "cifar100", "svhn", "imagenet16-120", "imagenet", "folder", "folder:"})
    expect_error([&] { open(name); }, {"needs a directory"}, ErrorKind::kUsage);
  for (const char* name :
       {"idx", "cifar10", "cifar100", "svhn", "imagenet16-120", "imagenet", "folder", "fashion-mnist"})
    expect_error([&] { open(std::string(name) + ":/nowhere/at/all"); }, {"/nowhere/at/all"});
}

TEST(Idx, PlainAndGzipped) {
  const ScratchDirectory scratch;
  put_idx(scratch / "set", {1, 0, 2, 1, 0}, {2, 1, 0}, 9);
  const auto check = [&] {
    const auto set = open("idx:" + (scratch / "set").string());
    EXPECT_EQ(set->info().classes, (std::vector<std::string>{"0", "1", "2"}));
    EXPECT_EQ(set->info().channels, 1);
    EXPECT_EQ(set->info().height, 9);
    EXPECT_EQ(set->size(Part::kTrain), 5);
    EXPECT_EQ(set->size(Part::kTest), 3);
    EXPECT_EQ(set->label(Part::kTest, 0), 2);
    EXPECT_EQ(first_pixels(*set), (std::vector<int>{0, 1, 2, 3, 4}));
    // Images 0 .. 4 of 255: mean 2, variance 2.
    EXPECT_TRUE(set->info().measured);
    EXPECT_NEAR(set->info().mean.at(0), 2.0 / 255, 1e-12);
    EXPECT_NEAR(set->info().deviation.at(0), std::sqrt(2.0) / 255, 1e-12);
    EXPECT_EQ(set->describe()["train_counts"].dump(), "[2,2,1]");
  };
  check();
  for (const auto& entry : fs::directory_iterator(scratch / "set")) gzip_file(entry.path());
  check();
}

TEST(Idx, StoredClassByClassIsPutInAFixedOrder) {
  const ScratchDirectory scratch;
  std::vector<int> labels;
  for (int i = 0; i < 60; ++i) labels.push_back(2 - i / 20);  // descending: in pieces too
  put_idx(scratch / "set", labels, {0, 1, 2});
  const auto set = open("idx:" + (scratch / "set").string());
  const std::vector<int> order = first_pixels(*set);
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(set->label(Part::kTrain, static_cast<std::int64_t>(i)),
              labels[static_cast<std::size_t>(order[i])]);
  }
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(std::set<int>(order.begin(), order.end()).size(), 60u);
  EXPECT_EQ(first_pixels(*open("idx:" + (scratch / "set").string())), order);
}

TEST(Idx, BadFiles) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set";
  const fs::path images = folder / "train-images-idx3-ubyte", labels = folder / "train-labels-idx1-ubyte";
  const auto expect = [&](const std::vector<std::string>& says) {
    expect_error([&] { open("idx:" + folder.string()); }, says);
    put_idx(folder, {0, 1, 0, 1}, {0, 1});
  };
  put_idx(folder, {0, 1, 0, 1}, {0, 1});
  put_file(images, idx_images(4, 8, 8, 200));
  expect({"train-images-idx3-ubyte", "truncated", "256", "200"});
  put_file(images, "");
  expect({"train-images-idx3-ubyte", "not an IDX file of images"});
  put_file(images, idx_labels({1, 2}));
  expect({"not an IDX file of images"});
  put_file(labels, "foreign contents");
  expect({"train-labels-idx1-ubyte", "not an IDX file of labels"});
  put_file(images, idx_images(0, 8, 8, 0));
  expect({"empty"});
  put_file(images, idx_images(1u << 30, 1u << 30, 1u << 30, 0));  // sizes whose product overflows
  expect({"truncated"});
  put_file(labels, idx_labels({0, 1, 0}));
  expect({"4 images", "3 labels"});
  put_file(labels, idx_labels({0, 2, 0, 2}));
  expect({"class 1 has no training images"});
  put_file(labels, idx_labels({0, 0, 0, 0}));
  expect({"at least two classes"});
  put_file(folder / "t10k-labels-idx1-ubyte", idx_labels({0, 7}));
  expect({"test image 1 has label 7", "2 classes"});
  put_file(folder / "t10k-images-idx3-ubyte", idx_images(2, 9, 9, 162));
  expect({"8x8", "9x9"});
  put_file(images, idx_images(4, 7, 8, 224));
  put_file(folder / "t10k-images-idx3-ubyte", idx_images(2, 7, 8, 112));
  expect({"at least 8"});
  put_idx(folder, {0}, {0});
  expect({"at least two classes"});
  fs::remove(labels);
  expect({"train-labels-idx1-ubyte", "neither"});
  gzip_file(images);
  const std::string whole = read_file(images.string() + ".gz");
  put_file(images.string() + ".gz", whole.substr(0, whole.size() / 2));
  expect_error([&] { open("idx:" + folder.string()); }, {"train-images-idx3-ubyte.gz", "gzip"});
}

// CIFAR-10's files, `each` records in a batch; the label of a record is its number modulo 10.
void put_cifar(const fs::path& folder, int each) {
  for (int batch = 0; batch < 6; ++batch) {
    std::string records;
    for (int i = 0; i < each; ++i) {
      records += static_cast<char>(i % 10);
      for (int c = 0; c < 3; ++c) records += std::string(1024, static_cast<char>(batch * 40 + c));
    }
    put_file(folder / (batch == 5 ? "test_batch.bin" : "data_batch_" + std::to_string(batch + 1) + ".bin"),
             records);
  }
}

TEST(Cifar10, Records) {
  const ScratchDirectory scratch;
  put_cifar(scratch / "set", 10);
  const auto set = open("cifar10:" + (scratch / "set").string());
  EXPECT_EQ(set->info().classes.at(9), "truck");
  EXPECT_EQ(set->size(Part::kTrain), 50);
  EXPECT_EQ(set->label(Part::kTrain, 13), 3);
  EXPECT_FALSE(set->info().measured);
  EXPECT_DOUBLE_EQ(set->info().mean.at(2), 0.44653124);
  EXPECT_DOUBLE_EQ(set->info().deviation.at(0), 0.24703233);
  std::vector<std::uint8_t> pixels(3072);
  set->read(Part::kTrain, 49, pixels.data());
  EXPECT_EQ(pixels[0], 160);
  EXPECT_EQ(pixels[3071], 162);
  set->read(Part::kTest, 0, pixels.data());
  EXPECT_EQ(pixels[1024], 201);

  put_file(scratch / "set/batches.meta.txt", "a\nb\nc\r\nd\ne\nf\ng\nh\ni\nj \xFF\n\n");
  const auto named = open("cifar10:" + (scratch / "set").string());
  EXPECT_EQ(named->info().classes.at(2), "c");
  EXPECT_EQ(named->info().classes.at(9), "j \xEF\xBF\xBD");  // what is not UTF-8 would not go into JSON
}

TEST(Cifar10, BadFiles) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set";
  const auto expect = [&](const std::vector<std::string>& says) {
    expect_error([&] { open("cifar10:" + folder.string()); }, says);
    put_cifar(folder, 10);
  };
  put_cifar(folder, 10);
  fs::remove(folder / "data_batch_4.bin");
  expect({"no data_batch_4.bin"});
  put_file(folder / "data_batch_2.bin", std::string(3072, '\0'));
  expect({"data_batch_2.bin", "truncated", "3072"});
  put_file(folder / "test_batch.bin", "");
  expect({"test_batch.bin"});
  put_file(folder / "data_batch_3.bin", std::string(3073, '\x0B'));
  expect({"label 11", "10 classes"});
}

TEST(Dataset, LimitAndHalves) {
  const ScratchDirectory scratch;
  std::vector<int> labels(20);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int>(i * i % 3 % 2);
  put_idx(scratch / "set", labels, {0, 1});
  DataOptions options;
  options.data = "idx:" + (scratch / "set").string();
  const auto set = open_dataset(options);
  EXPECT_EQ(training_indices(*set, 0).size(), 20u);
  EXPECT_EQ(training_indices(*set, 100).size(), 20u);
  EXPECT_EQ(training_indices(*set, 3), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(search_halves(*set, options).train.size(), 10u);
  EXPECT_EQ(search_halves(*set, options).validation.front(), 10);
  options.train_portion = 0.25;
  options.limit = 9;
  EXPECT_EQ(search_halves(*set, options).train.size(), 2u);
  EXPECT_EQ(search_halves(*set, options).validation.back(), 8);
  options.search_limit = 8;
  EXPECT_EQ(search_halves(*set, options).validation.size(), 6u);
  options.limit = 3;
  expect_error([&] { search_halves(*set, options); }, {"3 training images", "0.25"}, ErrorKind::kUsage);
  for (const double portion : {-0.5, 0.0, 1.0, 7.0, std::nan("")}) {
    options.train_portion = portion;
    expect_error([&] { search_halves(*set, options); }, {"--train-portion"}, ErrorKind::kUsage);
  }
}

TEST(FashionMnist, ThePackage) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const auto set = open("fashion-mnist");
  EXPECT_EQ(set->size(Part::kTrain), 60000);
  EXPECT_EQ(set->size(Part::kTest), 10000);
  EXPECT_EQ(set->info().height, 28);
  EXPECT_EQ(set->info().classes.at(9), "Ankle boot");
  EXPECT_EQ(set->label(Part::kTrain, 0), 9);
  EXPECT_NEAR(set->info().mean.at(0), 0.2860, 5e-5);
  EXPECT_NEAR(set->info().deviation.at(0), 0.3530, 5e-5);
  EXPECT_EQ(set->describe()["train_counts"], Json(std::vector<int>(10, 6000)));
}

}  // namespace
}  // namespace ptnas
