// ONNX files, opset 11: the one file that sees ONNX's headers.

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>
#include <torch/utils.h>

#include "ptnas/core/error.h"
#include "ptnas/export/exported_model.h"

namespace ptnas {

namespace {

using Kind = GraphNode::Kind;
constexpr int kIrVersion = 6;  // of ONNX 1.6, which brought opset 11
constexpr const char* kBatch = "N";

void set_shape(onnx::ValueInfoProto& value, const std::string& name, const GraphShape& shape) {
  value.set_name(name);
  onnx::TypeProto_Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  onnx::TensorShapeProto& sides = *tensor.mutable_shape();
  sides.add_dim()->set_dim_param(kBatch);
  sides.add_dim()->set_dim_value(shape.channels);
  if (shape.height == 0) return;
  sides.add_dim()->set_dim_value(shape.height);
  sides.add_dim()->set_dim_value(shape.width);
}

// Appends a graph's nodes to a model, node by node.
class OnnxWriter {
 public:
  OnnxWriter(const Graph& graph, onnx::GraphProto& proto) : graph_(graph), proto_(proto) {}

  void write() {
    const std::vector<bool> used = graph_.used();
    const std::size_t count = graph_.nodes().size();
    values_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!used[i]) continue;
      values_[i] = i + 1 == count ? "logits" : graph_.nodes()[i].name;
      write_node(graph_.nodes()[i], values_[i]);
    }
    set_shape(*proto_.add_output(), values_.back(), graph_.nodes().back().shape);
  }

  // What every value should be, for the check of shapes.
  void add_shapes(onnx::GraphProto& proto) const {
    for (std::size_t i = 1; i + 1 < values_.size(); ++i) {
      if (!values_[i].empty() && values_[i] == graph_.nodes()[i].name)
        set_shape(*proto.add_value_info(), values_[i], graph_.nodes()[i].shape);
    }
  }

 private:
  void write_node(const GraphNode& node, std::string& value) {
    switch (node.kind) {
      case Kind::kInput:
        return set_shape(*proto_.add_input(), value, node.shape);
      case Kind::kConvolution:
        return write_convolution(node, value);
      case Kind::kBatchNorm:
        return write_batch_norm(node, value);
      case Kind::kRelu:
        add("Relu", node, value);
        return;
      case Kind::kMaxPool:
      case Kind::kAveragePool:
        return write_pool(node, value);
      case Kind::kAdd:
        add("Add", node, value);
        return;
      case Kind::kConcatenate:
        add_integer(add("Concat", node, value), "axis", 1);
        return;
      case Kind::kPadToEven:
        return write_pad(node, value);
      case Kind::kDropFirst:
        return write_slice(node, value);
      case Kind::kMean:
        return write_mean(node, value);
      case Kind::kLinear:
        return write_linear(node, value);
      case Kind::kNoise:
        break;
    }
    fail(
        "{} is `noise`, and the runtime that reads ONNX files back has no random numbers; export this "
        "network "
        "with --format torchscript",
        node.name);
  }

  const GraphShape& input_shape(const GraphNode& node) const { return graph_.node(node.inputs[0]).shape; }

  onnx::NodeProto& add(const char* type, const GraphNode& node, const std::string& value) {
    onnx::NodeProto& proto = *proto_.add_node();
    proto.set_op_type(type);
    proto.set_name(value);
    for (const int input : node.inputs) proto.add_input(values_[static_cast<std::size_t>(input)]);
    proto.add_output(value);
    return proto;
  }
  static void add_integer(onnx::NodeProto& proto, const char* name, std::int64_t value) {
    onnx::AttributeProto& attribute = *proto.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
  }
  static void add_integers(onnx::NodeProto& proto, const char* name,
                           std::initializer_list<std::int64_t> values) {
    onnx::AttributeProto& attribute = *proto.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
  }
  // A constant input, [dimensions] float.
  void add_tensor(onnx::NodeProto& proto, const std::string& name, const torch::Tensor& tensor) {
    onnx::TensorProto& constant = *proto_.add_initializer();
    constant.set_name(name);
    constant.set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t side : tensor.sizes()) constant.add_dims(side);
    constant.set_raw_data(tensor.data_ptr<float>(), tensor.nbytes());
    proto.add_input(name);
  }
  // A constant input, [values] int64.
  void add_vector(onnx::NodeProto& proto, const std::string& name,
                  std::initializer_list<std::int64_t> values) {
    onnx::TensorProto& constant = *proto_.add_initializer();
    constant.set_name(name);
    constant.set_data_type(onnx::TensorProto::INT64);
    constant.add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t value : values) constant.add_int64_data(value);
    proto.add_input(name);
  }

  void write_convolution(const GraphNode& node, const std::string& value) {
    onnx::NodeProto& proto = add("Conv", node, value);
    add_tensor(proto, node.name + ".weight", node.tensors[0]);
    add_integers(proto, "kernel_shape", {node.kernel, node.kernel});
    add_integers(proto, "strides", {node.stride, node.stride});
    add_integers(proto, "pads", {node.padding, node.padding, node.padding, node.padding});
    add_integers(proto, "dilations", {node.dilation, node.dilation});
    add_integer(proto, "group", node.groups);
  }
  void write_batch_norm(const GraphNode& node, const std::string& value) {
    onnx::NodeProto& proto = add("BatchNormalization", node, value);
    const char* const names[] = {".weight", ".bias", ".running_mean", ".running_var"};
    for (std::size_t i = 0; i < 4; ++i) add_tensor(proto, node.name + names[i], node.tensors[i]);
    onnx::AttributeProto& epsilon = *proto.add_attribute();
    epsilon.set_name("epsilon");
    epsilon.set_type(onnx::AttributeProto::FLOAT);
    epsilon.set_f(static_cast<float>(node.epsilon));
  }
  void write_pool(const GraphNode& node, const std::string& value) {
    onnx::NodeProto& proto = add(node.kind == Kind::kMaxPool ? "MaxPool" : "AveragePool", node, value);
    add_integers(proto, "kernel_shape", {node.kernel, node.kernel});
    add_integers(proto, "strides", {node.stride, node.stride});
    // Rounding up is padding at the end of odd sizes.
    const GraphShape& in = input_shape(node);
    const std::int64_t p = node.padding;
    add_integers(proto, "pads", {p, p, p > 0 ? p : in.height % 2, p > 0 ? p : in.width % 2});
    if (node.kind == Kind::kAveragePool) add_integer(proto, "count_include_pad", 0);
  }
  // Even sizes need no node: the value is the input's.
  void write_pad(const GraphNode& node, std::string& value) {
    const GraphShape& in = input_shape(node);
    if (in == node.shape) {
      value = values_[static_cast<std::size_t>(node.inputs[0])];
      return;
    }
    onnx::NodeProto& proto = add("Pad", node, value);
    add_vector(proto, node.name + ".pads", {0, 0, 0, 0, 0, 0, in.height % 2, in.width % 2});
  }
  void write_slice(const GraphNode& node, const std::string& value) {
    const GraphShape& in = input_shape(node);
    onnx::NodeProto& proto = add("Slice", node, value);
    add_vector(proto, node.name + ".starts", {1, 1});
    add_vector(proto, node.name + ".ends", {in.height, in.width});
    add_vector(proto, node.name + ".axes", {2, 3});
  }
  void write_mean(const GraphNode& node, const std::string& value) {
    const std::string pooled = value + ".pooled";
    add("GlobalAveragePool", node, pooled);
    onnx::NodeProto& flatten = *proto_.add_node();
    flatten.set_op_type("Flatten");
    flatten.set_name(value);
    flatten.add_input(pooled);
    flatten.add_output(value);
    add_integer(flatten, "axis", 1);
  }
  void write_linear(const GraphNode& node, const std::string& value) {
    onnx::NodeProto& proto = add("Gemm", node, value);
    add_tensor(proto, node.name + ".weight", node.tensors[0]);
    add_tensor(proto, node.name + ".bias", node.tensors[1]);
    add_integer(proto, "transB", 1);
  }

  const Graph& graph_;
  onnx::GraphProto& proto_;
  std::vector<std::string> values_;  // by node: the name of its value
};

// ONNX's own checks: of form, of types, and of every value's shape.
void check_onnx(onnx::ModelProto model, const OnnxWriter& writer) {
  try {
    onnx::checker::check_model(model);
    writer.add_shapes(*model.mutable_graph());
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(),
                                       onnx::ShapeInferenceOptions(/*check_type=*/true, /*strict_mode=*/1));
  } catch (const std::exception& error) {
    fail("the network as ONNX is not valid: {}", error.what());
  }
}

}  // namespace

std::string write_onnx(const Graph& graph, const ExportCard& card) {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("ptnas");
  model.set_producer_version(PTNAS_VERSION);
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOnnxOpset);
  const Json metadata = to_json(card);
  for (const auto& [key, value] : metadata.items()) {
    onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value.dump());
  }
  model.mutable_graph()->set_name("ptnas");
  OnnxWriter writer(graph, *model.mutable_graph());
  writer.write();
  check_onnx(model, writer);
  std::string bytes;
  if (!model.SerializeToString(&bytes))
    fail("the network is too large for an ONNX file; expected below 2 GB");
  return bytes;
}

Json onnx_metadata(const std::string& bytes, const std::string& what) {
  onnx::ModelProto model;
  if (!model.ParseFromString(bytes)) fail("{} is not a whole ONNX file", what);
  Json metadata = Json::object();
  if (model.producer_name() != "ptnas")
    fail("{} is an ONNX file, but not one that ptnas export wrote; it does not say what its classes are",
         what);
  for (const onnx::StringStringEntryProto& entry : model.metadata_props())
    metadata[entry.key()] = parse_json(entry.value(), fmt::format("`{}` of {}", entry.key(), what));
  return metadata;
}

}  // namespace ptnas
