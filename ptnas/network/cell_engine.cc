#include "ptnas/network/cell_engine.h"

#include "ptnas/core/error.h"
#include "ptnas/network/cell_record.h"

namespace ptnas {

ThreadScratch& thread_scratch() {
  static thread_local ThreadScratch scratch;
  return scratch;
}

CellEngine::CellEngine(CellGraph graph)
    : graph_(std::move(graph)), stride_(static_cast<std::size_t>(graph_.states()), 1) {
  for (const OperationParts& parts : graph_.inputs) inputs_.push_back(add_single_unit(parts));
  for (const CellGraph::Edge& edge : graph_.edges) {
    stride_[static_cast<std::size_t>(edge.from)] = edge.stride;
    operations_.emplace_back();
    for (const OperationParts& parts : edge.operations) operations_.back().push_back(add_operation(parts));
  }
}

int CellEngine::add_parameter(const torch::Tensor& tensor) {
  if (!tensor.defined()) return -1;
  parameters_.push_back(tensor);
  return static_cast<int>(parameters_.size()) - 1;
}

int CellEngine::add_unit(Unit unit) {
  unit.gamma = add_parameter(unit.norm->weight());
  unit.beta = add_parameter(unit.norm->bias());
  units_.push_back(std::move(unit));
  return static_cast<int>(units_.size()) - 1;
}

int CellEngine::add_single_unit(const OperationParts& parts) {
  Unit unit;
  unit.kind = parts.kind == OperationParts::Kind::kDense ? Unit::Kind::kDense : Unit::Kind::kFactorizedReduce;
  unit.first = add_parameter(parts.first);
  unit.second = add_parameter(parts.second);
  unit.norm = parts.norm;
  return add_unit(std::move(unit));
}

CellEngine::Operation CellEngine::add_operation(const OperationParts& parts) {
  Operation operation{parts.kind, {}, nullptr};
  if (is_pool(parts.kind)) operation.norm = parts.norm;
  if (parts.kind == OperationParts::Kind::kDense || parts.kind == OperationParts::Kind::kFactorizedReduce)
    operation.units.push_back(add_single_unit(parts));
  for (const OperationParts::Stage& stage : parts.stages) {
    Unit unit;
    unit.kind = Unit::Kind::kSeparable;
    unit.kernel = stage.kernel;
    unit.dilation = stage.dilation;
    unit.depthwise = add_parameter(stage.depthwise);
    unit.first = add_parameter(stage.pointwise);
    unit.norm = stage.norm;
    operation.units.push_back(add_unit(std::move(unit)));
  }
  return operation;
}

kernels::Convolution CellEngine::convolution_of(const Unit& unit, int channels, int height, int width,
                                                int stride, int halo) const {
  switch (unit.kind) {
    case Unit::Kind::kSeparable:
      return kernels::separable_convolution({channels, height, width, stride, halo}, unit.kernel,
                                            unit.dilation);
    case Unit::Kind::kDense: {
      const torch::Tensor& weight = parameters_[static_cast<std::size_t>(unit.first)];
      return kernels::dense_convolution({channels, height, width, stride, halo},
                                        static_cast<int>(weight.size(0)), static_cast<int>(weight.size(2)));
    }
    case Unit::Kind::kFactorizedReduce:
      break;
  }
  std::int64_t out = parameters_[static_cast<std::size_t>(unit.first)].size(0);
  if (unit.second >= 0) out += parameters_[static_cast<std::size_t>(unit.second)].size(0);
  return kernels::factorized_reduce({channels, height, width, 2, halo}, static_cast<int>(out));
}

}  // namespace ptnas
