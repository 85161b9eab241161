#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <string>
#include <vector>

#include "ptnas/ops/batch_norm.h"

namespace ptnas {

/// The largest relative differences, |fused - plain| / |plain| of whole tensors, that `--engine check` has
/// met in this process, over all passes and cells.
struct EngineDifferences {
  std::int64_t passes = 0;
  struct Largest {
    double value = 0;
    int cell = -1;
  };
  Largest output, input_gradient, weight_gradient, alpha_gradient, statistics;
};
EngineDifferences engine_differences();
void reset_engine_differences();
/// One sentence for the log.
std::string describe(const EngineDifferences& differences);

/// All batch-norms within a module.
std::vector<std::shared_ptr<BatchNorm>> batch_norms(const torch::nn::Module& module);

/// Two ways to compute one cell from its inputs.
struct CheckedCell {
  /// (older, newer, mixing weights or undefined) -> output.
  using Run =
      std::function<torch::Tensor(const torch::Tensor&, const torch::Tensor&, const torch::Tensor& values)>;
  int index;
  Run plain, fused;
  std::vector<torch::Tensor> parameters;          ///< that both read
  std::vector<std::shared_ptr<BatchNorm>> norms;  ///< whose running statistics both update
};

/// Runs both on the same input and records the differences of output, running statistics and, when the result
/// is differentiated, gradients. The result, its gradients and the statistics are the fused engine's. Throws
/// Error where outputs or statistics differ by more than rounding (1e-4), naming the cell. Not thread-safe.
torch::Tensor check_cell(const CheckedCell& cell, const torch::Tensor& older, const torch::Tensor& newer,
                         const torch::Tensor& values);

}  // namespace ptnas
