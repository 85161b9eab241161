#include "ptnas/export/network_graph.h"

#include <torch/utils.h>

#include <tuple>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

using Parts = OperationParts::Kind;

// Zeros of the strided shape, in a form that every runtime has: a convolution by 0.
int append_zeros(Graph& graph, int x, int stride, const std::string& name) {
  const std::int64_t channels = graph.node(x).shape.channels;
  return graph.convolution(x, name + ".zeros", torch::zeros({channels, 1, 1, 1}),
                           {.stride = stride, .groups = static_cast<int>(channels)});
}

int append_separable(Graph& graph, int x, const OperationParts& parts, int stride, const std::string& name) {
  int number = 1;
  for (const OperationParts::Stage& stage : parts.stages) {
    const auto child = [&](int offset) { return fmt::format("{}.op.{}", name, number + offset); };
    const int padding = stage.dilation * (stage.kernel / 2);
    x = graph.convolution(graph.relu(x), child(0), stage.depthwise,
                          {.stride = stride,
                           .padding = padding,
                           .dilation = stage.dilation,
                           .groups = static_cast<int>(stage.depthwise.size(0))});
    x = graph.convolution(x, child(1), stage.pointwise, {});
    x = graph.batch_norm(x, child(2), *stage.norm);
    stride = 1;
    number += 4;
  }
  return x;
}

int append_dense(Graph& graph, int x, const OperationParts& parts, int stride, const std::string& name) {
  const auto padding = static_cast<int>(parts.first.size(2) / 2);
  x = graph.convolution(graph.relu(x), name + ".op.1", parts.first, {.stride = stride, .padding = padding});
  return graph.batch_norm(x, name + ".op.2", *parts.norm);
}

int append_factorized_reduce(Graph& graph, int x, const OperationParts& parts, const std::string& name) {
  const int padded = graph.pad_to_even(graph.relu(x));
  int result = graph.convolution(padded, name + ".conv_1", parts.first, {.stride = 2});
  if (parts.second.defined()) {
    const int second =
        graph.convolution(graph.drop_first(padded), name + ".conv_2", parts.second, {.stride = 2});
    result = graph.concatenate({result, second}, name + ".both");
  }
  return graph.batch_norm(result, name + ".bn", *parts.norm);
}

// One way through a network; the modules are found by their published names.
class NetworkWalk {
 public:
  explicit NetworkWalk(const DerivedNetwork& network)
      : network_(network),
        modules_(network.named_modules("", /*include_self=*/false)),
        shape_(network.shape()),
        family_(network.genotype().family),
        graph_({shape_.image_channels, shape_.height, shape_.width}) {}

  Graph walk(const std::vector<double>& mean, const std::vector<double>& deviation) {
    int older = mean.empty() ? 0 : graph_.normalise(0, mean, deviation), newer = 0;
    std::tie(older, newer) = shape_.stem == StemKind::kImageNet ? imagenet_stem(older) : stem(older);
    const int nodes = static_cast<int>(network_.genotype().cells[0].size());
    for (const CellPlace& place : layout_cells(family_, shape_.channels, shape_.cells, nodes, shape_.stem)) {
      const int next = network_.genotype().of(place.type).empty() ? residual_cell(place, newer)
                                                                  : graph_cell(place, older, newer);
      older = newer;
      newer = next;
    }
    if (family_ == Family::kNasBench201) newer = graph_.relu(norm(newer, "lastact.0"));
    const auto& classifier = module<torch::nn::LinearImpl>("classifier");
    graph_.linear(graph_.mean(newer, "mean"), "classifier", classifier.weight, classifier.bias);
    return std::move(graph_);
  }

 private:
  template <typename Module>
  const Module& module(const std::string& name) const {
    const auto* found = modules_[name]->as<Module>();
    if (found == nullptr) fail("the network's module {} is of a kind that cannot be exported", name);
    return *found;
  }
  int norm(int x, const std::string& name) { return graph_.batch_norm(x, name, module<BatchNorm>(name)); }
  // A convolution and the batch-norm after it.
  int convolution(int x, const std::string& conv, const std::string& after, const Graph::Window& window) {
    x = graph_.convolution(x, conv, module<torch::nn::Conv2dImpl>(conv).weight, window);
    return norm(x, after);
  }
  int preprocess(int x, const std::string& name, int stride = 1) {
    return append_operation(graph_, x, module<Preprocess>(name).parts(), stride, name);
  }

  std::pair<int, int> stem(int images) {
    const int x = convolution(images, "stem.0", "stem.1", {.padding = 1});
    return {x, x};
  }
  std::pair<int, int> imagenet_stem(int images) {
    const Graph::Window half{.stride = 2, .padding = 1};
    const int x = convolution(images, "stem0.0", "stem0.1", half);
    const int older = convolution(graph_.relu(x), "stem0.3", "stem0.4", half);
    return {older, convolution(graph_.relu(older), "stem1.1", "stem1.2", half)};
  }

  int residual_cell(const CellPlace& place, int x) {
    const std::string name = fmt::format("cells.{}.", place.index);
    const int pooled = graph_.pool(x, name + "downsample.0", /*maximum=*/false, 2, 2);
    const auto& weight = module<torch::nn::Conv2dImpl>(name + "downsample.1").weight;
    const int shortcut = graph_.convolution(pooled, name + "downsample.1", weight, {});
    const int inner = preprocess(x, name + "conv_a", 2);
    return graph_.add(shortcut, preprocess(inner, name + "conv_b"), name + "sum");
  }

  int graph_cell(const CellPlace& place, int older, int newer) {
    const std::string name = fmt::format("cells.{}.", place.index);
    std::vector<int> states;
    if (family_ == Family::kDarts) {
      states = {preprocess(older, name + "preprocess0"), preprocess(newer, name + "preprocess1")};
    } else {
      states = {newer};
    }
    std::vector<int> outputs;
    int operation = 0;
    for (const auto& edges : network_.genotype().of(place.type)) {
      outputs.push_back(node(place, edges, states, operation));
      operation += static_cast<int>(edges.size());
      states.push_back(outputs.back());
    }
    if (output_nodes(family_, static_cast<int>(outputs.size())) == 1) return outputs.back();
    return graph_.concatenate(outputs, name + "output");
  }

  // The sum over a node's edges, the first of which is the cell's operation number `first`. An edge of `none`
  // adds nothing where there is another.
  int node(const CellPlace& place, const std::vector<GenotypeEdge>& edges, const std::vector<int>& states,
           int first) {
    const std::string cell = fmt::format("cells.{}.", place.index);
    const auto value_of = [&](std::size_t e) {
      const std::string name = fmt::format("{}{}.{}", cell, family_ == Family::kDarts ? "_ops" : "layers",
                                           first + static_cast<int>(e));
      const int stride = place.type == CellType::kReduction && edges[e].from < 2 ? 2 : 1;
      return append_operation(graph_, states[static_cast<std::size_t>(edges[e].from)],
                              module<Operation>(name).parts(), stride, name);
    };
    int sum = -1;
    for (std::size_t e = 0; e < edges.size(); ++e) {
      if (edges[e].operation == OperationKind::kNone) continue;
      const int value = value_of(e);
      sum = sum < 0 ? value : graph_.add(sum, value, fmt::format("{}node.{}", cell, states.size()));
    }
    return sum < 0 ? value_of(0) : sum;
  }

  const DerivedNetwork& network_;
  torch::OrderedDict<std::string, std::shared_ptr<torch::nn::Module>> modules_;
  NetworkShape shape_;
  Family family_;
  Graph graph_;
};

}  // namespace

int append_operation(Graph& graph, int x, const OperationParts& parts, int stride, const std::string& name) {
  switch (parts.kind) {
    case Parts::kNone:
      return append_zeros(graph, x, stride, name);
    case Parts::kIdentity:
      return x;
    case Parts::kMaxPool:
    case Parts::kAvgPool:
      x = graph.pool(x, name + ".0", parts.kind == Parts::kMaxPool, 3, stride);
      return parts.norm ? graph.batch_norm(x, name + ".1", *parts.norm) : x;
    case Parts::kNoise:
      return graph.noise(x, name, stride);
    case Parts::kSeparable:
      return append_separable(graph, x, parts, stride, name);
    case Parts::kDense:
      return append_dense(graph, x, parts, stride, name);
    case Parts::kFactorizedReduce:
      return append_factorized_reduce(graph, x, parts, name);
  }
  fail("operation {} is of a kind that cannot be exported", name);
}

Graph graph_of(const DerivedNetwork& network, const std::vector<double>& mean,
               const std::vector<double>& deviation) {
  return NetworkWalk(network).walk(mean, deviation);
}

}  // namespace ptnas
