#include "ptnas/export/graph.h"

#include <torch/utils.h>

#include <cassert>

#include "ptnas/ops/operation.h"

namespace ptnas {

using Kind = GraphNode::Kind;

Graph::Graph(const GraphShape& images) { append({.kind = Kind::kInput, .name = "images"}, images); }

int Graph::append(GraphNode node, const GraphShape& shape) {
  const int earlier = names_[node.name]++;
  if (earlier > 0) node.name += "_again_" + std::to_string(earlier);
  for (torch::Tensor& tensor : node.tensors) tensor = tensor.detach().to(torch::kCPU).contiguous();
  node.shape = shape;
  nodes_.push_back(std::move(node));
  return static_cast<int>(nodes_.size()) - 1;
}

int Graph::convolution(int x, const std::string& name, const torch::Tensor& weight, const Window& window) {
  const GraphShape in = node(x).shape;
  assert(weight.size(1) * window.groups == in.channels);
  const auto kernel = static_cast<int>(weight.size(2));
  const auto side = [&](std::int64_t size) {
    return (size + 2 * window.padding - window.dilation * (kernel - 1) - 1) / window.stride + 1;
  };
  return append({.kind = Kind::kConvolution,
                 .name = name,
                 .inputs = {x},
                 .kernel = kernel,
                 .stride = window.stride,
                 .padding = window.padding,
                 .dilation = window.dilation,
                 .groups = window.groups,
                 .tensors = {weight}},
                {weight.size(0), side(in.height), side(in.width)});
}

int Graph::batch_norm(int x, const std::string& name, const BatchNorm& norm) {
  const torch::Tensor& mean = norm.running_mean();
  assert(mean.size(0) == node(x).shape.channels);
  const bool affine = norm.weight().defined();
  return append({.kind = Kind::kBatchNorm,
                 .name = name,
                 .inputs = {x},
                 .epsilon = BatchNorm::kEpsilon,
                 .tensors = {affine ? norm.weight() : torch::ones_like(mean),
                             affine ? norm.bias() : torch::zeros_like(mean), mean, norm.running_var()}},
                node(x).shape);
}

int Graph::normalise(int x, const std::vector<double>& mean, const std::vector<double>& deviation) {
  const torch::Tensor means = torch::tensor(mean, torch::kDouble).to(torch::kFloat);
  const torch::Tensor scale = torch::tensor(deviation, torch::kDouble);
  return append({.kind = Kind::kBatchNorm,
                 .name = "normalise",
                 .inputs = {x},
                 .tensors = {torch::ones_like(means), torch::zeros_like(means), means,
                             scale.square().to(torch::kFloat)}},
                node(x).shape);
}

int Graph::relu(int x) {
  const auto found = rectified_.find(x);
  if (found != rectified_.end()) return found->second;
  return rectified_[x] =
             append({.kind = Kind::kRelu, .name = node(x).name + ".relu", .inputs = {x}}, node(x).shape);
}

int Graph::pool(int x, const std::string& name, bool maximum, int kernel, int stride) {
  const GraphShape in = node(x).shape;
  return append({.kind = maximum ? Kind::kMaxPool : Kind::kAveragePool,
                 .name = name,
                 .inputs = {x},
                 .kernel = kernel,
                 .stride = stride,
                 .padding = kernel % 2 == 1 ? kernel / 2 : 0},
                {in.channels, strided(in.height, stride), strided(in.width, stride)});
}

int Graph::add(int a, int b, const std::string& name) {
  assert(node(a).shape == node(b).shape);
  return append({.kind = Kind::kAdd, .name = name, .inputs = {a, b}}, node(a).shape);
}

int Graph::concatenate(const std::vector<int>& values, const std::string& name) {
  GraphShape shape = node(values.front()).shape;
  shape.channels = 0;
  for (const int value : values) shape.channels += node(value).shape.channels;
  return append({.kind = Kind::kConcatenate, .name = name, .inputs = values}, shape);
}

int Graph::pad_to_even(int x) {
  const GraphShape in = node(x).shape;
  return append({.kind = Kind::kPadToEven, .name = node(x).name + ".padded", .inputs = {x}},
                {in.channels, in.height + in.height % 2, in.width + in.width % 2});
}

int Graph::drop_first(int x) {
  const GraphShape in = node(x).shape;
  return append({.kind = Kind::kDropFirst, .name = node(x).name + ".shifted", .inputs = {x}},
                {in.channels, in.height - 1, in.width - 1});
}

int Graph::noise(int x, const std::string& name, int stride) {
  const GraphShape in = node(x).shape;
  return append({.kind = Kind::kNoise, .name = name, .inputs = {x}, .stride = stride},
                {in.channels, strided(in.height, stride), strided(in.width, stride)});
}

int Graph::mean(int x, const std::string& name) {
  return append({.kind = Kind::kMean, .name = name, .inputs = {x}}, {node(x).shape.channels, 0, 0});
}

int Graph::linear(int x, const std::string& name, const torch::Tensor& weight, const torch::Tensor& bias) {
  assert(weight.size(1) == node(x).shape.channels);
  return append({.kind = Kind::kLinear, .name = name, .inputs = {x}, .tensors = {weight, bias}},
                {weight.size(0), 0, 0});
}

std::vector<bool> Graph::used() const {
  std::vector<bool> used(nodes_.size(), false);
  used.back() = true;
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (!used[i]) continue;
    for (const int input : nodes_[i].inputs) used[static_cast<std::size_t>(input)] = true;
  }
  return used;
}

bool Graph::has_noise() const {
  const std::vector<bool> used = this->used();
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (used[i] && nodes_[i].kind == Kind::kNoise) return true;
  return false;
}

}  // namespace ptnas
