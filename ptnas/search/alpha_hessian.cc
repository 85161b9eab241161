#include "ptnas/search/alpha_hessian.h"

#include <torch/autograd.h>

#include <algorithm>
#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/core/random.h"

namespace ptnas {

namespace {

std::shared_ptr<Supernet> plain_twin(SupernetTrainer& trainer, torch::Dtype precision) {
  SupernetShape shape = trainer.network().shape();
  shape.engine = Engine::kPlain;
  auto twin = std::make_shared<Supernet>(trainer.network().space(), shape);
  State state;
  take_module(state, "", trainer.network());
  put_module(state, "", *twin);
  twin->to(trainer.device(), precision);
  put_in_format(*twin, trainer.format());
  for (torch::Tensor& parameter : twin->parameters()) parameter.set_requires_grad(false);
  twin->train();
  return twin;
}

// Eigenvalues of the symmetric tridiagonal matrix that are below `x` (Sturm's sequence).
std::size_t count_below(const std::vector<double>& diagonal, const std::vector<double>& beside, double x) {
  std::size_t count = 0;
  double pivot = 1;
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    const double square = i > 0 ? beside[i - 1] * beside[i - 1] : 0;
    pivot = diagonal[i] - x - square / pivot;
    if (pivot == 0) pivot = 1e-300;
    count += pivot < 0;
  }
  return count;
}

// By bisection between Gershgorin's bounds.
double largest_of_tridiagonal(const std::vector<double>& diagonal, const std::vector<double>& beside) {
  double low = diagonal[0], high = diagonal[0];
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    const double radius =
        (i > 0 ? std::abs(beside[i - 1]) : 0) + (i + 1 < diagonal.size() ? std::abs(beside[i]) : 0);
    low = std::min(low, diagonal[i] - radius);
    high = std::max(high, diagonal[i] + radius);
  }
  for (int halving = 0; halving < 100 && low < high; ++halving) {
    const double middle = low + (high - low) / 2;
    (count_below(diagonal, beside, middle) < diagonal.size() ? low : high) = middle;
  }
  return high;
}

torch::Tensor start_vector(std::int64_t n, std::uint64_t seed) {
  RandomStream stream(seed, Purpose::kCurvature);
  torch::Tensor vector = torch::empty({n}, torch::kDouble);
  double* values = vector.data_ptr<double>();
  for (std::int64_t i = 0; i < n; ++i) values[i] = stream.normal();
  return vector / vector.norm();
}

}  // namespace

AlphaHessian::AlphaHessian(SupernetTrainer& trainer, const Batch& batch, torch::Dtype precision)
    : twin_(plain_twin(trainer, precision)), alphas_(trainer.architecture().alphas()) {
  const ArchitectureWeights weights = trainer.architecture().weights(/*with_gradient=*/true);
  const auto values = [&](CellType type) {
    const torch::Tensor& own = weights.of(type).values;
    return own.defined() ? own.to(precision) : own;
  };
  const torch::Tensor logits =
      twin_->forward(batch.images.to(trainer.device(), precision),
                     weights_of(twin_->space(), values(CellType::kNormal), values(CellType::kReduction)),
                     {trainer.seed(), 2 * static_cast<std::uint64_t>(trainer.steps()) + 1});
  const torch::Tensor loss = torch::cross_entropy_loss(logits, batch.labels.to(trainer.device()));
  gradient_ = flat(torch::autograd::grad({loss}, alphas_, {}, /*retain_graph=*/true, /*create_graph=*/true,
                                         /*allow_unused=*/true));
}

torch::Tensor AlphaHessian::flat(const std::vector<torch::Tensor>& gradients) const {
  std::vector<torch::Tensor> parts;
  for (std::size_t t = 0; t < alphas_.size(); ++t)
    parts.push_back((gradients[t].defined() ? gradients[t] : torch::zeros_like(alphas_[t])).reshape({-1}));
  return torch::cat(parts);
}

torch::Tensor AlphaHessian::times(const torch::Tensor& vector) const {
  const torch::Tensor along = gradient_.dot(vector.to(gradient_.options()));
  return flat(torch::autograd::grad({along}, alphas_, {}, /*retain_graph=*/true, /*create_graph=*/false,
                                    /*allow_unused=*/true))
      .detach()
      .to(torch::kCPU, torch::kDouble);
}

double largest_eigenvalue(const std::function<torch::Tensor(const torch::Tensor&)>& times, std::int64_t n,
                          std::uint64_t seed, double tolerance) {
  constexpr double kNothingLeft = 1e-12;  // of a product's length: the subspace is invariant
  std::vector<torch::Tensor> basis = {start_vector(n, seed)};
  std::vector<double> diagonal, beside;
  double found = 0;
  for (int quiet = 0; quiet < 2;) {
    torch::Tensor product = times(basis.back());
    const double length = product.norm().item<double>();
    diagonal.push_back(product.dot(basis.back()).item<double>());
    const double before = found;
    found = largest_of_tridiagonal(diagonal, beside);
    quiet = diagonal.size() > 1 && std::abs(found - before) <= tolerance * std::abs(found) ? quiet + 1 : 0;
    if (static_cast<std::int64_t>(basis.size()) == n || !std::isfinite(length)) break;
    for (int twice = 0; twice < 2; ++twice) {
      for (const torch::Tensor& one : basis) product = product - product.dot(one) * one;
    }
    const double rest = product.norm().item<double>();
    if (rest <= kNothingLeft * length) break;
    beside.push_back(rest);
    basis.push_back(product / rest);
  }
  return found;
}

double dominant_eigenvalue(SupernetTrainer& trainer, std::int64_t epoch) {
  const auto plan_of =
      fresh_shuffles(trainer.halves().validation, trainer.options().batch, Augmentation{}, trainer.seed(),
                     Purpose::kCurvature, static_cast<std::uint64_t>(epoch) + 1);
  const AlphaHessian hessian(trainer, make_batch(trainer.dataset(), plan_of(0), trainer.format()));
  const double eigenvalue =
      largest_eigenvalue([&](const torch::Tensor& vector) { return hessian.times(vector); }, hessian.size(),
                         trainer.seed()) +
      kHessianRegularisation;
  if (!std::isfinite(eigenvalue)) {
    fail(
        "the Hessian of the validation loss by alpha is not finite after epoch {}: the supernet has "
        "diverged; "
        "lower --learning-rate",
        epoch);
  }
  return eigenvalue;
}

}  // namespace ptnas
