#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "ptnas/network/architecture.h"
#include "ptnas/ops/operation.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

struct SupernetShape {
  int channels = 16;
  int cells = 8;
  int classes = 10;
  int image_channels = 3;
};

/// One cell of a supernet: two inputs, mixed edges, the nodes concatenated. An engine implements it.
class MixedCell : public torch::nn::Module {
 public:
  /// s0, s1: outputs of the two cells before -> [N, nodes * channels, H', W'].
  virtual torch::Tensor forward(const torch::Tensor& s0, const torch::Tensor& s1, const EdgeWeights& weights,
                                const ForwardContext& context) = 0;
};

/// The DARTS supernet (FACTS, Search spaces): stem, cells with reductions at 1/3 and 2/3, global average
/// pool, linear classifier. Parameter and buffer names are stable; the published program's are mapped to them
/// in ptnas/io.
class Supernet : public torch::nn::Module {
 public:
  Supernet(SearchSpace space, const SupernetShape& shape);
  /// [N, C, H, W] -> logits [N, classes].
  torch::Tensor forward(const torch::Tensor& images, const ArchitectureWeights& weights,
                        const ForwardContext& context);

  const SearchSpace& space() const { return space_; }
  const SupernetShape& shape() const { return shape_; }
  CellType cell_type(int cell) const;

 private:
  SearchSpace space_;
  SupernetShape shape_;
  torch::nn::Sequential stem_{nullptr};
  std::vector<std::shared_ptr<MixedCell>> cells_;
  torch::nn::Linear classifier_{nullptr};
};

/// Sets every weight U(+-1/sqrt(fan_in)), fan_in = C_in/groups k^2, linear bias alike, batch-norm weights 1
/// and biases 0, from RandomStream(seed, kInitialisation, position of the parameter) in order of
/// named_parameters(). The same on every device.
void initialise(torch::nn::Module& network, std::uint64_t seed);

/// While it lives, batch-norms of `network` in training mode use batch statistics and leave the running ones
/// untouched.
class FrozenStatistics {
 public:
  explicit FrozenStatistics(torch::nn::Module& network);
  ~FrozenStatistics();
  FrozenStatistics(const FrozenStatistics&) = delete;
  FrozenStatistics& operator=(const FrozenStatistics&) = delete;

 private:
  std::vector<torch::nn::BatchNorm2dImpl*> norms_;
};

}  // namespace ptnas
