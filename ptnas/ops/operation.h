#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>

#include "ptnas/ops/batch_norm.h"
#include "ptnas/space/operation_kind.h"

namespace ptnas {

/// Where a forward pass stands: all that an operation's result may depend on beside its input and weights.
/// Passed down, never global.
struct ForwardContext {
  std::uint64_t seed = 0;  ///< of the run
  std::uint64_t step = 0;  ///< a number unique to this forward pass (for noise and drop-path); all candidates
                           ///< of a scoring event use the same
};

/// A candidate operation: [N, C, H, W] -> [N, C, ceil(H / stride), ceil(W / stride)]. Parameters and buffers
/// have the names of the published program's.
class Operation : public torch::nn::Module {
 public:
  /// `place` numbers the operation's place in the network (cell * 1000 + edge), for noise.
  virtual torch::Tensor forward(const torch::Tensor& input, const ForwardContext& context, int place) = 0;
};

/// How operations are built: in the search batch-norms are not affine and pools are followed by one; in
/// derived networks batch-norms are affine and pools stand alone.
enum class OperationUse { kSearch, kDerived };

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

/// Output size of a stride along one side: ceil(size / stride).
inline std::int64_t strided(std::int64_t size, int stride) { return (size + stride - 1) / stride; }

/// Convolution without bias.
torch::nn::Conv2d make_convolution(int in, int out, int kernel, int stride = 1, int padding = 0,
                                   int dilation = 1, int groups = 1);

}  // namespace ptnas
