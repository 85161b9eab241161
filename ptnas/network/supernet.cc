#include "ptnas/network/supernet.h"

#include <torch/utils.h>

#include "ptnas/core/error.h"

namespace ptnas {

Supernet::Supernet(SearchSpace space, const SupernetShape& shape) : space_(std::move(space)), shape_(shape) {
  validate(space_);
  if (shape.channels < 1 || shape.cells < 1 || shape.classes < 2 || shape.image_channels < 1) {
    fail("a supernet needs at least 1 channel, 1 cell, 2 classes and 1 image channel, not {}, {}, {} and {}",
         shape.channels, shape.cells, shape.classes, shape.image_channels);
  }
  places_ = layout_cells(space_.family, shape.channels, shape.cells, space_.nodes);
  stem_ = register_module(
      "stem", std::make_shared<Stem>(shape.image_channels, places_.front().newer_channels, shape.engine));
  auto cells = register_module("cells", std::make_shared<torch::nn::Module>());
  for (const CellPlace& place : places_) {
    cells_.push_back(
        cells->register_module(std::to_string(place.index), make_mixed_cell(space_, place, shape.engine)));
  }
  const int features = output_channels(space_.family, places_, space_.nodes);
  tail_ = register_module("lastact", std::make_shared<Tail>(space_.family, features));
  classifier_ = register_module("classifier", torch::nn::Linear(features, shape.classes));
}

torch::Tensor Supernet::forward(const torch::Tensor& images, const ArchitectureWeights& weights,
                                const ForwardContext& context) {
  const torch::Tensor stem = stem_->forward(images);
  return forward_from(0, stem, stem, weights, context);
}

torch::Tensor Supernet::forward_from(std::size_t cell, torch::Tensor older, torch::Tensor newer,
                                     const ArchitectureWeights& weights, const ForwardContext& context) {
  for (; cell < cells_.size(); ++cell) {
    torch::Tensor output = cells_[cell]->forward(older, newer, weights.of(places_[cell].type), context);
    older = std::move(newer);
    newer = std::move(output);
  }
  return classify(newer);
}

std::vector<torch::Tensor> Supernet::forward_many(const torch::Tensor& images,
                                                  const std::vector<ArchitectureWeights>& weights,
                                                  const ForwardContext& context) {
  const torch::NoGradGuard no_grad;
  const auto differ = [&](CellType type) {
    for (const ArchitectureWeights& other : weights) {
      if (other.of(type).host != weights.front().of(type).host) return true;
    }
    return false;
  };
  torch::Tensor older = stem_->forward(images), newer = older;
  std::size_t cell = 0;
  for (; cell < cells_.size() && !differ(places_[cell].type); ++cell) {
    torch::Tensor output =
        cells_[cell]->forward(older, newer, weights.front().of(places_[cell].type), context);
    older = std::move(newer);
    newer = std::move(output);
  }
  if (cell == cells_.size()) return std::vector(weights.size(), classify(newer));
  std::vector<const EdgeWeights*> here;
  for (const ArchitectureWeights& one : weights) here.push_back(&one.of(places_[cell].type));
  std::vector<torch::Tensor> logits;
  cells_[cell]->forward_many(older, newer, here, context, [&](std::size_t i, torch::Tensor output) {
    logits.push_back(forward_from(cell + 1, newer, std::move(output), weights[i], context));
  });
  return logits;
}

}  // namespace ptnas
