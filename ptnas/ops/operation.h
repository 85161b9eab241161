#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>

#include "ptnas/space/operation_kind.h"

namespace ptnas {

/// Where a forward pass stands: all that an operation's result may depend on beside its input and weights.
/// Passed down, never global.
struct ForwardContext {
  std::uint64_t seed = 0;  ///< of the run
  std::uint64_t step = 0;  ///< a number unique to this forward pass (for noise and drop-path); all candidates
                           ///< of a scoring event use the same
};

/// A candidate operation: [N, C, H, W] -> [N, C, ceil(H / stride), ceil(W / stride)].
class Operation : public torch::nn::Module {
 public:
  /// `place` numbers the operation's place in the network (cell * 1000 + edge), for noise.
  virtual torch::Tensor forward(const torch::Tensor& input, const ForwardContext& context, int place) = 0;
};

/// How operations are built: in the search batch-norms are not affine and pools are followed by one; in
/// derived networks batch-norms are affine and pools stand alone.
enum class OperationUse { kSearch, kDerived };

/// Makes the operation from the table in ops_table.cc. `channels` in and out; stride 1 or 2.
std::shared_ptr<Operation> make_operation(OperationKind kind, int channels, int stride, OperationUse use);

/// ReLU, conv1x1 (no bias), batch-norm: [N, in, H, W] -> [N, out, H, W]. In search and derived networks the
/// cells' preprocessing.
class ReluConvBn : public torch::nn::Module {
 public:
  ReluConvBn(int in, int out, bool affine);
  torch::Tensor forward(const torch::Tensor& input);
};

/// ReLU, two conv1x1 of stride 2 on x and on x[:, :, 1:, 1:] with out/2 channels each (the first takes the
/// odd one), concatenated, batch-norm: [N, in, H, W] -> [N, out, ceil(H/2), ceil(W/2)]; odd sizes are
/// zero-padded right and below.
class FactorizedReduce : public torch::nn::Module {
 public:
  FactorizedReduce(int in, int out, bool affine);
  torch::Tensor forward(const torch::Tensor& input);
};

}  // namespace ptnas
