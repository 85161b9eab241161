#include "ptnas/select/race.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ptnas/core/random.h"

namespace ptnas {
namespace {

constexpr std::size_t kCandidates = 4;
constexpr std::int64_t kAll = 640;

// Candidates' results on kAll images; candidate c is wrong where it is right without it in share `harm[c]`.
std::vector<ImageResults> draw(const std::vector<double>& harm, std::uint64_t trial) {
  RandomStream stream(5, Purpose::kDataOrder, trial);
  std::vector<ImageResults> results(harm.size());
  for (std::int64_t i = 0; i < kAll; ++i) {
    const double ease = stream.uniform();
    for (std::size_t c = 0; c < harm.size(); ++c) {
      const bool right = ease < 0.7 && stream.uniform() >= harm[c];
      results[c].right.push_back(right ? 1 : 0);
      results[c].losses.push_back(static_cast<float>((right ? 0.2 : 1.5) + stream.uniform()));
    }
  }
  return results;
}

ImageResults first(const ImageResults& all, std::int64_t count) {
  return {{all.losses.begin(), all.losses.begin() + count}, {all.right.begin(), all.right.begin() + count}};
}

struct Outcome {
  std::vector<int> left;
  std::int64_t evaluations = 0;
  bool decided = false;
};

// As EventScorer runs it, in 16 batches.
Outcome run_race(const std::vector<ImageResults>& all, Criterion criterion, std::int64_t winners,
                 double confidence) {
  const std::vector<std::int64_t> looks = look_batches(16);
  Race race(all.size(), {criterion, winners, confidence, kAll, static_cast<std::int64_t>(looks.size())});
  std::vector<ImageResults> seen = all;
  std::int64_t before = 0;
  Outcome outcome;
  for (const std::int64_t look : looks) {
    const std::int64_t images = look * kAll / 16;
    outcome.evaluations += static_cast<std::int64_t>(race.running().size()) * (images - before);
    before = images;
    std::vector<const ImageResults*> results;
    for (std::size_t c = 0; c < all.size(); ++c) {
      if (std::count(race.running().begin(), race.running().end(), static_cast<int>(c)) > 0)
        seen[c] = first(all[c], images);
      results.push_back(&seen[c]);
    }
    race.look(results);
    if (race.decided()) break;
  }
  outcome.decided = race.decided();
  if (!race.decided())
    outcome.evaluations += static_cast<std::int64_t>(race.running().size()) * (kAll - before);
  outcome.left = race.running();
  return outcome;
}

std::vector<int> best_of_all(const std::vector<ImageResults>& all, Criterion criterion, std::size_t winners) {
  std::vector<Score> scores;
  for (const ImageResults& one : all) {
    Score score;
    for (std::size_t i = 0; i < one.size(); ++i) {
      score.loss += one.losses[i];
      score.accuracy += one.right[i];
    }
    scores.push_back(score);
  }
  std::vector<int> ranked = rank_edges(scores, criterion, Ties::kByLoss);
  ranked.resize(winners);
  return ranked;
}

// How often a winner of the full evaluation was dropped.
int errors_of(const std::vector<double>& harm, Criterion criterion, std::size_t winners, double confidence,
              int trials, double* share = nullptr) {
  int errors = 0;
  std::int64_t evaluations = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const std::vector<ImageResults> all = draw(harm, static_cast<std::uint64_t>(trial));
    const Outcome outcome = run_race(all, criterion, static_cast<std::int64_t>(winners), confidence);
    bool all_stay = true;
    for (const int winner : best_of_all(all, criterion, winners))
      all_stay &= std::count(outcome.left.begin(), outcome.left.end(), winner) > 0;
    errors += !all_stay;
    evaluations += outcome.evaluations;
  }
  if (share != nullptr) {
    *share = static_cast<double>(evaluations) /
             static_cast<double>(trials * kAll * static_cast<std::int64_t>(harm.size()));
  }
  return errors;
}

TEST(Race, DropsWhatIsClearlyBehindAndEndsEarly) {
  double share = 1;
  EXPECT_EQ(errors_of({0.5, 0.02, 0.02, 0.02}, Criterion::kAccuracy, 1, 0.99, 50, &share), 0);
  EXPECT_LT(share, 0.4);
  EXPECT_EQ(errors_of({0.5, 0.02, 0.02, 0.02}, Criterion::kLoss, 1, 0.99, 50, &share), 0);
  EXPECT_LT(share, 0.4);
  EXPECT_EQ(errors_of({0.5, 0.4, 0.02, 0.02}, Criterion::kAccuracy, 2, 0.99, 50, &share), 0);
  EXPECT_LT(share, 0.6);
}

TEST(Race, DropsNobodyWhereAllAreTheSame) {
  std::vector<ImageResults> all(kCandidates, draw({0.1}, 0).front());
  for (const Criterion criterion : {Criterion::kAccuracy, Criterion::kLoss}) {
    const Outcome outcome = run_race(all, criterion, 1, 0.9);
    EXPECT_EQ(outcome.left.size(), kCandidates);
    EXPECT_FALSE(outcome.decided);
    EXPECT_EQ(outcome.evaluations, kAll * static_cast<std::int64_t>(kCandidates));
  }
}

// The guarantee: what the full evaluation chooses is dropped no more often than 1 - confidence, at
// differences of every size, those of chance alone among them.
TEST(Race, ErrsNoMoreOftenThanItMay) {
  constexpr int kTrials = 400;
  for (const Criterion criterion : {Criterion::kAccuracy, Criterion::kLoss}) {
    for (const std::size_t winners : {1u, 2u}) {
      for (const double harm : {0.1, 0.11, 0.13, 0.16, 0.2}) {
        const int errors = errors_of({0.1, harm, 0.1, 0.1}, criterion, winners, 0.9, kTrials);
        EXPECT_LE(errors, 0.1 * kTrials) << static_cast<int>(criterion) << " " << winners << " " << harm;
      }
    }
  }
}

TEST(Race, SaysWhoLeftWhen) {
  const std::vector<ImageResults> all = draw({0.9, 0, 0, 0}, 1);
  std::vector<ImageResults> seen;
  for (const ImageResults& one : all) seen.push_back(first(one, 160));
  Race race(kCandidates, {Criterion::kAccuracy, 1, 0.99, kAll, 5});
  EXPECT_FALSE(race.decided());
  race.look({&seen[0], &seen[1], &seen[2], &seen[3]});
  ASSERT_EQ(race.looks().size(), 1u);
  EXPECT_EQ(race.looks()[0].images, 160);
  EXPECT_EQ(race.looks()[0].dropped, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(race.running(), std::vector<int>{0});
  EXPECT_TRUE(race.decided());
}

// Of many more images than are left to see, a lead that cannot be caught up with needs no probability.
TEST(Race, ALeadBeyondWhatIsLeftIsCertain) {
  ImageResults a, b;
  for (int i = 0; i < 630; ++i) {
    a.right.push_back(i < 300 ? 1 : 0);
    b.right.push_back(i < 311 ? 1 : 0);
    a.losses.push_back(1);
    b.losses.push_back(1);
  }
  Race race(2, {Criterion::kAccuracy, 1, 1 - 1e-12, kAll, 5});
  race.look({&a, &b});
  EXPECT_EQ(race.running(), std::vector<int>{0});
}

TEST(LookBatches, AreFewAndBeforeTheEnd) {
  EXPECT_EQ(look_batches(391), (std::vector<std::int64_t>{25, 49, 98, 196, 294}));
  EXPECT_EQ(look_batches(4), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(look_batches(2), (std::vector<std::int64_t>{1}));
  EXPECT_TRUE(look_batches(1).empty());
  EXPECT_TRUE(look_batches(0).empty());
}

}  // namespace
}  // namespace ptnas
