#include "ptnas/train/optimizer.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

std::vector<torch::Tensor> zeros_like_all(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> result;
  for (const torch::Tensor& tensor : tensors) result.push_back(torch::zeros_like(tensor.detach()));
  return result;
}

void zero_all(std::vector<torch::Tensor>& parameters) {
  for (torch::Tensor& parameter : parameters) parameter.mutable_grad() = torch::Tensor();
}

// In double precision and one fixed order on the CPU, so that its bits do not depend on the number of
// threads.
double squared_norm(const torch::Tensor& tensor) {
  if (!tensor.is_cpu() || tensor.scalar_type() != torch::kFloat || !tensor.is_non_overlapping_and_dense()) {
    return std::pow(tensor.norm().item<double>(), 2);
  }
  const float* data = tensor.data_ptr<float>();
  double sums[4] = {};
  const std::int64_t count = tensor.numel();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<double>(data[i]);
    sums[i % 4] += value * value;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

Sgd::Sgd(std::vector<torch::Tensor> parameters, double momentum, double decay, bool nesterov)
    : parameters_(std::move(parameters)),
      buffers_(zeros_like_all(parameters_)),
      momentum_(momentum),
      decay_(decay),
      nesterov_(nesterov) {}

void Sgd::zero_gradients() { zero_all(parameters_); }

double Sgd::step(double rate, double clip) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> weights, gradients, buffers;
  double squares = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const torch::Tensor& gradient = parameters_[i].grad();
    if (!gradient.defined()) continue;
    weights.push_back(parameters_[i]);
    gradients.push_back(gradient);
    buffers.push_back(buffers_[i]);
    squares += squared_norm(gradient);
  }
  if (weights.empty()) return 0;
  const double norm = std::sqrt(squares);
  constexpr double kEpsilon = 1e-6;  // PyTorch's clip_grad_norm_
  const double scale = clip > 0 ? std::min(1.0, clip / (norm + kEpsilon)) : 1.0;
  if (scale < 1) at::_foreach_mul_(gradients, scale);
  at::_foreach_add_(gradients, weights, decay_);
  at::_foreach_mul_(buffers, momentum_);
  at::_foreach_add_(buffers, gradients, 1.0);
  if (nesterov_) {
    at::_foreach_add_(gradients, buffers, momentum_);
    at::_foreach_add_(weights, gradients, -rate);
  } else {
    at::_foreach_add_(weights, buffers, -rate);
  }
  return norm;
}

std::vector<torch::Tensor> Sgd::unrolled(const std::vector<torch::Tensor>& gradients, double rate,
                                         bool with_momentum) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> result;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const torch::Tensor weight = parameters_[i].detach();
    if (!gradients.at(i).defined()) {
      result.push_back(weight.clone());
      continue;
    }
    torch::Tensor direction = gradients[i] + decay_ * weight;
    if (with_momentum) direction = direction + momentum_ * buffers_[i];
    result.push_back(weight - rate * direction);
  }
  return result;
}

Adam::Adam(std::vector<torch::Tensor> parameters, double rate, double decay)
    : parameters_(std::move(parameters)),
      first_(zeros_like_all(parameters_)),
      second_(zeros_like_all(parameters_)),
      rate_(rate),
      decay_(decay) {}

void Adam::zero_gradients() { zero_all(parameters_); }

void Adam::step() {
  constexpr double kBeta1 = 0.5, kBeta2 = 0.999, kEpsilon = 1e-8;
  const torch::NoGradGuard no_grad;
  ++steps_;
  const double correction1 = 1 - std::pow(kBeta1, static_cast<double>(steps_));
  const double correction2 = std::sqrt(1 - std::pow(kBeta2, static_cast<double>(steps_)));
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) continue;
    const torch::Tensor gradient = parameters_[i].grad().add(parameters_[i], decay_);
    first_[i].mul_(kBeta1).add_(gradient, 1 - kBeta1);
    second_[i].mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
    parameters_[i].addcdiv_(first_[i], second_[i].sqrt().div_(correction2).add_(kEpsilon),
                            -rate_ / correction1);
  }
}

void Adam::take(State& state, const std::string& prefix) const {
  take_tensors(state, prefix + "first.", first_);
  take_tensors(state, prefix + "second.", second_);
  state.values[prefix + "steps"] = steps_;
}

void Adam::put(const State& state, const std::string& prefix) {
  put_tensors(state, prefix + "first.", first_);
  put_tensors(state, prefix + "second.", second_);
  steps_ = state.values.at(prefix + "steps").get<std::int64_t>();
}

double cosine_rate(double start, double end, std::int64_t epoch, std::int64_t epochs) {
  return end +
         (start - end) *
             (1 + std::cos(std::numbers::pi * static_cast<double>(epoch) / static_cast<double>(epochs))) / 2;
}

double exponential_rate(double start, double decay, std::int64_t epoch) {
  return start * std::pow(decay, static_cast<double>(epoch));
}

void check_finite(double value, const std::string& stage, std::int64_t epoch, std::int64_t step, double rate,
                  const char* what) {
  if (std::isfinite(value)) return;
  fail(
      "the {} is {} in step {} of epoch {} of {} at learning rate {}; try a smaller learning rate or a "
      "smaller --clip",
      what, value, step, epoch, stage, rate);
}

}  // namespace ptnas
