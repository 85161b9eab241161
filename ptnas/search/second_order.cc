#include "ptnas/search/second_order.h"

#include <algorithm>
#include <cmath>

namespace ptnas {

namespace {

using Tensors = std::vector<torch::Tensor>;

// Weights that are moved for a while and end where they were, to the bit.
class MovedWeights {
 public:
  explicit MovedWeights(const Tensors& parameters) : parameters_(parameters) {
    for (const torch::Tensor& parameter : parameters_) saved_.push_back(parameter.detach().clone());
  }
  ~MovedWeights() { move_to(saved_); }
  MovedWeights(const MovedWeights&) = delete;
  MovedWeights& operator=(const MovedWeights&) = delete;

  void move_to(const Tensors& values) {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].copy_(values[i]);
  }
  // From where they were; an undefined direction is zero.
  void move_along(const Tensors& direction, double distance) {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      parameters_[i].copy_(direction[i].defined() ? saved_[i] + distance * direction[i] : saved_[i]);
    }
  }

 private:
  Tensors parameters_, saved_;
};

Tensors gradients_of(const torch::Tensor& loss, const Tensors& inputs) {
  return torch::autograd::grad({loss}, inputs, {}, /*retain_graph=*/false, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

double norm_of(const Tensors& tensors) {
  double squares = 0;
  for (const torch::Tensor& tensor : tensors) {
    if (tensor.defined()) squares += std::pow(tensor.norm().item<double>(), 2);
  }
  return std::sqrt(squares);
}

class SecondOrder {
 public:
  SecondOrder(SupernetTrainer& trainer, const Batch& train, const Batch& validation)
      : trainer_(trainer), train_(train), validation_(validation), alpha_(trainer.architecture().alphas()) {}

  AlphaGradient run(double moved) {
    trainer_.network().train();
    const Tensors inner = inner_gradient();
    MovedWeights weights(trainer_.parameters());
    weights.move_to(trainer_.sgd().unrolled(inner, trainer_.rate(), trainer_.options().inner_momentum));
    Tensors outer = outer_gradients();
    const auto alphas = static_cast<std::ptrdiff_t>(alpha_.size());
    const Tensors v(outer.begin() + alphas, outer.end());
    const double norm = norm_of(v);
    AlphaGradient gradient;
    std::copy_n(outer.begin(), alphas, gradient.of);
    if (norm == 0) return gradient;
    const double distance = moved / norm;
    weights.move_along(v, distance);
    const Tensors ahead = alpha_gradients();
    weights.move_along(v, -distance);
    const Tensors behind = alpha_gradients();
    for (std::size_t t = 0; t < alpha_.size(); ++t) {
      if (ahead[t].defined() && behind[t].defined() && gradient.of[t].defined())
        gradient.of[t] = gradient.of[t] - trainer_.rate() / (2 * distance) * (ahead[t] - behind[t]);
    }
    return gradient;
  }

 private:
  ArchitectureWeights weights(bool with_gradient) { return trainer_.architecture().weights(with_gradient); }

  // Of the training loss by the weights.
  Tensors inner_gradient() {
    const torch::Tensor loss = trainer_.loss(train_, weights(false), Half::kTraining);
    trainer_.require_finite(loss, Half::kTraining);
    return gradients_of(loss, trainer_.parameters());
  }
  // Of the validation loss by alpha, then by the weights.
  Tensors outer_gradients() {
    const FrozenStatistics frozen(trainer_.network());
    const torch::Tensor loss = trainer_.loss(validation_, weights(true), Half::kValidation);
    trainer_.require_finite(loss, Half::kValidation);
    Tensors inputs = alpha_;
    inputs.insert(inputs.end(), trainer_.parameters().begin(), trainer_.parameters().end());
    return gradients_of(loss, inputs);
  }
  // Of the training loss by alpha.
  Tensors alpha_gradients() {
    const FixedWeights fixed(trainer_.parameters());
    const torch::Tensor loss = trainer_.loss(train_, weights(true), Half::kTraining);
    trainer_.require_finite(loss, Half::kTraining);
    return gradients_of(loss, alpha_);
  }

  SupernetTrainer& trainer_;
  const Batch &train_, &validation_;
  Tensors alpha_;  // of every searched cell type
};

}  // namespace

AlphaGradient second_order_gradient(SupernetTrainer& trainer, const Batch& train, const Batch& validation,
                                    double distance) {
  return SecondOrder(trainer, train, validation).run(distance);
}

}  // namespace ptnas
