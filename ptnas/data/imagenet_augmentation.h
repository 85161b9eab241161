#pragma once

#include <array>

#include "ptnas/core/random.h"
#include "ptnas/data/image.h"

namespace ptnas {

/// A part of an image of the given size: area 0.08 to 1 of it, width over height 3/4 to 4/3, both drawn (the
/// latter evenly in its logarithm) until the part fits, ten times at most; then the largest part in the
/// middle of an allowed shape (Szegedy et al., 2015, as torchvision's RandomResizedCrop has it).
Box draw_resized_crop(int width, int height, RandomStream& stream);

/// A change of colours: steps in the order drawn. Factors 1 and hue 0 change nothing.
struct ColourJitter {
  enum class Step { kBrightness, kContrast, kSaturation, kHue };
  std::array<Step, 4> order = {Step::kBrightness, Step::kContrast, Step::kSaturation, Step::kHue};
  double brightness = 1;  ///< times black
  double contrast = 1;    ///< times the distance from the image's mean grey
  double saturation = 1;  ///< times the distance from the pixel's grey
  double hue = 0;         ///< turns of the colour circle
};
/// DARTS' for ImageNet: factors U(0.6, 1.4), hue U(-0.2, 0.2), steps in random order.
ColourJitter draw_colour_jitter(RandomStream& stream);
/// Changes an image of three channels; every step rounds to whole bytes.
void apply(const ColourJitter& jitter, Image& image);

/// One image as DARTS' ImageNet training sees it: a resized crop to `size` by `size`, mirrored half of the
/// time, its colours changed. Three channels.
Image imagenet_training_view(const Image& image, int size, RandomStream& stream);
/// As it is tested: the shorter side resized to size * 256 / 224, the middle cropped. Three channels.
Image imagenet_test_view(const Image& image, int size);

}  // namespace ptnas
