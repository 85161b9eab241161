#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ptnas/network/supernet.h"
#include "ptnas/ops/operation.h"
#include "ptnas/ops/preprocess.h"

namespace ptnas {

/// What a cell of the plain engine computed.
struct CellRecord {
  std::vector<std::vector<torch::Tensor>> operations;  ///< by edge and candidate: [N, C, H, W]
  std::vector<torch::Tensor> edges;                    ///< their sums by weight
  std::vector<torch::Tensor> nodes;
};

/// Goes through a supernet of the DARTS family cell by cell, so that cells can have weights of their own or
/// be looked into. Shares the network's modules; not thread-safe. Throws Error for another family.
class SupernetWalk {
 public:
  explicit SupernetWalk(Supernet& network);
  int cells() const { return static_cast<int>(cells_.size()); }

  /// [N, C, H, W] -> logits [N, classes], each cell under its own weights; Supernet::forward() where these
  /// are those of its type.
  using WeightsOf = std::function<const EdgeWeights&(int cell)>;
  torch::Tensor forward(const torch::Tensor& images, const WeightsOf& weights, const ForwardContext& context);

  /// The same, and hands over what each cell computed, every operation included, whatever its weight. For the
  /// plain engine.
  using Take = std::function<void(int cell, const CellRecord& record)>;
  torch::Tensor record(const torch::Tensor& images, const WeightsOf& weights, const ForwardContext& context,
                       const Take& take);

 private:
  CellRecord record_cell(int cell, const torch::Tensor& older, const torch::Tensor& newer,
                         const EdgeWeights& weights, const ForwardContext& context);

  Supernet& network_;
  std::vector<std::shared_ptr<MixedCell>> cells_;
};

}  // namespace ptnas
