#pragma once

#include <torch/types.h>

#include <vector>

#include "ptnas/kernels/convolution.h"
#include "ptnas/network/buffer.h"

namespace ptnas {

/// Sums of the weight gradients of some convolutions, kept by chunk of images and added in the chunks' order,
/// so that their bits do not depend on threads. Distinct chunks may be filled by distinct threads.
class WeightSums {
 public:
  struct Unit {
    const kernels::Convolution* convolution;
    bool wanted;
  };
  WeightSums(std::vector<Unit> units, std::int64_t chunks);

  /// Zeroes a chunk; before anything is added to it.
  void clear(std::size_t unit, std::int64_t chunk);
  /// What to add to for a unit; both null where it wants none.
  kernels::WeightGradient at(std::size_t unit, std::int64_t chunk) const;
  /// After all chunks are filled; then the unit's gradients may be taken.
  void add_chunks(std::size_t unit);

  /// Columns from `first` on of a matrix, shaped as `like` [out, in, 1, 1]; only of a unit that was wanted.
  torch::Tensor matrix(std::size_t unit, int matrix, std::int64_t first, const torch::Tensor& like) const;
  /// All matrices of a dense convolution, shaped as `like` [out, in, kernel, kernel], in its memory format.
  torch::Tensor dense(std::size_t unit, const torch::Tensor& like) const;
  /// Of the depthwise weights, shaped as `like` [channels, 1, kernel, kernel].
  torch::Tensor depthwise(std::size_t unit, const torch::Tensor& like) const;

 private:
  std::size_t size_of(std::size_t unit) const;
  float* sums_of(std::size_t unit, std::int64_t chunk) const;

  std::vector<Unit> units_;
  std::int64_t chunks_;
  std::vector<std::size_t> offsets_;
  std::size_t chunk_size_ = 0;
  Buffer buffer_;
};

}  // namespace ptnas
