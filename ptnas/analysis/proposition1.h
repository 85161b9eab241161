#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

// Proposition 1 and Appendix A.4, measured: which softmax weight of the skip makes an edge's mixed output the
// best estimate of the optimal feature map m*.

/// Of one edge: x its skip's output, o that of all its other operations (footnote 1: grouped, by their
/// softmax weights), m an estimate of m*; all brought to mean 0 and variance 1 in every channel ("normalized
/// to the same scale").
struct EdgeVariances {
  double skip = 0;        ///< Var(x - m)
  double other = 0;       ///< Var(o - m)
  double covariance = 0;  ///< Cov(o - m, x - m)

  /// The skip's optimal weight, eq. (17): (Var(o - m) - Cov) / Z. May lie outside [0, 1]. NaN where Z is 0.
  double optimal_skip_weight() const;
  /// alpha_skip - alpha_conv at the optimum, eqs. (18) and (19); NaN where a logarithm has none, that is
  /// where the optimum lies outside (0, 1).
  double optimal_gap() const;
};

/// [N, C, H, W] with mean 0 and variance 1 in every channel; a constant channel becomes 0.
torch::Tensor normalised_by_channel(const torch::Tensor& map);
/// Over all entries; the three normalised and of the same shape.
EdgeVariances variances_of(const torch::Tensor& skip, const torch::Tensor& other,
                           const torch::Tensor& optimal);

/// The weight of the skip that makes Var((1 - w) o + w x - m) least, found by search over `w` in [-2, 3] on
/// the maps themselves: what the closed form is compared with.
double numerical_skip_weight(const torch::Tensor& skip, const torch::Tensor& other,
                             const torch::Tensor& optimal);

/// The two estimates of m*: the sum of the node that the edge leads to, and the mean of all mixed edges of
/// the cell whose maps have that size (unrolled estimation: all estimate the same map).
enum class OptimalMap { kNode, kMeanOfEdges };
std::string name_of(OptimalMap estimate);

struct Proposition1Options {
  std::int64_t images = 128;  ///< the first of the validation half, not augmented, in one batch
};

/// Measures all edges that have a skip and something else, in training mode (the batch's statistics), without
/// changing the trainer. The result: `edges`, by estimate, cell and edge: {estimate, cell, type, edge,
/// var_skip, var_other, covariance, closed, numerical, learned} with the skip's weights closed, numerical and
/// learned; and `summary` by estimate: {edges, mean_var_skip, mean_var_other, share_skip_nearer (Var(x - m) <
/// Var(o - m)), share_closed_prefers_skip (weight above 1/2), share_learned_prefers_skip, agreement (both on
/// the same side), rank_correlation (Spearman, closed against learned), largest_difference (closed against
/// numerical)}. Throws Error(kUsage) where no edge has both.
Json measure_proposition1(SupernetTrainer& trainer, const Proposition1Options& options);

}  // namespace ptnas
