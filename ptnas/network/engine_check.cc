#include "ptnas/network/engine_check.h"

#include <fmt/format.h>
#include <torch/autograd.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/utils.h>

#include <algorithm>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

// Sums of some hundred terms in another order, normalised: far above rounding, far below any error.
constexpr double kMost = 1e-4;
constexpr std::size_t kInputs = 3;  // older, newer, mixing weights; parameters follow

EngineDifferences differences;

double relative(const torch::Tensor& fused, const torch::Tensor& plain) {
  const double norm = plain.norm().item<double>();
  const double apart = (fused - plain).norm().item<double>();
  return norm > 0 ? apart / norm : apart;
}

void record(EngineDifferences::Largest& largest, double value, int cell) {
  if (largest.cell < 0 || !(value <= largest.value)) largest = {value, cell};
}

void require_close(double value, const char* what, int cell) {
  if (!(value <= kMost)) {
    fail(
        "the engines disagree on {} of cell {}: relative difference {:.2g}, at most {:.0g} was expected; "
        "please "
        "report this, and use --engine plain",
        what, cell, value, kMost);
  }
}

class Statistics {
 public:
  explicit Statistics(const CheckedCell& cell) : cell_(cell) {
    for (const auto& norm : cell.norms) {
      for (const torch::Tensor& buffer : norm->buffers()) values_.push_back(buffer.clone());
    }
  }
  void restore() const {
    std::size_t i = 0;
    for (const auto& norm : cell_.norms) {
      // Past autograd's version counter: a norm in training does not need them on its way back.
      for (const torch::Tensor& buffer : norm->buffers()) buffer.variable_data().copy_(values_[i++]);
    }
  }
  double apart() const {
    double most = 0;
    std::size_t i = 0;
    for (const auto& norm : cell_.norms) {
      // A mean may be 0 but for rounding (a pool over all of an image): what counts is its share of the
      // deviation.
      const double deviation = norm->running_var().to(torch::kDouble).sqrt().norm().item<double>();
      for (const torch::Tensor& buffer : norm->buffers()) {
        const torch::Tensor other = values_[i++].to(torch::kDouble);
        const double size = std::max(other.norm().item<double>(), deviation);
        most = std::max(most, (buffer.to(torch::kDouble) - other).norm().item<double>() / size);
      }
    }
    return most;
  }

 private:
  const CheckedCell& cell_;
  std::vector<torch::Tensor> values_;
};

// Both engines' outputs on leaves of their own, so that each can be differentiated by itself.
struct Passes {
  int cell;
  torch::autograd::variable_list leaves[2];
  torch::Tensor outputs[2];  // fused, plain
};

torch::autograd::variable_list leaves_of(const torch::autograd::variable_list& inputs) {
  torch::autograd::variable_list leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool own = i < kInputs && inputs[i].defined();
    // NCHW, of no matter to the fused engine: libtorch 2.6's ways back in channels-last are wrong in small
    // images.
    leaves.push_back(own ? inputs[i].detach().contiguous().requires_grad_(inputs[i].requires_grad())
                         : inputs[i]);
  }
  return leaves;
}

std::shared_ptr<Passes> run_both(const CheckedCell& cell, const torch::autograd::variable_list& inputs) {
  auto passes = std::make_shared<Passes>();
  passes->cell = cell.index;
  const Statistics before(cell);
  passes->leaves[1] = leaves_of(inputs);
  const auto& of_plain = passes->leaves[1];
  passes->outputs[1] = cell.plain(of_plain[0], of_plain[1], of_plain[2]);
  const torch::NoGradGuard no_grad;
  const Statistics after(cell);
  before.restore();
  passes->leaves[0] = leaves_of(inputs);
  const auto& of_fused = passes->leaves[0];
  {
    const torch::AutoGradMode as_before(passes->outputs[1].requires_grad());
    passes->outputs[0] = cell.fused(of_fused[0], of_fused[1], of_fused[2]);
  }
  const double output = relative(passes->outputs[0].detach(), passes->outputs[1].detach());
  ++differences.passes;
  record(differences.output, output, cell.index);
  record(differences.statistics, after.apart(), cell.index);
  require_close(output, "the output", cell.index);
  require_close(differences.statistics.value, "running statistics", differences.statistics.cell);
  return passes;
}

torch::autograd::variable_list gradients_of(const Passes& passes, int engine, const torch::Tensor& g) {
  torch::autograd::variable_list wanted;
  for (const torch::Tensor& leaf : passes.leaves[engine]) {
    if (leaf.defined() && leaf.requires_grad()) wanted.push_back(leaf);
  }
  return torch::autograd::grad({passes.outputs[engine]}, wanted, {g}, /*retain_graph=*/false,
                               /*create_graph=*/false, /*allow_unused=*/true);
}

// The way back of a checked cell.
struct CheckNode final : torch::autograd::Node {
  std::shared_ptr<Passes> passes;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    const std::shared_ptr<Passes> once = std::move(passes);
    const torch::AutoGradMode with_grad(true);
    torch::autograd::variable_list fused = gradients_of(*once, 0, gradients[0]);
    const torch::autograd::variable_list plain = gradients_of(*once, 1, gradients[0]);
    torch::autograd::variable_list result(once->leaves[0].size());
    for (std::size_t i = 0, at = 0; i < result.size(); ++i) {
      const torch::Tensor& leaf = once->leaves[0][i];
      if (!leaf.defined() || !leaf.requires_grad()) continue;
      result[i] = fused[at];
      compare(i, fused[at], plain[at], once->cell);
      ++at;
    }
    return result;
  }
  void release_variables() override { passes.reset(); }

  static void compare(std::size_t input, const torch::Tensor& fused, const torch::Tensor& plain, int cell) {
    if (!fused.defined() && !plain.defined()) return;
    // One engine gives nothing where the other gives zeros.
    const double apart = fused.defined() && plain.defined()
                             ? relative(fused, plain)
                             : (fused.defined() ? fused : plain).norm().item<double>();
    auto& largest = input < 2    ? differences.input_gradient
                    : input == 2 ? differences.alpha_gradient
                                 : differences.weight_gradient;
    record(largest, apart, cell);
  }
};

}  // namespace

EngineDifferences engine_differences() { return differences; }
void reset_engine_differences() { differences = {}; }

std::string describe(const EngineDifferences& d) {
  const auto part = [](const char* what, const EngineDifferences::Largest& largest) {
    return largest.cell < 0 ? std::string()
                            : fmt::format(", {} {:.1e} (cell {})", what, largest.value, largest.cell);
  };
  return fmt::format(
      "engine check: {} passes through cells; largest relative differences: {}", d.passes,
      (part("output", d.output) + part("running statistics", d.statistics) +
       part("gradient of inputs", d.input_gradient) + part("gradient of weights", d.weight_gradient) +
       part("gradient of alpha", d.alpha_gradient))
          .erase(0, 2));
}

std::vector<std::shared_ptr<BatchNorm>> batch_norms(const torch::nn::Module& module) {
  std::vector<std::shared_ptr<BatchNorm>> norms;
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto norm = std::dynamic_pointer_cast<BatchNorm>(child)) norms.push_back(std::move(norm));
  }
  return norms;
}

torch::Tensor check_cell(const CheckedCell& cell, const torch::Tensor& older, const torch::Tensor& newer,
                         const torch::Tensor& values) {
  torch::autograd::variable_list inputs = {older, newer, values};
  inputs.insert(inputs.end(), cell.parameters.begin(), cell.parameters.end());
  const std::shared_ptr<Passes> passes = run_both(cell, inputs);
  torch::Tensor output = passes->outputs[0].detach();
  if (!passes->outputs[0].requires_grad()) return output;
  auto node = std::shared_ptr<CheckNode>(new CheckNode, torch::autograd::deleteNode);
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  node->passes = passes;
  torch::autograd::set_history(output, node);
  return output;
}

}  // namespace ptnas
