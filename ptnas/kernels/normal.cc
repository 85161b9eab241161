#include "ptnas/kernels/normal.h"

#include <algorithm>
#include <cstring>
#include <numbers>

#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/normal.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/contrib/math/math-inl.h>

#include "ptnas/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

constexpr std::size_t kBlocks = kNormalGroup / 4;
// Philox4x32's multipliers and key increments (Salmon et al., SC 2011, Table 2 and Section 3.1).
constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

using Words = std::uint32_t[4][kBlocks];  // by word and block

// Plain loops over the blocks, which the compiler turns into vectors.
void philox_blocks(const NormalStream& stream, std::uint32_t first_block, Words& words) {
  for (std::size_t b = 0; b < kBlocks; ++b) words[0][b] = first_block + static_cast<std::uint32_t>(b);
  for (std::size_t w = 1; w < 4; ++w) std::fill_n(words[w], kBlocks, stream.counter[w - 1]);
  std::uint32_t key0 = stream.key[0], key1 = stream.key[1];
  for (int round = 0; round < kRounds; ++round, key0 += kWeyl0, key1 += kWeyl1) {
    for (std::size_t b = 0; b < kBlocks; ++b) {
      const std::uint64_t p0 = std::uint64_t{kMultiplier0} * words[0][b];
      const std::uint64_t p1 = std::uint64_t{kMultiplier1} * words[2][b];
      words[0][b] = static_cast<std::uint32_t>(p1 >> 32) ^ words[1][b] ^ key0;
      words[2][b] = static_cast<std::uint32_t>(p0 >> 32) ^ words[3][b] ^ key1;
      words[1][b] = static_cast<std::uint32_t>(p1);
      words[3][b] = static_cast<std::uint32_t>(p0);
    }
  }
}

// Two vectors of normal numbers from two words.
void box_muller(const std::uint32_t* of_radius, const std::uint32_t* of_angle, float* cosines, float* sines) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  for (std::size_t b = 0; b < kBlocks; b += kLanes) {
    // (0, 1]: 31 bits and a half.
    const V bits = hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<1>(hn::LoadU(du, of_radius + b))));
    const V uniform = hn::Mul(hn::Add(bits, hn::Set(d, 0.5f)), hn::Set(d, 0x1p-31f));
    const V radius = hn::Sqrt(hn::Mul(hn::Set(d, -2.0f), hn::Log(d, uniform)));
    // [-pi, pi): the word as a signed number.
    const V turn = hn::ConvertTo(d, hn::BitCast(di, hn::LoadU(du, of_angle + b)));
    const V angle = hn::Mul(turn, hn::Set(d, std::numbers::pi_v<float> * 0x1p-31f));
    hn::StoreU(hn::Mul(radius, hn::Cos(d, angle)), d, cosines + b);
    hn::StoreU(hn::Mul(radius, hn::Sin(d, angle)), d, sines + b);
  }
}

void fill_normal_impl(const NormalStream& stream, std::uint64_t first, std::size_t count, float* out) {
  Words words;
  float group[kNormalGroup];
  for (std::size_t done = 0; done < count; done += kNormalGroup) {
    const std::size_t left = count - done;
    float* to = left >= kNormalGroup ? out + done : group;
    philox_blocks(stream, static_cast<std::uint32_t>((first + done) / 4), words);
    box_muller(words[0], words[1], to, to + kBlocks);
    box_muller(words[2], words[3], to + 2 * kBlocks, to + 3 * kBlocks);
    if (to == group) std::memcpy(out + done, group, left * sizeof(float));
  }
}

}  // namespace

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

HWY_EXPORT(fill_normal_impl);

void fill_normal(const NormalStream& stream, std::uint64_t first, std::size_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(fill_normal_impl)(stream, first, count, out);
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
