#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ptnas/network/supernet.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// The Hessian of the loss on one batch with respect to alpha, of all searched cell types together (Section
/// 2; Zela et al., ICLR 2020): in training mode, by the batch's own statistics. By autograd through a plain
/// twin of the trainer's network, whatever its engine; the trainer and its network's statistics stay as they
/// are. Holds the twin's graph while it lives; not thread-safe.
class AlphaHessian {
 public:
  /// `batch`: images [N, C, H, W] in the trainer's memory format. `precision`: of the twin.
  AlphaHessian(SupernetTrainer& trainer, const Batch& batch, torch::Dtype precision = torch::kFloat);

  /// Entries of all alphas, in the order of cell types, row by row: n.
  std::int64_t size() const { return gradient_.numel(); }
  /// H v: [n] double -> [n] double.
  torch::Tensor times(const torch::Tensor& vector) const;

 private:
  torch::Tensor flat(const std::vector<torch::Tensor>& gradients) const;

  std::shared_ptr<Supernet> twin_;
  std::vector<torch::Tensor> alphas_;
  torch::Tensor gradient_;  // [n], differentiable once more
};

/// The largest eigenvalue of a symmetric matrix of size n, given by its products with vectors ([n] double):
/// by Lanczos' iteration with full orthogonalisation, until it changes by less than `tolerance` of itself. A
/// function of the seed, from which the start is drawn.
double largest_eigenvalue(const std::function<torch::Tensor(const torch::Tensor&)>& times, std::int64_t n,
                          std::uint64_t seed, double tolerance = 1e-3);

/// RobustDARTS adds this to the diagonal before it takes the eigenvalue.
constexpr double kHessianRegularisation = 1e-3;

/// The dominant eigenvalue of H + 1e-3 I for the supernet as it stands after `epoch`, on one batch of the
/// validation half, not augmented, drawn by seed and epoch. Throws Error where it is not finite.
double dominant_eigenvalue(SupernetTrainer& trainer, std::int64_t epoch);

}  // namespace ptnas
