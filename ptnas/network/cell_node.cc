#include <torch/autograd.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/utils.h>

#include <algorithm>

#include "ptnas/network/cell_backward.h"

namespace ptnas {

/// The autograd node of one pass.
struct CellNode final : torch::autograd::Node {
  std::shared_ptr<CellRecord> record;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    TORCH_CHECK(record != nullptr,
                "a cell was asked for its gradients a second time; run the forward pass again");
    if (!gradients[0].defined()) return torch::autograd::variable_list(num_outputs());
    const torch::NoGradGuard no_grad;
    const std::shared_ptr<CellRecord> once = std::move(record);
    return back_through_cell(*once, *this, gradients[0]);
  }
  void release_variables() override { record.reset(); }
};

bool wants_gradient(const std::vector<torch::Tensor>& parameters, const torch::Tensor& older,
                    const torch::Tensor& newer, const CellPass& pass) {
  if (!torch::GradMode::is_enabled()) return false;
  const auto requires_grad = [](const torch::Tensor& t) { return t.defined() && t.requires_grad(); };
  return requires_grad(older) || requires_grad(newer) || requires_grad(pass.values) ||
         std::any_of(parameters.begin(), parameters.end(), requires_grad);
}

void attach_backward(torch::Tensor& output, std::shared_ptr<CellRecord> record,
                     const std::vector<torch::Tensor>& parameters, const torch::Tensor& older,
                     const torch::Tensor& newer, const CellPass& pass) {
  auto node = std::shared_ptr<CellNode>(new CellNode, torch::autograd::deleteNode);
  torch::autograd::variable_list inputs = {older, newer, pass.values};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  node->record = std::move(record);
  torch::autograd::set_history(output, node);
}

}  // namespace ptnas
