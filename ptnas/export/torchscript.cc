// TorchScript files: the network's steps as the source of one function, its tensors as the module's
// parameters and buffers.

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/utils.h>
#include <torch/version.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "ptnas/core/error.h"
#include "ptnas/export/exported_model.h"

namespace ptnas {

namespace {

using Kind = GraphNode::Kind;
constexpr const char* kCardFile = "ptnas.json";  // within the file

std::string join(const std::vector<std::string>& texts) { return fmt::format("{}", fmt::join(texts, ", ")); }
std::string pair(int value) { return fmt::format("[{0}, {0}]", value); }

class ScriptWriter {
 public:
  explicit ScriptWriter(const Graph& graph) : graph_(graph), module_("__torch__.PtnasNetwork") {}

  torch::jit::Module write() {
    const std::vector<bool> used = graph_.used();
    std::string source = "def forward(self, images):\n";
    for (std::size_t i = 1; i < graph_.nodes().size(); ++i) {
      if (used[i])
        source += fmt::format("    {} = {}\n", value(static_cast<int>(i)), expression(graph_.nodes()[i]));
    }
    source += fmt::format("    return {}\n", value(static_cast<int>(graph_.nodes().size()) - 1));
    module_.define(source);
    module_.eval();
    return module_;
  }

 private:
  std::string value(int number) const { return number == 0 ? "images" : fmt::format("x{}", number); }
  // Registers a tensor of a node and returns how the source names it.
  std::string tensor(const GraphNode& node, const char* role, std::size_t index, bool buffer = false) {
    std::string name = node.name + "_" + role;
    std::replace(name.begin(), name.end(), '.', '_');
    module_.register_parameter(name, node.tensors[index].clone(), buffer);
    return "self." + name;
  }

  std::string expression(const GraphNode& node) {
    const std::string x = value(node.inputs[0]);
    switch (node.kind) {
      case Kind::kConvolution:
        return fmt::format("torch.conv2d({}, {}, None, {}, {}, {}, {})", x, tensor(node, "weight", 0),
                           pair(node.stride), pair(node.padding), pair(node.dilation), node.groups);
      case Kind::kBatchNorm:
        return batch_norm(node, x);
      case Kind::kRelu:
        return fmt::format("torch.relu({})", x);
      case Kind::kMaxPool:
        return fmt::format("torch.max_pool2d({}, {}, {}, {}, [1, 1], False)", x, pair(node.kernel),
                           pair(node.stride), pair(node.padding));
      case Kind::kAveragePool:
        return fmt::format("torch.avg_pool2d({}, {}, {}, {}, {}, False)", x, pair(node.kernel),
                           pair(node.stride), pair(node.padding), node.padding == 0 ? "True" : "False");
      case Kind::kAdd:
        return fmt::format("torch.add({}, {})", x, value(node.inputs[1]));
      case Kind::kConcatenate:
        return concatenation(node);
      case Kind::kPadToEven:
        return fmt::format("torch.constant_pad_nd({0}, [0, {0}.size(3) % 2, 0, {0}.size(2) % 2], 0)", x);
      case Kind::kDropFirst:
        return fmt::format("{}[:, :, 1:, 1:]", x);
      case Kind::kNoise:
        return fmt::format("torch.randn_like({0}[:, :, ::{1}, ::{1}])", x, node.stride);
      case Kind::kMean:
        return fmt::format("torch.mean({}, [2, 3])", x);
      case Kind::kLinear:
        return fmt::format("torch.linear({}, {}, {})", x, tensor(node, "weight", 0), tensor(node, "bias", 1));
      case Kind::kInput:
        break;
    }
    fail("{} cannot be written as TorchScript", node.name);
  }
  std::string batch_norm(const GraphNode& node, const std::string& x) {
    const std::string weight = tensor(node, "weight", 0), bias = tensor(node, "bias", 1);
    const std::string mean = tensor(node, "running_mean", 2, /*buffer=*/true);
    const std::string variance = tensor(node, "running_var", 3, /*buffer=*/true);
    return fmt::format("torch.batch_norm({}, {}, {}, {}, {}, False, 0.1, {:.9e}, True)", x, weight, bias,
                       mean, variance, node.epsilon);
  }
  std::string concatenation(const GraphNode& node) const {
    std::vector<std::string> values;
    for (const int input : node.inputs) values.push_back(value(input));
    return fmt::format("torch.cat([{}], 1)", join(values));
  }

  const Graph& graph_;
  torch::jit::Module module_;
};

[[noreturn]] void fail_in_libtorch(const std::exception& error, const std::string& what) {
  const std::string text = error.what();
  fail("libtorch cannot use {}: {}", what, text.substr(0, text.find('\n')));
}

class ScriptModel final : public ExportedModel {
 public:
  ScriptModel(ExportCard card, torch::jit::Module module, std::string what)
      : ExportedModel(std::move(card)), module_(std::move(module)), what_(std::move(what)) {}

  torch::Tensor run(const torch::Tensor& images) override {
    const torch::NoGradGuard no_grad;
    // Specialising to the first inputs costs more than it gains here.
    const torch::jit::GraphOptimizerEnabledGuard plain(false);
    try {
      return module_.forward({images.to(torch::kFloat).contiguous()}).toTensor().to(torch::kCPU);
    } catch (const std::exception& error) {
      fail_in_libtorch(error, what_);
    }
  }

 private:
  torch::jit::Module module_;
  std::string what_;
};

}  // namespace

std::string torchscript_runtime() { return "libtorch " TORCH_VERSION; }

std::string write_torchscript(const Graph& graph, const ExportCard& card) {
  std::ostringstream stream;
  ScriptWriter(graph).write().save(stream, {{kCardFile, to_json(card).dump()}});
  return stream.str();
}

std::unique_ptr<ExportedModel> read_torchscript(const std::string& bytes, const std::string& what) {
  torch::jit::ExtraFilesMap files{{kCardFile, ""}};
  std::optional<torch::jit::Module> module;
  try {
    std::istringstream stream(bytes);
    module = torch::jit::load(stream, torch::Device(torch::kCPU), files);
    module->eval();
  } catch (const std::exception& error) {
    fail_in_libtorch(error, what);
  }
  if (files[kCardFile].empty()) {
    fail(
        "{} is a TorchScript file, but not one that ptnas export wrote; it does not say what its classes are",
        what);
  }
  ExportCard card = export_card_from_json(parse_json(files[kCardFile], what), what);
  return std::make_unique<ScriptModel>(std::move(card), std::move(*module), what);
}

}  // namespace ptnas
