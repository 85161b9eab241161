#pragma once

#include <cstdint>
#include <vector>

#include "ptnas/select/pair_comparison.h"

namespace ptnas {

/// What a race is about.
struct RaceRules {
  Criterion criterion = Criterion::kAccuracy;
  std::int64_t winners = 1;  ///< how many are to be found
  double confidence = 0.99;  ///< that they are those of the full evaluation
  std::int64_t images = 0;   ///< of the full evaluation
  std::int64_t looks = 1;    ///< over which the error is spent
};

/// Candidates that are measured side by side on images in random order. At each look those leave the race
/// that can no longer be among the winners: as many others as there are winners are ahead of them, each at
/// the level (1 - confidence) / (looks x pairs_that_count()). By Bonferroni's inequality the candidates that
/// win the full evaluation all stay, over all looks together, with at least the probability `confidence`
/// (docs/confidence.md). Not thread-safe.
class Race {
 public:
  Race(std::size_t candidates, const RaceRules& rules);

  /// `results[i]` is candidate i's; those still running have the same images.
  void look(const std::vector<const ImageResults*>& results);

  /// Candidates still in the race, ascending.
  const std::vector<int>& running() const { return running_; }
  /// No more are left than there are winners.
  bool decided() const { return static_cast<std::int64_t>(running_.size()) <= rules_.winners; }

  struct Look {
    std::int64_t images;       ///< seen by then
    std::vector<int> dropped;  ///< candidates that left
  };
  const std::vector<Look>& looks() const { return looks_; }

 private:
  bool is_beaten(int candidate, const std::vector<const ImageResults*>& results) const;

  RaceRules rules_;
  double level_;
  std::vector<int> running_;
  std::vector<Look> looks_;
};

/// After how many of a pass's batches there is a look: a sixteenth of them, an eighth, a quarter, a half and
/// three quarters, rounded up; each number once, and none that is all of them.
std::vector<std::int64_t> look_batches(std::int64_t batches);

}  // namespace ptnas
