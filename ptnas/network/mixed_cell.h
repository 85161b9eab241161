#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <memory>
#include <vector>

#include "ptnas/network/architecture.h"
#include "ptnas/network/engine.h"
#include "ptnas/ops/operation.h"
#include "ptnas/ops/preprocess.h"

namespace ptnas {

/// Where a cell stands in the network.
struct CellPlace {
  int index;
  CellType type;
  bool after_reduction;                ///< the cell before halved the resolution
  int older_channels, newer_channels;  ///< of the outputs of the two cells before
  int channels;                        ///< of this cell's nodes
};

/// One cell of a supernet: two inputs (of which NAS-Bench-201's reads the newer alone), mixed edges, and of
/// its nodes the family's output. An engine implements it. A cell that is not searched has no weights.
class MixedCell : public torch::nn::Module {
 public:
  /// older, newer: outputs of the two cells before -> [N, output_nodes() * channels, H', W'].
  virtual torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer,
                                const EdgeWeights& weights, const ForwardContext& context) = 0;

  /// Hands over the cell's output for each of several weights in turn; an engine may share what they have in
  /// common. Not differentiable, without updates of running statistics.
  using TakeOutput = std::function<void(std::size_t index, torch::Tensor output)>;
  virtual void forward_many(const torch::Tensor& older, const torch::Tensor& newer,
                            const std::vector<const EdgeWeights*>& weights, const ForwardContext& context,
                            const TakeOutput& take) {
    for (std::size_t i = 0; i < weights.size(); ++i) take(i, forward(older, newer, *weights[i], context));
  }
};

/// Plain: ATen operations and autograd, on any device; the truth that others are tested against. Fused
/// (cell_engine.h): the same modules and names, computed on the CPU by kernels of our own. Check
/// (engine_check.h): both. A reduction in NAS-Bench-201 is a ResidualBlock.
std::shared_ptr<MixedCell> make_mixed_cell(const SearchSpace& space, const CellPlace& place, Engine engine);

/// The preprocessing of a cell's two inputs (DARTS family).
std::shared_ptr<Preprocess> make_older_preprocess(const CellPlace& place, bool affine);
std::shared_ptr<Preprocess> make_newer_preprocess(const CellPlace& place, bool affine);

}  // namespace ptnas
