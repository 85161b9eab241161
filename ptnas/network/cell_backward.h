// The way back through a cell: internal to the fused engine.
#pragma once

#include <torch/autograd.h>
#include <torch/types.h>

#include <memory>

#include "ptnas/network/cell_engine.h"
#include "ptnas/network/cell_record.h"

namespace ptnas {

/// Whether anything that goes into the pass wants a gradient.
bool wants_gradient(const std::vector<torch::Tensor>& parameters, const torch::Tensor& older,
                    const torch::Tensor& newer, const CellPass& pass);

/// Makes `output` the result of one autograd node over the cell's inputs, weights and parameters.
void attach_backward(torch::Tensor& output, std::shared_ptr<CellRecord> record,
                     const std::vector<torch::Tensor>& parameters, const torch::Tensor& older,
                     const torch::Tensor& newer, const CellPass& pass);

/// The gradients of the node's inputs, undefined where nobody wants them: the older and the newer input, the
/// weights' values, the parameters in the engine's order. Takes what it no longer needs out of the record.
torch::autograd::variable_list back_through_cell(CellRecord& record, const torch::autograd::Node& node,
                                                 const torch::Tensor& output_gradient);

}  // namespace ptnas
