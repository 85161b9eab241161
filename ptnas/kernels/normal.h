#pragma once

#include <cstddef>
#include <cstdint>

namespace ptnas::kernels {

/// A stream of normal numbers: the key and the upper three counter words of Philox4x32-10 (Salmon et al., SC
/// 2011); the lowest word counts blocks.
struct NormalStream {
  std::uint32_t key[2];
  std::uint32_t counter[3];
};

/// Values of the stream are made in groups of this many, from 16 blocks.
constexpr std::size_t kNormalGroup = 64;

/// out[i] = value first + i of the stream, N(0, 1) by Box and Muller's transform in single precision, i below
/// `count`; `first` is a multiple of kNormalGroup. Block 16 g + l of group g gives its values l, 16 + l, 32 +
/// l and 48 + l: radius of word 0 (2) times cosine and sine of the angle of word 1 (3). A vector target may
/// differ from another in the last bits.
void fill_normal(const NormalStream& stream, std::uint64_t first, std::size_t count, float* out);

}  // namespace ptnas::kernels
