#include "ptnas/search/perturbed_weights.h"

#include <algorithm>

namespace ptnas {

namespace {

// [edges, most candidates], zeros where an edge has fewer.
torch::Tensor padded(const Architecture& architecture, CellType type, const WeightMatrix& rows) {
  const torch::Tensor& alpha = architecture.alpha(type);
  torch::Tensor values = torch::zeros(alpha.sizes(), torch::kFloat);
  for (std::size_t e = 0; e < rows.size(); ++e) {
    float* row = values.data_ptr<float>() + static_cast<std::ptrdiff_t>(e) * values.size(1);
    std::transform(rows[e].begin(), rows[e].end(), row, [](double w) { return static_cast<float>(w); });
  }
  return values.to(alpha.device());
}

}  // namespace

double sdarts_epsilon(const SearchOptions& options, std::int64_t epoch) {
  const double share = std::min(1.0, static_cast<double>(epoch) / static_cast<double>(options.epochs));
  return options.sdarts_epsilon_start + (options.sdarts_epsilon - options.sdarts_epsilon_start) * share;
}

void restore_row(std::vector<double>& row) {
  const auto largest = std::max_element(row.begin(), row.end()) - row.begin();
  double sum = 0;
  for (double& weight : row) {
    weight = std::clamp(weight, 0.0, 1.0);
    sum += weight;
  }
  if (sum == 0) {
    row[static_cast<std::size_t>(largest)] = 1;
    return;
  }
  for (double& weight : row) weight /= sum;
}

HostWeights host_weights(const Architecture& architecture) {
  return {architecture.host_weights(CellType::kNormal), architecture.host_weights(CellType::kReduction)};
}

HostWeights randomly_perturbed(const Architecture& architecture, double epsilon, std::uint64_t seed,
                               std::int64_t step) {
  HostWeights weights = host_weights(architecture);
  for (const CellType type : architecture.space().cell_types()) {
    const auto t = static_cast<std::size_t>(type);
    RandomStream stream(seed, Purpose::kSearchNoise, 2 * static_cast<std::uint64_t>(step) + t);
    for (std::size_t e = 0; e < weights[t].size(); ++e) {
      if (!architecture.open(type, static_cast<int>(e))) continue;
      for (double& weight : weights[t][e]) weight += stream.uniform(-epsilon, epsilon);
      restore_row(weights[t][e]);
    }
  }
  return weights;
}

ArchitectureWeights to_weights(const Architecture& architecture, const HostWeights& weights,
                               bool with_gradient) {
  torch::Tensor values[2];
  for (const CellType type : architecture.space().cell_types()) {
    const auto t = static_cast<std::size_t>(type);
    values[t] = padded(architecture, type, weights[t]).set_requires_grad(with_gradient);
  }
  return weights_of(architecture.space(), values[0], values[1]);
}

}  // namespace ptnas
