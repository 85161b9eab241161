#include "ptnas/network/architecture.h"

#include <limits>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

WeightMatrix to_host(const torch::Tensor& values, const SearchSpace& space, CellType type) {
  const torch::Tensor cpu = values.detach().to(torch::kCPU, torch::kFloat).contiguous();
  const float* data = cpu.data_ptr<float>();
  const auto columns = static_cast<std::size_t>(cpu.size(1));
  WeightMatrix matrix;
  for (std::size_t e = 0; e < space.of(type).size(); ++e) {
    matrix.emplace_back(data + e * columns, data + e * columns + space.of(type)[e].size());
  }
  return matrix;
}

EdgeWeights edge_weights_of(const SearchSpace& space, CellType type, const torch::Tensor& values) {
  EdgeWeights result;
  result.host = to_host(values, space, type);
  result.values = values;
  result.columns = static_cast<int>(values.size(1));
  result.each = values.reshape({-1}).unbind(0);
  return result;
}

}  // namespace

ArchitectureWeights weights_of(const SearchSpace& space, const torch::Tensor& normal,
                               const torch::Tensor& reduction) {
  ArchitectureWeights result;
  const torch::Tensor* values[] = {&normal, &reduction};
  for (const CellType type : space.cell_types())
    result.cells[static_cast<int>(type)] =
        edge_weights_of(space, type, *values[static_cast<std::size_t>(type)]);
  return result;
}

Architecture::Architecture(const SearchSpace& space, double deviation, std::uint64_t seed,
                           torch::Device device)
    : space_(space) {
  validate(space_);
  for (const CellType type : space_.cell_types()) {
    const auto t = static_cast<std::size_t>(type);
    const int edges = space_.edge_count(), columns = space_.most_candidates(type);
    RandomStream stream(seed, Purpose::kAlpha, t);
    torch::Tensor alpha = torch::zeros({edges, columns});
    torch::Tensor padding = torch::full({edges, columns}, -std::numeric_limits<float>::infinity());
    for (int e = 0; e < edges; ++e) {
      for (std::size_t o = 0; o < space_.of(type)[static_cast<std::size_t>(e)].size(); ++o) {
        alpha.index_put_({e, static_cast<std::int64_t>(o)},
                         deviation == 0 ? 0.0 : deviation * stream.normal());
        padding.index_put_({e, static_cast<std::int64_t>(o)}, 0.0);
      }
    }
    alpha_[t] = alpha.to(device).requires_grad_(true);
    padding_[t] = padding.to(device);
    decided_[t].assign(static_cast<std::size_t>(edges), -1);
    removed_[t].assign(static_cast<std::size_t>(edges), false);
  }
}

std::vector<torch::Tensor> Architecture::alphas() const {
  std::vector<torch::Tensor> result;
  for (const CellType type : space_.cell_types()) result.push_back(alpha(type));
  return result;
}

std::optional<int> Architecture::decided(CellType type, int edge) const {
  const int operation = decided_[static_cast<std::size_t>(type)].at(static_cast<std::size_t>(edge));
  return operation < 0 ? std::nullopt : std::optional(operation);
}

bool Architecture::removed(CellType type, int edge) const {
  return removed_[static_cast<std::size_t>(type)].at(static_cast<std::size_t>(edge));
}

void Architecture::decide(CellType type, int edge, int operation) {
  const auto& candidates = space_.of(type).at(static_cast<std::size_t>(edge));
  if (operation < 0 || operation >= static_cast<int>(candidates.size())) {
    fail("edge {} of the {} cell has {} candidates, operation {} is none of them", edge, name_of(type),
         candidates.size(), operation);
  }
  decided_[static_cast<std::size_t>(type)][static_cast<std::size_t>(edge)] = operation;
}

void Architecture::remove(CellType type, int edge) {
  removed_[static_cast<std::size_t>(type)].at(static_cast<std::size_t>(edge)) = true;
}

void Architecture::restore(CellType type, int edge) {
  removed_[static_cast<std::size_t>(type)].at(static_cast<std::size_t>(edge)) = false;
}

void Architecture::reopen(CellType type, int edge) {
  restore(type, edge);
  decided_[static_cast<std::size_t>(type)].at(static_cast<std::size_t>(edge)) = -1;
}

EdgeWeights Architecture::edge_weights(CellType type, bool with_gradient,
                                       const std::vector<Mask>& masks) const {
  const auto t = static_cast<std::size_t>(type);
  const torch::Tensor alpha = with_gradient ? alpha_[t] : alpha_[t].detach();
  torch::Tensor values = torch::softmax(alpha + padding_[t], 1);
  // Rows that are decided or removed are constants; masked entries are zero: values * factor + constant.
  torch::Tensor factor = torch::ones_like(padding_[t], torch::kCPU), constant = torch::zeros_like(factor);
  bool changed = false;
  for (int e = 0; e < space_.edge_count(); ++e) {
    const auto edge = static_cast<std::size_t>(e);
    if (decided_[t][edge] < 0 && !removed_[t][edge]) continue;
    changed = true;
    factor[e].zero_();
    if (!removed_[t][edge]) constant[e][decided_[t][edge]].fill_(1);
  }
  for (const Mask& mask : masks) {
    if (mask.type != type) continue;
    changed = true;
    torch::Tensor factors = mask.operation ? factor[mask.edge][*mask.operation] : factor[mask.edge];
    torch::Tensor constants = mask.operation ? constant[mask.edge][*mask.operation] : constant[mask.edge];
    factors.zero_();
    constants.zero_();
  }
  if (changed) values = values * factor.to(values.device()) + constant.to(values.device());
  return edge_weights_of(space_, type, values);
}

ArchitectureWeights Architecture::weights(bool with_gradient, const std::vector<Mask>& masks) const {
  ArchitectureWeights result;
  for (const CellType type : space_.cell_types())
    result.cells[static_cast<int>(type)] = edge_weights(type, with_gradient, masks);
  return result;
}

WeightMatrix Architecture::softmax(CellType type) const {
  const auto t = static_cast<std::size_t>(type);
  if (!alpha_[t].defined()) return {};
  return to_host(torch::softmax(alpha_[t].detach() + padding_[t], 1), space_, type);
}

WeightMatrix Architecture::host_weights(CellType type) const {
  if (!alpha(type).defined()) return {};
  return edge_weights(type, false, {}).host;
}

}  // namespace ptnas
