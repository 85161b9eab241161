#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/version.h>

#include <cstdint>
#include <vector>

#include "ptnas/network/engine.h"
#include "ptnas/network/mixed_cell.h"
#include "ptnas/space/count.h"

namespace ptnas {

/// libtorch 2.6's ways back through convolutions in channels-last give wrong gradients in small images and
/// damage the heap (docs/results.md, Debian 13): with libtorch 2 its convolutions get NCHW.
constexpr bool kChannelsLastIsRight = TORCH_VERSION_MAJOR < 2;

/// The cells of a network, supernet and derived network alike, fixed ones included, after a stem (StemKind;
/// NAS-Bench-201 has one of its own); channels double in reduction cells. `cells` are those of each stage in
/// NAS-Bench-201.
std::vector<CellPlace> layout_cells(Family family, int channels, int cells, int nodes,
                                    StemKind stem = StemKind::kCifar);

/// Channels of the last cell's output.
int output_channels(Family family, const std::vector<CellPlace>& cells, int nodes);

/// Stem: conv3x3 without bias to `out` channels, affine batch-norm. Children "0" and "1".
class Stem final : public torch::nn::Module {
 public:
  Stem(int in, int out, Engine engine);
  torch::Tensor forward(const torch::Tensor& images);

 private:
  Engine engine_;
  torch::nn::Conv2d conv_{nullptr};
  std::shared_ptr<BatchNorm> norm_;
};

/// What stands between the last cell and the classifier: in NAS-Bench-201 an affine batch-norm (child "0")
/// and ReLU, and then, in both families, the mean over all pixels.
class Tail final : public torch::nn::Module {
 public:
  Tail(Family family, int channels);
  /// [N, C, H, W] -> [N, C].
  torch::Tensor forward(const torch::Tensor& cells);

 private:
  std::shared_ptr<BatchNorm> norm_;  // or absent
};

/// Sets every weight U(+-1/sqrt(fan_in)), fan_in = C_in/groups k^2, linear biases alike (the defaults of
/// PyTorch), from RandomStream(seed, kInitialisation, position of the parameter) in order of
/// named_parameters(). Batch-norms stay 1 and 0. The same on every device.
void initialise(torch::nn::Module& network, std::uint64_t seed);

/// While it lives, batch-norms of `network` in training mode use batch statistics and leave the running ones
/// untouched.
class FrozenStatistics {
 public:
  explicit FrozenStatistics(torch::nn::Module& network);
  ~FrozenStatistics();
  FrozenStatistics(const FrozenStatistics&) = delete;
  FrozenStatistics& operator=(const FrozenStatistics&) = delete;

 private:
  std::vector<BatchNorm*> norms_;
};

}  // namespace ptnas
