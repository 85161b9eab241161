#include "ptnas/select/pair_comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptnas/core/random.h"

namespace ptnas {
namespace {

double choose(int n, int k) {
  if (k < 0 || k > n) return 0;
  double result = 1;
  for (int i = 0; i < k; ++i) result = result * (n - i) / (i + 1);
  return result;
}

// The slow twins: tails term by term.
double binomial_tail(int x, int drawn) {
  double sum = 0;
  for (int k = x; k <= drawn; ++k) sum += choose(drawn, k) / std::pow(2.0, drawn);
  return sum;
}
double hypergeometric_tail(int x, int drawn, int red, int balls) {
  double sum = 0;
  for (int k = x; k <= drawn; ++k)
    sum += choose(red, k) * choose(balls - red, drawn - k) / choose(balls, drawn);
  return sum;
}

TEST(McNemar, IsTheBinomialTailOfTheImagesThatDiffer) {
  EXPECT_DOUBLE_EQ(mcnemar_p(0, 0), 1);
  EXPECT_NEAR(mcnemar_p(5, 0), 1 / 32.0, 1e-12);
  for (int a = 0; a <= 12; ++a) {
    for (int b = 0; b <= 12; ++b)
      EXPECT_NEAR(mcnemar_p(a, b), binomial_tail(a, a + b), 1e-12) << a << " " << b;
  }
  // Far in the tail of many; what a normal distribution says is near.
  const double z = 600 / std::sqrt(10000.0);
  EXPECT_NEAR(std::log(mcnemar_p(5300, 4700)), std::log(std::erfc((z - 0.01) / std::sqrt(2.0)) / 2), 0.02);
  EXPECT_NEAR(mcnemar_p(4700, 5300), 1, 1e-8);
}

TEST(McNemar, OfAFullNumberIsTheLeastFavourableHypergeometricTail) {
  EXPECT_EQ(mcnemar_p(3, 2, 0), 0);  // all is known
  EXPECT_EQ(mcnemar_p(2, 2, 0), 1);
  for (int a = 0; a <= 9; ++a) {
    for (int b = 0; b <= 9; ++b) {
      for (int left = 1; left <= 12; ++left) {
        const double p = mcnemar_p(a, b, left);
        if (a - b > left) {
          EXPECT_EQ(p, 0) << a << " " << b << " " << left;  // cannot be caught up with
        }
        if (2 * a <= a + b) continue;
        // Whatever is left, a is wrong no more often than b in all: none of these is more probable.
        for (int more = 0; more <= left; ++more) {
          const int balls = a + b + more;
          EXPECT_GE(p + 1e-12, hypergeometric_tail(a, a + b, balls / 2, balls))
              << a << " " << b << " " << left << " " << more;
        }
        EXPECT_LE(p, mcnemar_p(a, b) + 1e-12);
      }
    }
  }
}

TEST(StudentTail, AgreesWithTables) {
  EXPECT_DOUBLE_EQ(student_tail(0, 7), 0.5);
  EXPECT_NEAR(student_tail(6.3138, 1), 0.05, 1e-5);
  EXPECT_NEAR(student_tail(1, 1), 0.25, 1e-12);
  EXPECT_NEAR(student_tail(2.0150, 5), 0.05, 1e-5);
  EXPECT_NEAR(student_tail(2.7500, 30), 0.005, 1e-6);
  EXPECT_NEAR(student_tail(-2.7500, 30), 0.995, 1e-6);
  EXPECT_NEAR(student_tail(3, 1e6), std::erfc(3 / std::sqrt(2.0)) / 2, 1e-7);
  EXPECT_GT(student_tail(12, 400), 0);
}

ImageResults results_of(const std::vector<float>& losses, const std::vector<std::uint8_t>& right) {
  return {losses, right};
}

TEST(Compare, TakesTheImagesThatBothHave) {
  const ImageResults a = results_of({1, 2, 3, 4}, {0, 0, 1, 1}), b = results_of({0.5, 1, 3}, {1, 1, 1});
  const PairedTest test = compare(a, b, Criterion::kAccuracy);
  EXPECT_EQ(test.images, 3);
  EXPECT_NEAR(test.difference, 2 / 3.0, 1e-12);
  EXPECT_NEAR(test.error, std::sqrt(1 / 3.0) / std::sqrt(3.0), 1e-12);
  EXPECT_NEAR(test.p, 0.25, 1e-12);
  const PairedTest loss = compare(a, b, Criterion::kLoss);  // 0.5, 1, 0
  EXPECT_NEAR(loss.difference, 0.5, 1e-12);
  EXPECT_NEAR(loss.error, 0.5 / std::sqrt(3.0), 1e-12);
  EXPECT_NEAR(loss.p, student_tail(std::sqrt(3.0), 2), 1e-12);
  EXPECT_EQ(compare(a, b, Criterion::kLoss, 3).p, 0);  // these are all
  EXPECT_EQ(compare(a, a, Criterion::kLoss).p, 1);
  EXPECT_EQ(compare(b, a, Criterion::kLoss, 3).p, 1);
  EXPECT_EQ(compare(a, results_of({}, {}), Criterion::kLoss).p, 1);
}

TEST(StandardErrors, AreThoseOfMeans) {
  const Score errors = standard_errors(results_of({1, 2, 3, 4}, {0, 0, 1, 1}));
  EXPECT_NEAR(errors.loss, std::sqrt(5 / 3.0) / 2, 1e-7);
  EXPECT_NEAR(errors.accuracy, std::sqrt(1 / 3.0) / 2, 1e-12);
  EXPECT_EQ(standard_errors(results_of({1}, {1})).loss, 0);
}

TEST(PairsThatCount, AreThoseWithAWinner) {
  EXPECT_EQ(pairs_that_count(7, 1), 6);
  EXPECT_EQ(pairs_that_count(5, 2), 7);  // 4 for the first, 3 for the second
  EXPECT_EQ(pairs_that_count(1, 1), 0);
}

// Where nothing differs but by chance, p lies below a level no more often than the level says.
TEST(Compare, KeepsItsLevelWhereNothingDiffers) {
  constexpr int kTrials = 2000, kImages = 60;
  int accuracy = 0, loss = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    RandomStream stream(3, Purpose::kDataOrder, static_cast<std::uint64_t>(trial));
    ImageResults pair[2];
    for (int i = 0; i < kImages; ++i) {
      const double shared = stream.uniform();
      for (ImageResults& one : pair) {
        const double own = shared + 0.5 * stream.uniform();
        one.losses.push_back(static_cast<float>(own));
        one.right.push_back(own < 0.7 ? 1 : 0);
      }
    }
    accuracy += compare(pair[0], pair[1], Criterion::kAccuracy).p <= 0.05;
    loss += compare(pair[0], pair[1], Criterion::kLoss).p <= 0.05;
  }
  EXPECT_LT(accuracy, 0.05 * kTrials + 30);
  EXPECT_NEAR(loss, 0.05 * kTrials, 30);
}

}  // namespace
}  // namespace ptnas
