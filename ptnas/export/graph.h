#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ptnas/ops/batch_norm.h"

namespace ptnas {

/// The shape of a value of a graph: [N, channels, height, width], or [N, channels] where height and width
/// are 0.
struct GraphShape {
  std::int64_t channels = 0, height = 0, width = 0;
  bool operator==(const GraphShape&) const = default;
};

/// One step of a graph, and the value it makes.
struct GraphNode {
  enum class Kind {
    kInput,        ///< the images
    kConvolution,  ///< tensors: weight [out, in / groups, kernel, kernel]; no bias
    kBatchNorm,    ///< tensors: weight, bias, mean, variance, [C] each
    kRelu,
    kMaxPool,
    kAveragePool,  ///< of the pixels inside; without padding odd sizes are rounded up
    kAdd,          ///< of two values of one shape
    kConcatenate,  ///< of channels
    kPadToEven,    ///< zeros right and below where width and height are odd
    kDropFirst,    ///< x[:, :, 1:, 1:]
    kNoise,        ///< N(0, 1) of the input's shape, strided
    kMean,         ///< over all pixels
    kLinear,       ///< tensors: weight [out, in], bias [out]
  };
  Kind kind = Kind::kInput;
  std::string name = {};         ///< unique; letters, digits, dots and underscores
  std::vector<int> inputs = {};  ///< numbers of earlier nodes
  GraphShape shape = {};         ///< of its value
  int kernel = 1, stride = 1, padding = 0, dilation = 1, groups = 1;
  double epsilon = 0;  ///< of a batch-norm
  std::vector<torch::Tensor> tensors = {};
};

/// A network in evaluation mode as a list of steps, each after those it reads: what every exported file is
/// written from. Its result is the last node's value. Tensors are the network's own, shared; not thread-safe
/// while it is built. Each function appends a node, named `name` (made unique), and returns its number; they
/// assert that channels fit.
class Graph {
 public:
  explicit Graph(const GraphShape& images);

  struct Window {
    int stride = 1, padding = 0, dilation = 1, groups = 1;
  };
  int convolution(int x, const std::string& name, const torch::Tensor& weight, const Window& window);
  int batch_norm(int x, const std::string& name, const BatchNorm& norm);
  /// (x - mean) / deviation, by channel.
  int normalise(int x, const std::vector<double>& mean, const std::vector<double>& deviation);
  /// The same node again where there is one of `x` already.
  int relu(int x);
  /// kernel x kernel with padding kernel / 2 where the kernel is odd, else 0.
  int pool(int x, const std::string& name, bool maximum, int kernel, int stride);
  int add(int a, int b, const std::string& name);
  int concatenate(const std::vector<int>& values, const std::string& name);
  int pad_to_even(int x);
  int drop_first(int x);
  int noise(int x, const std::string& name, int stride);
  int mean(int x, const std::string& name);
  int linear(int x, const std::string& name, const torch::Tensor& weight, const torch::Tensor& bias);

  const std::vector<GraphNode>& nodes() const { return nodes_; }
  const GraphNode& node(int number) const { return nodes_.at(static_cast<std::size_t>(number)); }
  /// By node: whether the result depends on it.
  std::vector<bool> used() const;
  /// Whether the result depends on noise.
  bool has_noise() const;

 private:
  int append(GraphNode node, const GraphShape& shape);
  std::vector<GraphNode> nodes_;
  std::map<std::string, int> names_;  ///< how often each was asked for
  std::map<int, int> rectified_;      ///< by value: its ReLU's number
};

}  // namespace ptnas
