#include "ptnas/network/supernet.h"

#include "ptnas/core/error.h"

namespace ptnas {

Supernet::Supernet(SearchSpace space, const SupernetShape& shape) : space_(std::move(space)), shape_(shape) {
  validate(space_);
  if (shape.channels < 1 || shape.cells < 1 || shape.classes < 2 || shape.image_channels < 1) {
    fail("a supernet needs at least 1 channel, 1 cell, 2 classes and 1 image channel, not {}, {}, {} and {}",
         shape.channels, shape.cells, shape.classes, shape.image_channels);
  }
  places_ = layout_cells(shape.channels, shape.cells, space_.nodes);
  stem_ =
      register_module("stem", std::make_shared<Stem>(shape.image_channels, places_.front().newer_channels));
  auto cells = register_module("cells", std::make_shared<torch::nn::Module>());
  for (const CellPlace& place : places_) {
    cells_.push_back(cells->register_module(
        std::to_string(place.index),
        shape.engine == Engine::kFused ? make_fused_cell(space_, place) : make_plain_cell(space_, place)));
  }
  classifier_ =
      register_module("classifier", torch::nn::Linear(output_channels(places_, space_.nodes), shape.classes));
}

torch::Tensor Supernet::forward(const torch::Tensor& images, const ArchitectureWeights& weights,
                                const ForwardContext& context) {
  torch::Tensor older = stem_->forward(images), newer = older;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    torch::Tensor output = cells_[i]->forward(older, newer, weights.of(places_[i].type), context);
    older = std::move(newer);
    newer = std::move(output);
  }
  return classifier_->forward(newer.mean({2, 3}));
}

}  // namespace ptnas
