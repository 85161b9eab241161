#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "ptnas/space/derive.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

/// The mixing weights of one cell type as a forward pass uses them.
struct EdgeWeights {
  torch::Tensor values;             ///< [edges, most candidates], differentiable where alpha is trained
  std::vector<torch::Tensor> each;  ///< the same as scalars, by edge * columns + candidate
  int columns = 0;
  WeightMatrix host;  ///< the same on the host, by which operations of weight exactly 0 are skipped
};
struct ArchitectureWeights {
  EdgeWeights cells[2];  ///< empty for a type that is not searched
  const EdgeWeights& of(CellType type) const { return cells[static_cast<int>(type)]; }
};

/// Weights with these values, [edges, most candidates] for each searched cell type, differentiable in them;
/// those of a type that is not searched are not read.
ArchitectureWeights weights_of(const SearchSpace& space, const torch::Tensor& normal,
                               const torch::Tensor& reduction);

/// One perturbation of the weights: an operation (or, where `operation` is nullopt, all of an edge) set to 0,
/// no renormalisation.
struct Mask {
  CellType type;
  int edge;
  std::optional<int> operation;
};

/// Alpha of the searched cell types and what has been decided: softmax rows for undecided edges, one-hot rows
/// for decided ones, zero rows for removed ones. Rows with fewer candidates than the widest are padded: the
/// softmax runs over the candidates only. Not thread-safe.
class Architecture {
 public:
  /// alpha = deviation * N(0, 1) from RandomStream(seed, kAlpha, type); 0 deviation gives all zeros.
  Architecture(const SearchSpace& space, double deviation, std::uint64_t seed,
               torch::Device device = torch::kCPU);

  const SearchSpace& space() const { return space_; }
  /// [edges, most candidates], a leaf that requires gradients; undefined for a type that is not searched.
  torch::Tensor& alpha(CellType type) { return alpha_[static_cast<int>(type)]; }
  const torch::Tensor& alpha(CellType type) const { return alpha_[static_cast<int>(type)]; }

  /// That of every searched type, in order.
  std::vector<torch::Tensor> alphas() const;

  std::optional<int> decided(CellType type, int edge) const;
  bool removed(CellType type, int edge) const;
  /// Neither decided nor removed.
  bool open(CellType type, int edge) const { return !decided(type, edge) && !removed(type, edge); }
  void decide(CellType type, int edge, int operation);
  void remove(CellType type, int edge);
  void restore(CellType type, int edge);  ///< undoes remove
  void reopen(CellType type, int edge);   ///< undoes decide and remove

  /// The weights now; differentiable in alpha when `with_gradient`. Masks are applied last.
  ArchitectureWeights weights(bool with_gradient, const std::vector<Mask>& masks = {}) const;
  /// The softmax of alpha alone (decisions ignored), and the weights of weights(), on the host; empty for a
  /// type that is not searched.
  WeightMatrix softmax(CellType type) const;
  WeightMatrix host_weights(CellType type) const;

 private:
  EdgeWeights edge_weights(CellType type, bool with_gradient, const std::vector<Mask>& masks) const;

  SearchSpace space_;
  torch::Tensor alpha_[2];
  torch::Tensor padding_[2];     ///< 0 for candidates, -inf for padding
  std::vector<int> decided_[2];  ///< by edge: chosen candidate or -1
  std::vector<bool> removed_[2];
};

}  // namespace ptnas
