#include "ptnas/core/random.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

// Philox4x32 round constants and key increments (Salmon et al., SC 2011, Table 2 and Section 3.1).
constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

}  // namespace

void philox4x32(const std::uint32_t counter[4], const std::uint32_t key[2], std::uint32_t out[4]) {
  std::uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  std::uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c0, p1 = std::uint64_t{kMultiplier1} * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

// The key is the seed; the counter is (block, purpose, index low, index high): 2^32 blocks of four numbers a
// stream.
RandomStream::RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t index)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(index),
               static_cast<std::uint32_t>(index >> 32)},
      block_{} {}

void RandomStream::refill() {
  philox4x32(counter_, key_, block_);
  ++counter_[0];
  used_ = 0;
}

std::uint32_t RandomStream::next() {
  if (used_ == 4) refill();
  return block_[used_++];
}

std::uint64_t RandomStream::next64() {
  const std::uint64_t high = next();
  return high << 32 | next();
}

double RandomStream::uniform() { return static_cast<double>(next64() >> 11) * 0x1p-53; }

double RandomStream::uniform(double low, double high) { return low + (high - low) * uniform(); }

double RandomStream::normal() {
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::uint64_t RandomStream::below(std::uint64_t n) {
  if (n == 0) fail("expected a positive number of values to draw from, found 0");
  // Values from the last, incomplete multiple of n would favour small results: draw again.
  const std::uint64_t threshold = (0 - n) % n;
  std::uint64_t value;
  do {
    value = next64();
  } while (value < threshold);
  return value % n;
}

std::vector<std::int64_t> permutation(std::size_t n, RandomStream stream) {
  std::vector<std::int64_t> values(n);
  std::iota(values.begin(), values.end(), 0);
  stream.shuffle(values);
  return values;
}

}  // namespace ptnas
