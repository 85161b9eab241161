#include "ptnas/data/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

constexpr int kSide = 12, kPadding = 4;

// Every pixel of every image is different from its neighbours, and none is black.
std::uint8_t pixel_of(std::int64_t index, int channel, int y, int x) {
  return static_cast<std::uint8_t>(1 + (index * 31 + channel * 71 + y * 17 + x * 5) % 255);
}

class PatternSet final : public Dataset {
 public:
  explicit PatternSet(int channels, std::int64_t broken = -1) : broken_(broken) {
    info_.name = "pattern";
    info_.classes = {"a", "b", "c"};
    info_.channels = channels;
    info_.height = info_.width = kSide;
    for (int c = 0; c < channels; ++c) {
      info_.mean.push_back(0.3 + 0.1 * c);
      info_.deviation.push_back(0.2 + 0.05 * c);
    }
    info_.crop_padding = kPadding;
  }
  std::int64_t size(Part) const override { return 100; }
  int label(Part, std::int64_t index) const override { return static_cast<int>(index % 3); }
  void read(Part, std::int64_t index, std::uint8_t* pixels) const override {
    if (index == broken_) fail("image {} is broken", index);
    for (int c = 0; c < info_.channels; ++c)
      for (int y = 0; y < kSide; ++y)
        for (int x = 0; x < kSide; ++x) *pixels++ = pixel_of(index, c, y, x);
  }

 private:
  std::int64_t broken_;
};

std::vector<std::int64_t> first_indices(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

// An image without augmentation, [C, H, W], as the formula says.
torch::Tensor expected_image(const Dataset& set, std::int64_t index) {
  const DatasetInfo& info = set.info();
  torch::Tensor image = torch::empty({info.channels, kSide, kSide});
  for (int c = 0; c < info.channels; ++c)
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x)
        image[c][y][x] = (pixel_of(index, c, y, x) / 255.0 - info.mean[static_cast<std::size_t>(c)]) /
                         info.deviation[static_cast<std::size_t>(c)];
  return image;
}

TEST(MakeBatch, NormalisesInBothLayouts) {
  for (const int channels : {1, 3}) {
    const PatternSet set(channels);
    const BatchPlan plan{Part::kTest, {7, 0, 99}, {}, 0, 0};
    const Batch nchw = make_batch(set, plan, torch::MemoryFormat::Contiguous);
    const Batch nhwc = make_batch(set, plan, torch::MemoryFormat::ChannelsLast);
    EXPECT_TRUE(nchw.images.is_contiguous());
    EXPECT_TRUE(nhwc.images.is_contiguous(torch::MemoryFormat::ChannelsLast));
    EXPECT_TRUE(torch::equal(nchw.images, nhwc.images));
    EXPECT_TRUE(torch::equal(nchw.labels, torch::tensor({1, 0, 0}, torch::kLong)));
    for (std::size_t i = 0; i < plan.indices.size(); ++i) {
      EXPECT_TRUE(torch::allclose(nchw.images[static_cast<std::int64_t>(i)],
                                  expected_image(set, plan.indices[i]), 0, 1e-6));
    }
  }
}

TEST(MakeBatch, CropsAndFlips) {
  const PatternSet set(3);
  BatchPlan plan{Part::kTrain, std::vector<std::int64_t>(400, 5), {true, 0}, 3, 1000};
  const torch::Tensor images = make_batch(set, plan, torch::MemoryFormat::ChannelsLast).images;
  // All that can come out: the padding is black, which is normalised too.
  torch::Tensor padded = torch::empty({3, kSide + 2 * kPadding, kSide + 2 * kPadding});
  for (int c = 0; c < 3; ++c)
    padded[c].fill_(-set.info().mean[static_cast<std::size_t>(c)] /
                    set.info().deviation[static_cast<std::size_t>(c)]);
  padded.slice(1, kPadding, kPadding + kSide)
      .slice(2, kPadding, kPadding + kSide)
      .copy_(expected_image(set, 5));
  std::vector<torch::Tensor> possible;
  for (int top = 0; top <= 2 * kPadding; ++top) {
    for (int left = 0; left <= 2 * kPadding; ++left) {
      const torch::Tensor crop = padded.slice(1, top, top + kSide).slice(2, left, left + kSide);
      possible.push_back(crop);
      possible.push_back(crop.flip(2));
    }
  }
  const torch::Tensor table = torch::stack(possible).flatten(1);
  constexpr std::int64_t kExact = 2;  // differences, not a product of matrices
  const torch::Tensor distance =
      torch::cdist(images.flatten(1).contiguous(), table, 2, /*compute_mode=*/kExact);
  const torch::Tensor nearest = distance.argmin(1);
  EXPECT_LT(distance.amin(1).max().item<double>(), 1e-2);
  std::set<std::int64_t> tops, lefts, flips, all;
  for (std::int64_t i = 0; i < nearest.size(0); ++i) {
    const auto which = nearest[i].item<std::int64_t>();
    tops.insert(which / 2 / 9);
    lefts.insert(which / 2 % 9);
    flips.insert(which % 2);
    all.insert(which);
  }
  EXPECT_EQ(tops.size(), 9u);
  EXPECT_EQ(lefts.size(), 9u);
  EXPECT_EQ(flips.size(), 2u);
  EXPECT_GT(all.size(), 120u);  // of 162, in 400 draws

  // A function of seed and counter alone, wherever in a batch the image stands.
  plan.indices = {5};
  plan.first_counter = 1017;
  EXPECT_TRUE(torch::equal(make_batch(set, plan, torch::MemoryFormat::Contiguous).images[0], images[17]));
}

TEST(MakeBatch, CutoutClearsASquareClippedAtTheBorder) {
  const PatternSet set(3);
  const BatchPlan plan{Part::kTrain, std::vector<std::int64_t>(300, 5), {false, 6}, 1, 0};
  const torch::Tensor images = make_batch(set, plan, torch::MemoryFormat::Contiguous).images;
  const torch::Tensor holes = images.eq(0).all(1);  // [N, H, W]
  const torch::Tensor whole = expected_image(set, 5);
  std::set<std::int64_t> heights, widths;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    EXPECT_TRUE(torch::allclose(images[i], whole * holes[i].logical_not(), 0, 1e-6));
    const torch::Tensor rows = holes[i].any(1), columns = holes[i].any(0);
    heights.insert(rows.sum().item<std::int64_t>());
    widths.insert(columns.sum().item<std::int64_t>());
    EXPECT_TRUE(torch::equal(holes[i], rows.unsqueeze(1).logical_and(columns.unsqueeze(0))));
  }
  // Centres anywhere in the image: half the side at the least.
  EXPECT_EQ(heights, (std::set<std::int64_t>{3, 4, 5, 6}));
  EXPECT_EQ(widths, heights);
}

// A set that augments by itself: every pixel is a number that it draws.
class OwnAugmentation final : public Dataset {
 public:
  explicit OwnAugmentation(const Dataset& inner) : inner_(inner) { info_ = inner.info(); }
  std::int64_t size(Part part) const override { return inner_.size(part); }
  int label(Part part, std::int64_t index) const override { return inner_.label(part, index); }
  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override {
    inner_.read(part, index, pixels);
  }
  bool read_augmented(Part, std::int64_t, RandomStream& stream, std::uint8_t* pixels) const override {
    std::fill_n(pixels, image_bytes(), static_cast<std::uint8_t>(stream.below(256)));
    return true;
  }

 private:
  const Dataset& inner_;
};

TEST(MakeBatch, ASetsOwnAugmentationTakesTheCropsPlace) {
  const PatternSet pattern(3);
  const OwnAugmentation set(pattern);
  BatchPlan plan{Part::kTrain, {4, 4, 4}, {true, 0}, 3, 1000};
  const torch::Tensor images = make_batch(set, plan, torch::MemoryFormat::Contiguous).images;
  for (std::int64_t i = 0; i < 3; ++i) {
    RandomStream stream(3, Purpose::kAugmentation, 1000 + static_cast<std::uint64_t>(i));
    const double value = static_cast<double>(stream.below(256)) / 255;
    const double expected = (value - set.info().mean[1]) / set.info().deviation[1];
    EXPECT_TRUE(torch::allclose(images[i][1], torch::full({kSide, kSide}, expected), 0, 1e-5));
  }
  plan.augmentation = {};
  EXPECT_TRUE(torch::equal(make_batch(set, plan, torch::MemoryFormat::Contiguous).images,
                           make_batch(pattern, plan, torch::MemoryFormat::Contiguous).images));
}

TEST(MakeBatch, AnImageThatIsNotThere) {
  const PatternSet set(1);
  for (const std::int64_t index : {-1, 100}) {
    expect_error(
        [&] {
          make_batch(set, {Part::kTrain, {index}, {}, 0, 0}, torch::MemoryFormat::Contiguous);
        },
        {std::to_string(index), "100"});
  }
}

std::vector<Batch> drain(BatchStream& stream) {
  std::vector<Batch> batches;
  while (std::optional<Batch> batch = stream.next()) batches.push_back(std::move(*batch));
  return batches;
}

TEST(BatchStream, SameBatchesForAnyNumberOfThreads) {
  const PatternSet set(3);
  const auto plan_of = shuffled_pass(first_indices(100), 8, {true, 4}, 9, 2);
  const std::int64_t count = batch_count(100, 8);
  EXPECT_EQ(count, 13);
  for (const int threads : {1, 2, 5}) {
    for (const std::int64_t first : {0, 10, 13}) {
      BatchStream stream(set, plan_of, first, count, torch::MemoryFormat::ChannelsLast, threads);
      const std::vector<Batch> batches = drain(stream);
      ASSERT_EQ(batches.size(), static_cast<std::size_t>(count - first));
      for (std::size_t i = 0; i < batches.size(); ++i) {
        const Batch expected =
            make_batch(set, plan_of(first + static_cast<std::int64_t>(i)), torch::MemoryFormat::ChannelsLast);
        EXPECT_TRUE(torch::equal(batches[i].images, expected.images));
        EXPECT_TRUE(torch::equal(batches[i].labels, expected.labels));
      }
      EXPECT_FALSE(stream.next().has_value());
    }
  }
}

TEST(BatchStream, AnErrorComesInItsPlace) {
  const PatternSet set(1, /*broken=*/42);
  for (const int threads : {1, 4}) {
    BatchStream stream(set, ordered_pass(Part::kTrain, first_indices(100), 10), 0, 10,
                       torch::MemoryFormat::Contiguous, threads);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(stream.next().has_value());
    expect_error([&] { stream.next(); }, {"image 42 is broken"});
    expect_error([&] { stream.next(); }, {"image 42 is broken"});
  }
  const auto throws = [](std::int64_t) -> BatchPlan { throw std::runtime_error("no plan"); };
  BatchStream stream(set, throws, 0, 3, torch::MemoryFormat::Contiguous, 2);
  EXPECT_THROW(stream.next(), std::runtime_error);
}

TEST(BatchStream, MayBeLeftAtAnyTime) {
  const PatternSet set(3);
  for (int taken = 0; taken < 20; ++taken) {
    BatchStream stream(set, ordered_pass(Part::kTrain, first_indices(100), 4), 0, 25,
                       torch::MemoryFormat::Contiguous, 3);
    for (int i = 0; i < taken; ++i) stream.next();
  }
}

TEST(Plans, AShuffledPassTakesEveryImageOnce) {
  const std::vector<std::int64_t> indices = {10, 11, 12, 13, 14, 15, 16};
  const auto order_of = [&](std::uint64_t seed, std::uint64_t epoch) {
    const auto plan_of = shuffled_pass(indices, 3, {}, seed, epoch);
    std::vector<std::int64_t> order;
    for (std::int64_t b = 0; b < batch_count(7, 3); ++b) {
      const BatchPlan plan = plan_of(b);
      EXPECT_EQ(plan.indices.size(), b < 2 ? 3u : 1u);
      order.insert(order.end(), plan.indices.begin(), plan.indices.end());
    }
    return order;
  };
  std::vector<std::int64_t> order = order_of(1, 0);
  EXPECT_EQ(order, order_of(1, 0));
  EXPECT_NE(order, order_of(1, 1));
  EXPECT_NE(order, order_of(2, 0));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, indices);
}

TEST(Plans, FreshShufflesAreTheBeginningsOfFisherYates) {
  const std::vector<std::int64_t> indices = first_indices(50);
  const auto plan_of = fresh_shuffles(indices, 20, {}, 4, Purpose::kValidationOrder, 100);
  std::vector<int> taken(50, 0);
  for (std::int64_t batch = 0; batch < 200; ++batch) {
    std::vector<std::int64_t> shuffled = indices;
    RandomStream stream(4, Purpose::kValidationOrder, 100 + static_cast<std::uint64_t>(batch));
    for (std::size_t i = 0; i < 20; ++i)
      std::swap(shuffled[i], shuffled[i + static_cast<std::size_t>(stream.below(50 - i))]);
    shuffled.resize(20);
    EXPECT_EQ(plan_of(batch).indices, shuffled);
    for (const std::int64_t index : shuffled) ++taken[static_cast<std::size_t>(index)];
  }
  // 80 each on average; 5 standard deviations of a binomial.
  for (const int count : taken) EXPECT_NEAR(count, 80, 35);
  // Resumed at a later step: the same batches.
  EXPECT_EQ(fresh_shuffles(indices, 20, {}, 4, Purpose::kValidationOrder, 103)(0).indices,
            plan_of(3).indices);
  // More than there are: all of them.
  EXPECT_EQ(fresh_shuffles(indices, 64, {}, 4, Purpose::kValidationOrder, 0)(0).indices.size(), 50u);
}

TEST(Plans, NoTwoImagesShareAnAugmentation) {
  std::set<std::uint64_t> counters;
  std::size_t drawn = 0;
  const auto take = [&](const BatchPlan& plan) {
    for (std::size_t i = 0; i < plan.indices.size(); ++i) counters.insert(plan.first_counter + i);
    drawn += plan.indices.size();
  };
  const std::vector<std::int64_t> indices = first_indices(30);
  for (std::uint64_t n = 0; n < 5; ++n) {
    for (std::int64_t batch = 0; batch < 4; ++batch) {
      take(shuffled_pass(indices, 8, {true, 0}, 0, n)(batch));
      take(augmented_pass(indices, 8, {true, 0}, 0, n)(batch));
    }
    take(fresh_shuffles(indices, 8, {true, 0}, 0, Purpose::kTrainOrder, 0)(static_cast<std::int64_t>(n)));
    take(
        fresh_shuffles(indices, 8, {true, 0}, 0, Purpose::kValidationOrder, 0)(static_cast<std::int64_t>(n)));
  }
  EXPECT_EQ(counters.size(), drawn);
}

TEST(Plans, AnOrderedPassIsPlain) {
  const auto plan_of = ordered_pass(Part::kTest, {5, 3, 9}, 2);
  EXPECT_EQ(plan_of(0).indices, (std::vector<std::int64_t>{5, 3}));
  EXPECT_EQ(plan_of(1).indices, (std::vector<std::int64_t>{9}));
  EXPECT_EQ(plan_of(1).part, Part::kTest);
  EXPECT_FALSE(plan_of(0).augmentation.crop_and_flip);
}

TEST(Plans, BatchSizes) {
  EXPECT_EQ(batch_count(0, 4), 0);
  EXPECT_EQ(batch_count(4, 4), 1);
  EXPECT_EQ(batch_count(5, 4), 2);
  for (const std::int64_t size : {0, -1, 1 << 20}) {
    expect_error([&] { batch_count(5, size); }, {std::to_string(size)}, ErrorKind::kUsage);
    expect_error([&] { ordered_pass(Part::kTrain, {1}, size); }, {"batch"}, ErrorKind::kUsage);
    expect_error([&] { shuffled_pass({1}, size, {}, 0, 0); }, {"batch"}, ErrorKind::kUsage);
    expect_error([&] { fresh_shuffles({1}, size, {}, 0, Purpose::kTrainOrder, 0); }, {"batch"},
                 ErrorKind::kUsage);
  }
}

}  // namespace
}  // namespace ptnas
