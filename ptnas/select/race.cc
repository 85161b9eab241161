#include "ptnas/select/race.h"

#include <algorithm>
#include <numeric>

namespace ptnas {

namespace {

// A t-test of fewer is not to be trusted; McNemar's is exact for any number.
constexpr std::int64_t kLeastLosses = 30;

}  // namespace

Race::Race(std::size_t candidates, const RaceRules& rules) : rules_(rules), running_(candidates) {
  std::iota(running_.begin(), running_.end(), 0);
  const std::int64_t pairs = pairs_that_count(static_cast<std::int64_t>(candidates), rules.winners);
  const std::int64_t tests = std::max<std::int64_t>(1, pairs * rules.looks);
  level_ = (1 - rules.confidence) / static_cast<double>(tests);
}

bool Race::is_beaten(int candidate, const std::vector<const ImageResults*>& results) const {
  const ImageResults& own = *results[static_cast<std::size_t>(candidate)];
  std::int64_t ahead = 0;
  for (const int other : running_) {
    if (other == candidate) continue;
    const PairedTest test =
        compare(*results[static_cast<std::size_t>(other)], own, rules_.criterion, rules_.images);
    ahead += test.difference > 0 && test.p <= level_;
  }
  return ahead >= rules_.winners;
}

void Race::look(const std::vector<const ImageResults*>& results) {
  if (decided()) return;
  const auto seen = static_cast<std::int64_t>(results[static_cast<std::size_t>(running_.front())]->size());
  Look look{seen, {}};
  if (rules_.criterion == Criterion::kAccuracy || seen >= kLeastLosses) {
    std::copy_if(running_.begin(), running_.end(), std::back_inserter(look.dropped),
                 [&](int candidate) { return is_beaten(candidate, results); });
  }
  std::erase_if(running_, [&](int candidate) {
    return std::find(look.dropped.begin(), look.dropped.end(), candidate) != look.dropped.end();
  });
  looks_.push_back(std::move(look));
}

std::vector<std::int64_t> look_batches(std::int64_t batches) {
  std::vector<std::int64_t> looks;
  for (const std::int64_t sixteenths : {1, 2, 4, 8, 12}) {
    const std::int64_t look = (sixteenths * batches + 15) / 16;
    if (look < batches && (looks.empty() || look > looks.back())) looks.push_back(look);
  }
  return looks;
}

}  // namespace ptnas
