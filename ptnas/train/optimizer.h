#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ptnas/io/state.h"

namespace ptnas {

/// Stochastic gradient descent with momentum and L2 decay, as PyTorch has it: g = gradient + decay * weight;
/// buffer = momentum * buffer + g; weight -= rate * buffer, or with Nesterov's momentum weight -= rate * (g +
/// momentum * buffer). A parameter without a gradient is left alone. Its
/// state is its buffers, in the order of the parameters.
class Sgd {
 public:
  Sgd(std::vector<torch::Tensor> parameters, double momentum, double decay, bool nesterov = false);
  void zero_gradients();
  /// Scales all gradients so that their global L2 norm is at most `clip` (0: no clipping), then steps. The
  /// decay is added after clipping. Returns the norm before it.
  double step(double rate, double clip);
  /// Where a step by `gradients` (one a parameter, undefined: it stays) without clipping would take the
  /// parameters: w - rate (momentum buffer + gradient + decay w), without the buffer's term unless
  /// `with_momentum`. Changes nothing. DARTS' inner step (FACTS, Second order).
  std::vector<torch::Tensor> unrolled(const std::vector<torch::Tensor>& gradients, double rate,
                                      bool with_momentum) const;
  void take(State& state, const std::string& prefix) const { take_tensors(state, prefix, buffers_); }
  void put(const State& state, const std::string& prefix) { put_tensors(state, prefix, buffers_); }

 private:
  std::vector<torch::Tensor> parameters_, buffers_;
  double momentum_, decay_;
  bool nesterov_;
};

/// Adam with L2 decay added to the gradient (Kingma and Ba, 2015; as PyTorch has it), betas 0.5 and 0.999,
/// epsilon 1e-8: DARTS' for alpha.
class Adam {
 public:
  Adam(std::vector<torch::Tensor> parameters, double rate, double decay);
  void zero_gradients();
  void step();
  void take(State& state, const std::string& prefix) const;
  void put(const State& state, const std::string& prefix);

 private:
  std::vector<torch::Tensor> parameters_, first_, second_;
  double rate_, decay_;
  std::int64_t steps_ = 0;
};

/// Cosine from `start` to `end`: the rate of `epoch` of `epochs` (Loshchilov and Hutter, 2017, eq. 5, without
/// restarts).
double cosine_rate(double start, double end, std::int64_t epoch, std::int64_t epochs);

/// The rate of `epoch` where each epoch's is the one before times `decay`.
double exponential_rate(double start, double decay, std::int64_t epoch);

/// Throws Error when `value`, a loss or the norm that step() returned, is not finite: says where it happened
/// and what to try.
void check_finite(double value, const std::string& stage, std::int64_t epoch, std::int64_t step, double rate,
                  const char* what = "loss");

}  // namespace ptnas
