#include "ptnas/network/derived_network.h"

#include "ptnas/core/error.h"
#include "ptnas/core/random.h"
#include "ptnas/network/layout.h"

namespace ptnas {

namespace {

// One Bernoulli(1 - p) a sample, scaled by 1 / (1 - p) (FractalNet's drop-path as DARTS schedules it).
torch::Tensor drop_path_of(const torch::Tensor& x, double probability, const ForwardContext& context,
                           int place) {
  RandomStream stream(context.seed, Purpose::kDropPath, context.draw(place));
  torch::Tensor keep = torch::empty({x.size(0), 1, 1, 1});
  float* data = keep.data_ptr<float>();
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    data[i] = stream.uniform() < probability ? 0.0f : static_cast<float>(1 / (1 - probability));
  }
  return x * keep.to(x.device());
}

}  // namespace

class DerivedNetwork::Cell final : public torch::nn::Module {
 public:
  Cell(const Genotype& genotype, const CellPlace& place) : place_(place), nodes_(genotype.of(place.type)) {
    older_ = register_module("preprocess0", make_older_preprocess(place, /*affine=*/true));
    newer_ = register_module("preprocess1", make_newer_preprocess(place, /*affine=*/true));
    auto operations = register_module("_ops", std::make_shared<torch::nn::Module>());
    for (const auto& node : nodes_) {
      for (const GenotypeEdge& edge : node) {
        auto operation =
            make_operation(edge.operation, {place.channels, stride_of(edge), OperationUse::kDerived});
        operations->register_module(std::to_string(operations_.size()), operation);
        operations_.push_back(std::move(operation));
      }
    }
  }

  torch::Tensor forward(const torch::Tensor& older, const torch::Tensor& newer, double drop_path,
                        const ForwardContext& context) {
    std::vector<Source> states = {older_->forward(older), newer_->forward(newer)};
    std::vector<torch::Tensor> outputs;
    std::size_t index = 0;
    for (const auto& node : nodes_) {
      torch::Tensor sum;
      for (const GenotypeEdge& edge : node) {
        const int place = place_.index * kPlacesPerCell + static_cast<int>(index);
        torch::Tensor x =
            operations_[index]->forward(states[static_cast<std::size_t>(edge.from)], context, place);
        const bool identity = edge.operation == OperationKind::kSkipConnect && stride_of(edge) == 1;
        if (is_training() && drop_path > 0 && !identity) {
          x = drop_path_of(x, drop_path, context, place);
        }
        sum = sum.defined() ? sum + x : x;
        ++index;
      }
      states.emplace_back(sum);
      outputs.push_back(sum);
    }
    return torch::cat(outputs, 1);
  }

 private:
  int stride_of(const GenotypeEdge& edge) const {
    return place_.type == CellType::kReduction && edge.from < 2 ? 2 : 1;
  }

  CellPlace place_;
  std::vector<std::vector<GenotypeEdge>> nodes_;
  std::shared_ptr<Preprocess> older_, newer_;
  std::vector<std::shared_ptr<Operation>> operations_;  // in order of nodes and their edges
};

// DARTS' auxiliary head: ReLU, average pool 5 stride 3 on 8x8 maps (others are averaged to 2x2), conv1x1 to
// 128, batch-norm, ReLU, conv2x2 to 768, batch-norm, ReLU, linear.
class DerivedNetwork::AuxiliaryHead final : public torch::nn::Module {
 public:
  AuxiliaryHead(int channels, int classes)
      : squeeze_(make_convolution(channels, 128, 1)), expand_(make_convolution(128, 768, 2)) {
    auto features = register_module("features", std::make_shared<torch::nn::Module>());
    features->register_module("2", squeeze_);
    squeeze_norm_ = features->register_module("3", std::make_shared<BatchNorm>(128, true));
    features->register_module("5", expand_);
    expand_norm_ = features->register_module("6", std::make_shared<BatchNorm>(768, true));
    classifier_ = register_module("classifier", torch::nn::Linear(768, classes));
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor x = torch::relu(input);
    x = x.size(2) == 8 && x.size(3) == 8 ? torch::avg_pool2d(x, 5, 3, 0, false, false)
                                         : torch::adaptive_avg_pool2d(x, {2, 2});
    x = torch::relu(squeeze_norm_->forward(squeeze_->forward(x)));
    x = torch::relu(expand_norm_->forward(expand_->forward(x)));
    return classifier_->forward(x.flatten(1));
  }

 private:
  torch::nn::Conv2d squeeze_{nullptr}, expand_{nullptr};
  std::shared_ptr<BatchNorm> squeeze_norm_, expand_norm_;
  torch::nn::Linear classifier_{nullptr};
};

DerivedNetwork::DerivedNetwork(Genotype genotype, const NetworkShape& shape, bool auxiliary)
    : genotype_(std::move(genotype)), shape_(shape) {
  count_network(genotype_, shape_);  // validates both
  const int nodes = static_cast<int>(genotype_.cells[0].size());
  const std::vector<CellPlace> places = layout_cells(shape.channels, shape.cells, nodes);
  stem_ =
      register_module("stem", std::make_shared<Stem>(shape.image_channels, places.front().newer_channels));
  auto cells = register_module("cells", std::make_shared<torch::nn::Module>());
  for (const CellPlace& place : places) {
    cells_.push_back(
        cells->register_module(std::to_string(place.index), std::make_shared<Cell>(genotype_, place)));
  }
  auxiliary_cell_ = 2 * shape.cells / 3;
  if (auxiliary) {
    const int channels = nodes * places[static_cast<std::size_t>(auxiliary_cell_)].channels;
    auxiliary_ = register_module("auxiliary_head", std::make_shared<AuxiliaryHead>(channels, shape.classes));
  }
  classifier_ =
      register_module("classifier", torch::nn::Linear(output_channels(places, nodes), shape.classes));
}

DerivedNetwork::Output DerivedNetwork::forward(const torch::Tensor& images, double drop_path,
                                               const ForwardContext& context) {
  Output output;
  torch::Tensor older = stem_->forward(images), newer = older;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    torch::Tensor next = cells_[i]->forward(older, newer, drop_path, context);
    older = std::move(newer);
    newer = std::move(next);
    if (auxiliary_ && is_training() && static_cast<int>(i) == auxiliary_cell_)
      output.auxiliary = auxiliary_->forward(newer);
  }
  output.logits = classifier_->forward(newer.mean({2, 3}));
  return output;
}

}  // namespace ptnas
