#include "ptnas/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

using Block = std::array<std::uint32_t, 4>;

Block philox(Block counter, std::array<std::uint32_t, 2> key) {
  Block out;
  philox4x32(counter.data(), key.data(), out.data());
  return out;
}

// The known answers published with Random123 for philox4x32, 10 rounds.
TEST(RandomTest, PhiloxGivesThePublishedNumbers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The contract of reproducibility: key is the seed, counter is block, purpose, index.
TEST(RandomTest, AStreamIsAFunctionOfSeedPurposeIndexAndPosition) {
  RandomStream stream(0x0123456789abcdef, Purpose::kTrainOrder, 0xfedcba9876543210);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t expected :
         philox({block, 3, 0x76543210, 0xfedcba98}, {0x89abcdef, 0x01234567})) {
      EXPECT_EQ(stream.next(), expected);
    }
  }
}

TEST(RandomTest, StreamsOfOtherSeedPurposeOrIndexDiffer) {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed : {0ull, 1ull, 1ull << 32}) {
    for (Purpose purpose : {Purpose::kAlpha, Purpose::kNoise}) {
      for (std::uint64_t index : {0ull, 1ull, 1ull << 32}) {
        firsts.insert(RandomStream(seed, purpose, index).next64());
      }
    }
  }
  EXPECT_EQ(firsts.size(), 18u);
}

TEST(RandomTest, UniformNumbersLieInTheirIntervalWithMeanAndSpread) {
  RandomStream stream(1, Purpose::kNoise);
  constexpr int kCount = 20000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double value = stream.uniform(-1, 3);
    ASSERT_GE(value, -1);
    ASSERT_LT(value, 3);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 1, 5 * 4 / std::sqrt(12.0 * kCount));
  EXPECT_NEAR(squares / kCount - mean * mean, 16.0 / 12, 0.05);
}

TEST(RandomTest, NormalNumbersHaveTheirMoments) {
  RandomStream stream(2, Purpose::kNoise);
  constexpr int kCount = 20000;
  std::array<double, 5> moments{};
  for (int i = 0; i < kCount; ++i) {
    const double value = stream.normal();
    ASSERT_TRUE(std::isfinite(value));
    for (int power = 1; power <= 4; ++power)
      moments[static_cast<std::size_t>(power)] += std::pow(value, power) / kCount;
  }
  EXPECT_NEAR(moments[1], 0, 5 / std::sqrt(double{kCount}));
  EXPECT_NEAR(moments[2], 1, 5 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(moments[3], 0, 5 * std::sqrt(15.0 / kCount));
  EXPECT_NEAR(moments[4], 3, 5 * std::sqrt(96.0 / kCount));
}

TEST(RandomTest, BelowIsUniformAndBounded) {
  RandomStream stream(3, Purpose::kEdgeOrder);
  std::array<int, 7> counts{};
  for (int i = 0; i < 7000; ++i) ++counts.at(stream.below(7));
  for (const int count : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(1000.0));
  EXPECT_EQ(stream.below(1), 0u);
  EXPECT_LT(stream.below((1ull << 63) + 1), (1ull << 63) + 1);
  expect_error([&] { stream.below(0); }, {"positive"});
}

TEST(RandomTest, APermutationHasEveryNumberOnceAndDependsOnTheStream) {
  const auto order = permutation(1000, RandomStream(4, Purpose::kTrainOrder, 0));
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(sorted, all);
  EXPECT_NE(order, all);
  EXPECT_EQ(order, permutation(1000, RandomStream(4, Purpose::kTrainOrder, 0)));
  EXPECT_NE(order, permutation(1000, RandomStream(4, Purpose::kTrainOrder, 1)));
  EXPECT_TRUE(permutation(0, RandomStream(4, Purpose::kTrainOrder)).empty());
}

}  // namespace
}  // namespace ptnas
