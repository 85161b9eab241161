#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ptnas/core/random.h"
#include "ptnas/core/testing.h"
#include "ptnas/data/batch.h"
#include "ptnas/data/imagenet_augmentation.h"
#include "ptnas/data/sources.h"
#include "ptnas/data/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Dataset> open(const fs::path& folder, bool skip_bad = false, std::int64_t size = 16) {
  DataOptions options;
  options.data = "imagenet:" + folder.string();
  options.image_size = size;
  options.skip_bad_images = skip_bad;
  return open_dataset(options);
}

// `count` JPEGs of mixed sizes, grey every third; the red of the others tells the class.
void put_class(const fs::path& folder, int count, std::uint8_t red) {
  for (int i = 0; i < count; ++i) {
    const bool grey = i % 3 == 2;
    const Image image = plain_image(
        20 + 3 * i, 40 - i, grey ? std::vector<std::uint8_t>{red} : std::vector<std::uint8_t>{red, 100, 50});
    put_file(folder / fmt::format("n{}.JPEG", i),
             jpeg_bytes(image.width, image.height, grey ? TJPF_GRAY : TJPF_RGB, image.pixels));
  }
}

void put_set(const fs::path& folder) {
  fs::remove_all(folder);
  put_class(folder / "train/n01", 4, 20);
  put_class(folder / "train/n02", 5, 220);
  put_class(folder / "val/n01", 2, 20);
  put_class(folder / "val/n02", 1, 220);
}

TEST(ImageNet, FoldersOfClasses) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  const auto set = open(scratch / "set");
  EXPECT_EQ(set->info().name, "imagenet");
  EXPECT_EQ(set->info().classes, (std::vector<std::string>{"n01", "n02"}));
  EXPECT_EQ(set->info().channels, 3);
  EXPECT_EQ(set->info().height, 16);
  EXPECT_EQ(set->info().mean, (std::vector<double>{0.485, 0.456, 0.406}));
  EXPECT_EQ(set->info().deviation, (std::vector<double>{0.229, 0.224, 0.225}));
  EXPECT_EQ(set->describe()["train_counts"].dump(), "[4,5]");
  EXPECT_EQ(set->describe()["test_counts"].dump(), "[2,1]");
  std::vector<std::uint8_t> pixels(3 * 256);
  std::vector<int> order;
  for (std::int64_t i = 0; i < 9; ++i) {
    set->read(Part::kTrain, i, pixels.data());
    EXPECT_NEAR(pixels[100], set->label(Part::kTrain, i) == 0 ? 20 : 220, 4);
    order.push_back(set->label(Part::kTrain, i));
  }
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));  // stored class by class, used mixed
  EXPECT_EQ(open(scratch / "set", false, 0)->info().width, 224);
}

TEST(ImageNet, TrainingSeesRandomViewsAndTestingTheMiddle) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  Image image{60, 48, 3, {}};
  for (int i = 0; i < 60 * 48; ++i) {
    for (const int value : {4 * (i % 60), 5 * (i / 60), 90})
      image.pixels.push_back(static_cast<std::uint8_t>(value));
  }
  const std::string jpeg = jpeg_bytes(60, 48, TJPF_RGB, image.pixels);
  for (const char* file : {"train/n01/only.jpg", "val/n01/only.jpg"}) {
    fs::remove_all((scratch / "set" / file).parent_path());
    put_file(scratch / "set" / file, jpeg);
  }
  const auto set = open(scratch / "set");
  std::int64_t index = 0;
  while (set->label(Part::kTrain, index) != 0) ++index;
  const Image decoded = decode_image(jpeg, "x");
  const auto planes = [&](const Image& view) {
    torch::Tensor bytes = torch::empty({16, 16, 3}, torch::kByte);
    std::copy(view.pixels.begin(), view.pixels.end(), bytes.data_ptr<std::uint8_t>());
    const torch::Tensor mean = torch::tensor(set->info().mean),
                        deviation = torch::tensor(set->info().deviation);
    return ((bytes.to(torch::kFloat) / 255 - mean) / deviation).permute({2, 0, 1}).to(torch::kFloat);
  };
  const auto batch_of = [&](Part part, std::int64_t i, Augmentation augmentation) {
    return make_batch(*set, {part, std::vector<std::int64_t>(8, i), augmentation, 3, 70},
                      torch::MemoryFormat::ChannelsLast)
        .images;
  };
  const torch::Tensor test = batch_of(Part::kTest, 0, {});
  EXPECT_TRUE(torch::allclose(test[5], planes(imagenet_test_view(decoded, 16)), 0, 1e-4));
  const torch::Tensor train = batch_of(Part::kTrain, index, {true, 0});
  for (std::int64_t i = 0; i < 8; ++i) {
    RandomStream stream(3, Purpose::kAugmentation, 70 + static_cast<std::uint64_t>(i));
    EXPECT_TRUE(torch::allclose(train[i], planes(imagenet_training_view(decoded, 16, stream)), 0, 1e-4));
    EXPECT_FALSE(torch::equal(train[i], train[(i + 1) % 8]));
  }
  // Without augmentation a training image is seen as a test image is; cutout comes on top.
  EXPECT_TRUE(torch::equal(batch_of(Part::kTrain, index, {}), test));
  EXPECT_TRUE(batch_of(Part::kTrain, index, {true, 6}).eq(0).all(1).any().item<bool>());
}

TEST(ImageNet, TheSameBatchesForAnyNumberOfThreads) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  const auto set = open(scratch / "set");
  const auto plan_of = shuffled_pass(training_indices(*set, 0), 2, {true, 0}, 9, 2);
  for (const int threads : {1, 3}) {
    BatchStream stream(*set, plan_of, 0, 5, torch::MemoryFormat::Contiguous, threads);
    for (std::int64_t b = 0; b < 5; ++b) {
      EXPECT_TRUE(torch::equal(stream.next()->images,
                               make_batch(*set, plan_of(b), torch::MemoryFormat::Contiguous).images));
    }
  }
}

TEST(ImageNet, ClassesMissingInAPart) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set";
  const auto expect = [&](const std::vector<std::string>& says) {
    expect_error([&] { open(folder); }, says);
    put_set(folder);
  };
  expect({"no train/"});
  fs::remove_all(folder / "val");
  expect({"no val/"});
  fs::remove_all(folder / "val/n02");
  expect({"n02", "no folder in val/", "same classes"});
  fs::remove_all(folder / "train/n01");
  expect({"n01", "no folder in train/"});
  fs::remove(folder / "val/n02/n0.JPEG");
  expect({"val/n02", "no images"});
  fs::remove_all(folder / "val");
  put_file(folder / "val/ILSVRC2012_val_00000001.JPEG", "all in one folder");
  expect({"val", "one folder per class", "sort"});
  fs::remove_all(folder / "train/n02");
  fs::remove_all(folder / "val/n02");
  expect({"at least two classes"});
}

TEST(ImageNet, OtherFilesAreLeftOut) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  put_file(scratch / "set/train/n01/notes.txt", "words");
  put_file(scratch / "set/train/n01/.hidden.jpg", "no image");
  put_file(scratch / "set/train/.cache/x.jpg", "no image");
  put_file(scratch / "set/train/n02/really-a-png.JPEG", png_bytes(plain_image(30, 30, {220, 2, 3})));
  ::testing::internal::CaptureStderr();
  const auto set = open(scratch / "set");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("1 file is no PNG or JPEG"), std::string::npos);
  EXPECT_EQ(set->size(Part::kTrain), 10);
}

TEST(ImageNet, BrokenImagesAreNamedWhenReadOrLeftOutAtTheStart) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch / "set";
  put_set(folder);
  const std::string whole = read_file(folder / "train/n02/n0.JPEG");
  const auto read_all = [](const Dataset& set) {
    std::vector<std::uint8_t> pixels(3 * 256);
    for (const Part part : {Part::kTrain, Part::kTest})
      for (std::int64_t i = 0; i < set.size(part); ++i) set.read(part, i, pixels.data());
  };
  for (const std::string& content :
       {whole.substr(0, whole.size() / 2), std::string(), std::string("foreign")}) {
    put_file(folder / "train/n02/n0.JPEG", content);
    const auto set = open(folder);
    expect_error([&] { read_all(*set); }, {"train/n02/n0.JPEG", "--skip-bad-images"});
    const auto good = open(folder, /*skip_bad=*/true);
    EXPECT_EQ(good->size(Part::kTrain), 8);
    EXPECT_EQ(good->describe()["left_out"].dump(), R"(["train/n02/n0.JPEG"])");
    read_all(*good);
  }
  put_file(folder / "val/n02/n0.JPEG", "");
  expect_error([&] { open(folder, true); }, {"val/n02", "no images"});
}

TEST(ImageNet, SizesOutOfRange) {
  const ScratchDirectory scratch;
  put_set(scratch / "set");
  for (const std::int64_t size : {7, -1, 5000})
    expect_error([&] { open(scratch / "set", false, size); }, {"--image-size"}, ErrorKind::kUsage);
}

}  // namespace
}  // namespace ptnas
