#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ptnas {

/// What a stream of random numbers is for. Streams of different purposes never share numbers. The values are
/// part of the reproducibility contract: append, never renumber.
enum class Purpose : std::uint32_t {
  kInitialisation = 1,  // weights; index: position of the tensor in the network's list of parameters
  kAlpha = 2,           // initial alpha; index: 0 normal, 1 reduction
  kTrainOrder = 3,  // order of the training batches; index: epoch, or step where batches are drawn one by one
  kValidationOrder = 4,  // validation batches of alpha's steps; index: step
  kAugmentation = 5,     // crop, flip, cutout; index: a counter that is unique to the image drawn
  kEdgeOrder = 6,        // order of edges (index 0 normal, 1 reduction) and nodes (2, 3) in selection
  kNoise = 7,            // the operation noise
  kDropPath = 8,         // index: step
  kRandomSelection = 9,  // the random baseline
  kDataOrder = 10,       // the fixed order of a data set that is stored class by class (seed 0)
  kSearchNoise = 11,     // perturbations of alpha by a search method
  kScoringOrder = 12,    // released preset: images of a scoring event; index: event
  kCurvature = 20,       // the batch of a Hessian (index: epoch) and where its Lanczos iteration starts (0)
  kShuffledLayers = 21,  // Table 1: which layers change places; index: shuffle
  kAnalysedEdges = 22,   // Figures 1 and 7: which edges; index 0
};

/// One block: ten rounds of Philox4x32 on `counter` under `key`.
void philox4x32(const std::uint32_t counter[4], const std::uint32_t key[2], std::uint32_t out[4]);

/// A counter-based stream (Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
/// 2011): its numbers are a function of (seed, purpose, index, position) alone, so a run that is resumed
/// draws what an uninterrupted one draws. Cheap to construct. Not thread-safe; make one per thread or per
/// item.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t index = 0);

  std::uint32_t next();                     ///< uniform over all 32-bit values
  std::uint64_t next64();                   ///< uniform over all 64-bit values
  double uniform();                         ///< [0, 1), 53 bits
  double uniform(double low, double high);  ///< [low, high)
  double normal();                          ///< N(0, 1), Box-Muller; takes two numbers, gives one
  std::uint64_t below(std::uint64_t n);     ///< uniform over 0 .. n - 1 without bias; n > 0

  /// Fisher-Yates.
  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  void refill();
  std::uint32_t key_[2];
  std::uint32_t counter_[4];
  std::uint32_t block_[4];
  int used_ = 4;
};

/// 0, 1, .., n - 1 in random order.
std::vector<std::int64_t> permutation(std::size_t n, RandomStream stream);

}  // namespace ptnas
