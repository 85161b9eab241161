#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ptnas/ops/batch_norm.h"
#include "ptnas/space/operation_kind.h"

namespace ptnas {

/// Where a forward pass stands: all that an operation's result may depend on beside its input and weights.
/// Passed down, never global.
struct ForwardContext {
  std::uint64_t seed = 0;  ///< of the run
  std::uint64_t step = 0;  ///< a number unique to this forward pass (for noise and drop-path); all candidates
                           ///< of a scoring event use the same
  /// Index of a random stream for what is drawn at `place` (below 2^20) in this pass.
  std::uint64_t draw(int place) const { return (step << 20) + static_cast<std::uint64_t>(place); }
};
/// A place in the network: cell * kPlacesPerCell + edge.
constexpr int kPlacesPerCell = 1000;

/// What operations read: a cell's input or node, [N, C, H, W], and its ReLU, which is computed when first
/// asked for and shared by all operations that begin with one. Lives within one forward pass; not
/// thread-safe.
class Source {
 public:
  Source(torch::Tensor value) : value_(std::move(value)) {}  // NOLINT: a tensor is a source
  const torch::Tensor& value() const { return value_; }
  const torch::Tensor& rectified() const {
    if (!rectified_.defined()) rectified_ = torch::relu(value_);
    return rectified_;
  }

 private:
  torch::Tensor value_;
  mutable torch::Tensor rectified_;
};

/// What an operation is made of, for an engine that computes it with kernels of its own. Tensors and norms
/// are the operation's own, shared; an absent norm is nullptr.
struct OperationParts {
  enum class Kind { kNone, kIdentity, kMaxPool, kAvgPool, kNoise, kSeparable, kDense, kFactorizedReduce };
  /// ReLU, depthwise [C, 1, k, k], pointwise [C, C, 1, 1], batch-norm. The first stage has the operation's
  /// stride.
  struct Stage {
    torch::Tensor depthwise = {}, pointwise = {};
    int kernel = 3, dilation = 1;
    std::shared_ptr<BatchNorm> norm;
  };
  Kind kind = Kind::kNone;
  std::vector<Stage> stages = {};  ///< kSeparable
  /// kDense: ReLU, `first` [C, in, k, k]; kFactorizedReduce: [C1, in, 1, 1] and [C2, in, 1, 1] or undefined.
  torch::Tensor first = {}, second = {};
  std::shared_ptr<BatchNorm> norm = {};  ///< after a pool, a dense convolution or a factorized reduction
};

/// A candidate operation: [N, C, H, W] -> [N, C, ceil(H / stride), ceil(W / stride)]. Parameters and buffers
/// have the names of the published program's.
class Operation : public torch::nn::Module {
 public:
  /// `place` numbers the operation's place in the network (kPlacesPerCell), for noise.
  virtual torch::Tensor forward(const Source& source, const ForwardContext& context, int place) = 0;
  virtual OperationParts parts() const = 0;
};

/// How operations are built: in the search batch-norms are not affine and pools are followed by one, but not
/// in NAS-Bench-201's; in derived networks batch-norms are affine and pools stand alone.
enum class OperationUse { kSearch, kSearchNasBench201, kDerived };

/// What an operation is made with; stride 1 or 2.
struct OperationShape {
  int channels;  ///< in and out
  int stride;
  OperationUse use;
  bool affine() const { return use == OperationUse::kDerived; }
};

/// Makes an operation by the table in ops_table.cc. Throws Error for a kind without one.
std::shared_ptr<Operation> make_operation(OperationKind kind, const OperationShape& shape);

// The makers of that table, one file each.
std::shared_ptr<Operation> make_none(const OperationShape& shape);
std::shared_ptr<Operation> make_max_pool(const OperationShape& shape);
std::shared_ptr<Operation> make_avg_pool(const OperationShape& shape);
std::shared_ptr<Operation> make_skip(const OperationShape& shape);
std::shared_ptr<Operation> make_sep_conv_3x3(const OperationShape& shape);
std::shared_ptr<Operation> make_sep_conv_5x5(const OperationShape& shape);
std::shared_ptr<Operation> make_dil_conv_3x3(const OperationShape& shape);
std::shared_ptr<Operation> make_dil_conv_5x5(const OperationShape& shape);
std::shared_ptr<Operation> make_noise(const OperationShape& shape);
std::shared_ptr<Operation> make_nor_conv_1x1(const OperationShape& shape);
std::shared_ptr<Operation> make_nor_conv_3x3(const OperationShape& shape);

/// Output size of a stride along one side: ceil(size / stride).
inline std::int64_t strided(std::int64_t size, int stride) { return (size + stride - 1) / stride; }

/// What `noise` adds at a place: N(0, 1) of shape [N, H, W, C], a function of seed, step and place alone.
torch::Tensor noise_of(at::IntArrayRef shape, const ForwardContext& context, int place);

/// Zeros of `input`'s strided shape, type, device and memory format.
torch::Tensor strided_zeros(const torch::Tensor& input, int stride);

/// Convolution without bias.
torch::nn::Conv2d make_convolution(int in, int out, int kernel, int stride = 1, int padding = 0,
                                   int dilation = 1, int groups = 1);

}  // namespace ptnas
