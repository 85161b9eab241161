#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "ptnas/network/architecture.h"
#include "ptnas/network/engine.h"
#include "ptnas/network/layout.h"
#include "ptnas/network/mixed_cell.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

struct SupernetShape {
  int channels = 16;
  int cells = 8;  ///< of NAS-Bench-201: in each of its three stages
  int classes = 10;
  int image_channels = 3;
  Engine engine = Engine::kPlain;
};

/// A supernet: stem, cells with reductions at 1/3 and 2/3, global average pool, linear classifier; in
/// NAS-Bench-201 the reductions are residual blocks, and batch-norm and ReLU come before the pool. Parameters
/// and buffers have the published program's names ("cells.0._ops.3._ops.1.op.1.weight",
/// "cells.0.edges.2<-1.3.op.1.weight"). Not thread-safe.
class Supernet : public torch::nn::Module {
 public:
  Supernet(SearchSpace space, const SupernetShape& shape);
  /// [N, C, H, W] -> logits [N, classes].
  torch::Tensor forward(const torch::Tensor& images, const ArchitectureWeights& weights,
                        const ForwardContext& context);

  /// Logits for each of several weights, as forward() gives them one by one: what they share is computed
  /// once, as far as the engine can. Not differentiable; running statistics must not be updated
  /// (FrozenStatistics, or evaluation mode).
  std::vector<torch::Tensor> forward_many(const torch::Tensor& images,
                                          const std::vector<ArchitectureWeights>& weights,
                                          const ForwardContext& context);

  const SearchSpace& space() const { return space_; }
  const SupernetShape& shape() const { return shape_; }
  CellType cell_type(int cell) const { return places_.at(static_cast<std::size_t>(cell)).type; }

 private:
  torch::Tensor classify(const torch::Tensor& cells) { return classifier_->forward(tail_->forward(cells)); }
  // From the outputs of the two cells before `cell`.
  torch::Tensor forward_from(std::size_t cell, torch::Tensor older, torch::Tensor newer,
                             const ArchitectureWeights& weights, const ForwardContext& context);

  SearchSpace space_;
  SupernetShape shape_;
  std::vector<CellPlace> places_;
  std::shared_ptr<Stem> stem_;
  std::vector<std::shared_ptr<MixedCell>> cells_;
  std::shared_ptr<Tail> tail_;
  torch::nn::Linear classifier_{nullptr};
};

}  // namespace ptnas
