#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <memory>
#include <vector>

#include "ptnas/network/classifier.h"
#include "ptnas/network/engine.h"
#include "ptnas/network/imagenet_stem.h"
#include "ptnas/network/layout.h"
#include "ptnas/space/count.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

/// The network of a genotype: DARTS' NetworkCIFAR, or NetworkImageNet, by the shape's stem: stem, cells of
/// two edges a node, auxiliary head after cell floor(2 cells/3), classifier; or NAS-Bench-201's, whose
/// parameters have the benchmark's names ("cells.0.layers.3.op.1.weight"). The fused engine computes stem,
/// cells and residual blocks; the stem for ImageNet is libtorch's with either.
class DerivedNetwork : public Classifier {
 public:
  /// Throws Error: what count_network() throws, and kUsage for an auxiliary head in NAS-Bench-201, which has
  /// none.
  DerivedNetwork(Genotype genotype, const NetworkShape& shape, bool auxiliary,
                 Engine engine = Engine::kPlain);

  /// `drop_path`: probability of dropping an operation's output for a sample (training only; stride-1 skips
  /// are never dropped).
  Output forward(const torch::Tensor& images, double drop_path, const ForwardContext& context) override;

  const Genotype& genotype() const { return genotype_; }
  const NetworkShape& shape() const { return shape_; }
  bool has_auxiliary() const { return auxiliary_ != nullptr; }

 private:
  class Cell;
  class GraphCell;
  class ResidualCell;
  class AuxiliaryHead;
  static std::shared_ptr<Cell> make_cell(const Genotype& genotype, const CellPlace& place, Engine engine);
  ImageNetStem::Output forward_stem(const torch::Tensor& images);
  Genotype genotype_;
  NetworkShape shape_;
  std::shared_ptr<Stem> stem_;                   // for CIFAR, or absent
  std::unique_ptr<ImageNetStem> imagenet_stem_;  // or for ImageNet
  std::vector<std::shared_ptr<Cell>> cells_;
  std::shared_ptr<Tail> tail_;
  std::shared_ptr<AuxiliaryHead> auxiliary_;
  int auxiliary_cell_ = 0;
  torch::nn::Linear classifier_{nullptr};
};

}  // namespace ptnas
