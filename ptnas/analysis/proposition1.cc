#include "ptnas/analysis/proposition1.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ptnas/analysis/statistics.h"
#include "ptnas/analysis/supernet_walk.h"
#include "ptnas/core/error.h"

namespace ptnas {

namespace {

constexpr OptimalMap kEstimates[] = {OptimalMap::kNode, OptimalMap::kMeanOfEdges};

double mean_product(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a - a.mean()) * (b - b.mean())).mean(torch::kDouble).item<double>();
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

int skip_of(const std::vector<OperationKind>& candidates) {
  for (std::size_t o = 0; o < candidates.size(); ++o) {
    if (candidates[o] == OperationKind::kSkipConnect) return static_cast<int>(o);
  }
  return -1;
}

// What a cell's edges are compared by.
class CellMeasures {
 public:
  CellMeasures(const Supernet& network, int cell, const EdgeWeights& weights, const CellRecord& record)
      : space_(network.space()),
        type_(network.cell_type(cell)),
        cell_(cell),
        weights_(weights),
        record_(record) {}

  void add_to(Json& rows) const {
    for (int edge = 0; edge < space_.edge_count(); ++edge) {
      const int skip = skip_of(space_.of(type_)[static_cast<std::size_t>(edge)]);
      if (skip < 0 || record_.operations[static_cast<std::size_t>(edge)].size() < 2) continue;
      for (const OptimalMap estimate : kEstimates) rows.push_back(measure(edge, skip, estimate));
    }
  }

 private:
  Json measure(int edge, int skip, OptimalMap estimate) const {
    const auto e = static_cast<std::size_t>(edge);
    const torch::Tensor x = normalised_by_channel(record_.operations[e][static_cast<std::size_t>(skip)]),
                        o = normalised_by_channel(grouped(edge, skip)),
                        m = normalised_by_channel(optimal(edge, estimate));
    const EdgeVariances variances = variances_of(x, o, m);
    Json row = Json::object();
    row["estimate"] = name_of(estimate);
    row["cell"] = cell_;
    row["type"] = std::string(name_of(type_));
    row["edge"] = edge;
    row["var_skip"] = variances.skip;
    row["var_other"] = variances.other;
    row["covariance"] = variances.covariance;
    row["closed"] = number_or_null(variances.optimal_skip_weight());
    row["numerical"] = numerical_skip_weight(x, o, m);
    row["optimal_gap"] = number_or_null(variances.optimal_gap());
    row["learned"] = weights_.host[e][static_cast<std::size_t>(skip)];
    return row;
  }

  // Footnote 1: all other operations as one, by their weights among themselves.
  torch::Tensor grouped(int edge, int skip) const {
    const auto e = static_cast<std::size_t>(edge);
    torch::Tensor sum;
    for (std::size_t i = 0; i < record_.operations[e].size(); ++i) {
      if (static_cast<int>(i) == skip) continue;
      const torch::Tensor part = weights_.host[e][i] * record_.operations[e][i];
      sum = sum.defined() ? sum + part : part;
    }
    return sum;
  }

  torch::Tensor optimal(int edge, OptimalMap estimate) const {
    const auto node = static_cast<std::size_t>(space_.edge(edge).node);
    if (estimate == OptimalMap::kNode) return record_.nodes[node];
    torch::Tensor sum;
    for (const torch::Tensor& one : record_.edges) {
      const torch::Tensor scaled = normalised_by_channel(one);
      sum = sum.defined() ? sum + scaled : scaled;
    }
    return sum;  // the mean but for its scale, which is normalised away
  }

  const SearchSpace& space_;
  CellType type_;
  int cell_;
  const EdgeWeights& weights_;
  const CellRecord& record_;
};

Json summary_of(const Json& rows, OptimalMap estimate) {
  std::vector<double> closed, learned;
  double skip = 0, other = 0, difference = 0;
  std::size_t edges = 0, nearer = 0, prefers = 0, chose = 0, agree = 0;
  for (const Json& row : rows) {
    if (row["estimate"].get<std::string>() != name_of(estimate) || row["closed"].is_null()) continue;
    const auto optimum = row["closed"].get<double>(), weight = row["learned"].get<double>();
    ++edges;
    closed.push_back(optimum);
    learned.push_back(weight);
    skip += row["var_skip"].get<double>();
    other += row["var_other"].get<double>();
    nearer += row["var_skip"].get<double>() < row["var_other"].get<double>();
    prefers += optimum > 0.5;
    chose += weight > 0.5;
    agree += (optimum > 0.5) == (weight > 0.5);
    difference =
        std::max(difference, std::abs(std::clamp(optimum, -2.0, 3.0) - row["numerical"].get<double>()));
  }
  const auto share = [&](std::size_t count) {
    return number_or_null(static_cast<double>(count) / static_cast<double>(edges));
  };
  Json summary = Json::object();
  summary["estimate"] = name_of(estimate);
  summary["edges"] = edges;
  summary["mean_var_skip"] = number_or_null(skip / static_cast<double>(edges));
  summary["mean_var_other"] = number_or_null(other / static_cast<double>(edges));
  summary["share_skip_nearer"] = share(nearer);
  summary["share_closed_prefers_skip"] = share(prefers);
  summary["share_learned_prefers_skip"] = share(chose);
  summary["agreement"] = share(agree);
  summary["rank_correlation"] = number_or_null(rank_correlation(closed, learned));
  summary["largest_difference"] = difference;
  return summary;
}

// The plain engine, which alone can be looked into, with the trainer's weights and statistics.
std::shared_ptr<Supernet> plain_copy(SupernetTrainer& trainer) {
  SupernetShape shape = trainer.network().shape();
  shape.engine = Engine::kPlain;
  auto copy = std::make_shared<Supernet>(trainer.network().space(), shape);
  State state;
  take_module(state, "", trainer.network());
  put_module(state, "", *copy);
  copy->to(trainer.device());
  copy->train();
  return copy;
}

}  // namespace

double EdgeVariances::optimal_skip_weight() const {
  const double z = (other - covariance) + (skip - covariance);
  return z == 0 ? std::numeric_limits<double>::quiet_NaN() : (other - covariance) / z;
}

double EdgeVariances::optimal_gap() const {
  const double of_skip = other - covariance, of_other = skip - covariance;
  if (of_skip <= 0 || of_other <= 0) return std::numeric_limits<double>::quiet_NaN();
  return std::log(of_skip) - std::log(of_other);
}

std::string name_of(OptimalMap estimate) { return estimate == OptimalMap::kNode ? "node" : "mean of edges"; }

torch::Tensor normalised_by_channel(const torch::Tensor& map) {
  const torch::Tensor centred = map - map.mean({0, 2, 3}, true);
  const torch::Tensor variance = centred.square().mean({0, 2, 3}, true);
  return torch::where(variance > 0, centred / variance.sqrt(), torch::zeros_like(centred));
}

EdgeVariances variances_of(const torch::Tensor& skip, const torch::Tensor& other,
                           const torch::Tensor& optimal) {
  const torch::Tensor x = skip - optimal, o = other - optimal;
  return {mean_product(x, x), mean_product(o, o), mean_product(o, x)};
}

// Golden-section search: the variance is a parabola in the weight.
double numerical_skip_weight(const torch::Tensor& skip, const torch::Tensor& other,
                             const torch::Tensor& optimal) {
  const auto variance = [&](double weight) {
    const torch::Tensor error = (1 - weight) * other + weight * skip - optimal;
    return mean_product(error, error);
  };
  constexpr double kShrink = 0.61803398874989485;
  double low = -2, high = 3, a = high - kShrink * (high - low), b = low + kShrink * (high - low);
  double at_a = variance(a), at_b = variance(b);
  while (high - low > 1e-4) {
    if (at_a < at_b) {
      high = b;
      b = a;
      at_b = at_a;
      a = high - kShrink * (high - low);
      at_a = variance(a);
    } else {
      low = a;
      a = b;
      at_a = at_b;
      b = low + kShrink * (high - low);
      at_b = variance(b);
    }
  }
  return (low + high) / 2;
}

Json measure_proposition1(SupernetTrainer& trainer, const Proposition1Options& options) {
  const torch::NoGradGuard no_grad;
  const auto copy = plain_copy(trainer);
  SupernetWalk walk(*copy);
  const ArchitectureWeights weights = trainer.architecture().weights(/*with_gradient=*/false);
  std::vector<std::int64_t> indices = trainer.halves().validation;
  indices.resize(static_cast<std::size_t>(
      std::clamp<std::int64_t>(options.images, 2, static_cast<std::int64_t>(indices.size()))));
  const Batch batch =
      make_batch(trainer.dataset(), {Part::kTrain, indices, {}, 0, 0}, torch::MemoryFormat::Contiguous);
  const auto of_cell = [&](int cell) -> const EdgeWeights& { return weights.of(copy->cell_type(cell)); };
  Json result = Json::object();
  result["images"] = indices.size();
  result["edges"] = Json::array();
  walk.record(batch.images.to(trainer.device()), of_cell,
              {trainer.seed(), evaluation_step(trainer.steps(), 0)}, [&](int cell, const CellRecord& record) {
                CellMeasures(*copy, cell, of_cell(cell), record).add_to(result["edges"]);
              });
  if (result["edges"].empty()) {
    fail_usage("expected edges with skip_connect and another operation, space {} has none; give S2 or darts",
               copy->space().name);
  }
  for (const OptimalMap estimate : kEstimates)
    result["summary"].push_back(summary_of(result["edges"], estimate));
  return result;
}

}  // namespace ptnas
