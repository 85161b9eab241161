#include "ptnas/network/layout.h"

#include <torch/utils.h>

#include <cmath>

#include "ptnas/core/random.h"
#include "ptnas/network/fused_convolution.h"

namespace ptnas {

std::vector<CellPlace> layout_cells(Family family, int channels, int cells, int nodes, StemKind stem) {
  std::vector<CellPlace> places;
  const int all = cell_count(family, cells);
  int older = stem == StemKind::kCifar ? stem_channels(family, channels) : channels, newer = older;
  bool after_reduction = stem == StemKind::kImageNet;  // whose last convolution halves the resolution
  for (int i = 0; i < all; ++i) {
    const bool reduction = is_reduction_cell(i, all);
    if (reduction) channels *= 2;
    places.push_back(
        {i, reduction ? CellType::kReduction : CellType::kNormal, after_reduction, older, newer, channels});
    older = newer;
    newer = output_nodes(family, nodes) * channels;
    after_reduction = reduction;
  }
  return places;
}

int output_channels(Family family, const std::vector<CellPlace>& cells, int nodes) {
  return output_nodes(family, nodes) * cells.back().channels;
}

Stem::Stem(int in, int out, Engine engine) : engine_(engine), conv_(make_convolution(in, out, 3, 1, 1)) {
  register_module("0", conv_);
  norm_ = register_module("1", std::make_shared<BatchNorm>(out, /*affine=*/true));
}

torch::Tensor Stem::forward(const torch::Tensor& images) {
  if (engine_ != Engine::kPlain && !images.requires_grad())
    return fused_convolution(images, conv_->weight, norm_);
  return norm_->forward(conv_->forward(images));
}

Tail::Tail(Family family, int channels) {
  if (family == Family::kNasBench201)
    norm_ = register_module("0", std::make_shared<BatchNorm>(channels, /*affine=*/true));
}

torch::Tensor Tail::forward(const torch::Tensor& cells) {
  if (!norm_) return cells.mean({2, 3});
  // libtorch's norm in channels-last adds by threads, in NCHW by channels: the same bits for any number.
  return torch::relu(norm_->forward(cells.contiguous())).mean({2, 3});
}

void initialise(torch::nn::Module& network, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  std::uint64_t position = 0;
  double fan_in = 1;
  for (auto& item : network.named_parameters()) {
    torch::Tensor& parameter = item.value();
    RandomStream stream(seed, Purpose::kInitialisation, position++);
    // A convolution [out, in/groups, k, k] or a linear layer [out, in], whose bias [out] follows it.
    const bool is_weight = parameter.dim() >= 2;
    const bool is_linear_bias = parameter.dim() == 1 && item.key().ends_with("classifier.bias");
    const std::int64_t inputs = is_weight ? parameter.numel() / parameter.size(0) : 0;
    if (is_weight) fan_in = static_cast<double>(inputs);
    if (!is_weight && !is_linear_bias) continue;
    const double bound = 1 / std::sqrt(fan_in);
    torch::Tensor values = torch::empty(parameter.sizes(), torch::kFloat);
    float* data = values.data_ptr<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i)
      data[i] = static_cast<float>(stream.uniform(-bound, bound));
    parameter.copy_(values);
  }
}

FrozenStatistics::FrozenStatistics(torch::nn::Module& network) {
  for (const auto& module : network.modules(/*include_self=*/false)) {
    if (auto* norm = module->as<BatchNorm>(); norm != nullptr && !norm->frozen()) norms_.push_back(norm);
  }
  for (BatchNorm* norm : norms_) norm->set_frozen(true);
}

FrozenStatistics::~FrozenStatistics() {
  for (BatchNorm* norm : norms_) norm->set_frozen(false);
}

}  // namespace ptnas
