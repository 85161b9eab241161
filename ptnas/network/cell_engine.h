#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>
#include <vector>

#include "ptnas/kernels/convolution.h"
#include "ptnas/kernels/pool.h"
#include "ptnas/network/buffer.h"
#include "ptnas/network/fused_norm.h"
#include "ptnas/ops/operation.h"
#include "ptnas/space/cell_family.h"

namespace ptnas {

/// A cell as the fused engine sees it: one or two inputs and edges of one or more operations into nodes.
struct CellGraph {
  struct Edge {
    int from;  ///< below input_count(family): the inputs; then the nodes
    int node;
    int stride;  ///< the same for all edges that leave a state
    std::vector<OperationParts> operations;
  };
  Family family = Family::kDarts;
  std::vector<OperationParts> inputs;  ///< the preprocessing of each; empty: taken as they are
  int channels = 0, nodes = 0, index = 0;
  std::vector<Edge> edges;  ///< by node, ascending

  int first_node() const { return input_count(family); }  ///< the state that node 0 is
  int states() const { return first_node() + nodes; }
  /// The cell's output is that of the nodes from this one on, concatenated.
  int first_output() const { return nodes - output_nodes(family, nodes); }
};

/// What one pass through a cell is given besides its inputs.
struct CellPass {
  std::vector<std::vector<double>> weights;  ///< by edge and operation; 0: skips_zero_weights(family)
  torch::Tensor
      values;  ///< [edges, columns] weights as a tensor where their gradient is wanted, or undefined
  std::vector<std::vector<float>> factors;  ///< by edge: by image, multiplies the edge's output; empty: 1
  ForwardContext context;
};

/// The fused engine: one cell forward and backward as a single autograd node, computed image by image with
/// the kernels of ptnas/kernels, channels-last. Statistics, weights and gradients are those of the plain
/// engine. The bits do not depend on the number of threads: work is cut into fixed pieces whose sums are
/// added in a fixed order. Not thread-safe.
class CellEngine : public std::enable_shared_from_this<CellEngine> {
 public:
  explicit CellEngine(CellGraph graph);

  /// older, newer [N, C, H, W] -> [N, output_nodes() * channels, H', W'], channels-last, float32 on the CPU.
  /// Where the cell has one input that is `newer`, and `older` may be undefined.
  torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer, const CellPass& pass);

  /// The outputs of several passes that differ in their weights alone, handed over in turn: the
  /// preprocessing, the nodes before the first that differs and all operations into that one are computed
  /// once. Not differentiable, without updates of running statistics.
  void forward_many(const torch::Tensor& older, const torch::Tensor& newer,
                    const std::vector<CellPass>& passes,
                    const std::function<void(std::size_t, torch::Tensor)>& take);

 private:
  friend class CellUnits;
  friend class CellForward;
  friend class CellBackward;

  /// A convolution, the batch-norm after it, and where their parameters stand in parameters_ (-1: absent).
  struct Unit {
    enum class Kind { kSeparable, kDense, kFactorizedReduce } kind;
    int kernel = 1, dilation = 1;
    int depthwise = -1, first = -1, second = -1, gamma = -1, beta = -1;
    std::shared_ptr<BatchNorm> norm;
  };
  /// An operation: its units in order (none for pools, identity, noise).
  struct Operation {
    OperationParts::Kind kind;
    std::vector<int> units;
    std::shared_ptr<BatchNorm> norm;  // of a pool
  };

  int add_parameter(const torch::Tensor& tensor);
  int add_unit(Unit unit);
  int add_single_unit(const OperationParts& parts);
  Operation add_operation(const OperationParts& parts);
  kernels::Convolution convolution_of(const Unit& unit, int channels, int height, int width, int stride,
                                      int halo) const;

  CellGraph graph_;
  std::vector<torch::Tensor> parameters_;
  std::vector<Unit> units_;
  std::vector<int> inputs_;                         // units of the preprocessing
  std::vector<std::vector<Operation>> operations_;  // by edge
  std::vector<int> stride_;                         // of the edges that leave a state
};

}  // namespace ptnas
