#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ptnas/space/genotype.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

/// What leads from the image to the first cell. CIFAR: a convolution to 3 C channels, both inputs of the
/// first cell. ImageNet (DARTS' NetworkImageNet): three convolutions of stride 2, to C/2 and C channels, the
/// first cell's older input, and to C, its newer one; that cell reduces its older input.
enum class StemKind { kCifar, kImageNet };

/// "cifar", "imagenet"; and back, with Error(kUsage) for another name.
std::string_view name_of(StemKind stem);
StemKind stem_from_name(const std::string& name);

/// A derived network's outer shape.
struct NetworkShape {
  int channels = 36;
  int cells = 20;  ///< of NAS-Bench-201: in each of its three stages
  int classes = 10;
  int image_channels = 3;
  int height = 32;
  int width = 32;
  StemKind stem = StemKind::kCifar;
};

struct NetworkCost {
  std::int64_t parameters = 0;     ///< without auxiliary head
  std::int64_t multiply_adds = 0;  ///< convolutions and linear layer (with its bias), one image
};

/// What is usual for CIFAR-10: C = 36 and 20 cells; of NAS-Bench-201 C = 16 and 5 cells a stage.
NetworkShape usual_shape(Family family);

/// Counts without building the network; equals the built one's parameters (tested). Spatial sizes: stride 2
/// gives ceil(H/2). Throws Error: a shape out of range (kUsage), a genotype that cannot be.
NetworkCost count_network(const Genotype& genotype, const NetworkShape& shape);

/// Of one image's way through a supernet that computes every candidate on every edge.
std::int64_t supernet_multiply_adds(const SearchSpace& space, const NetworkShape& shape);

}  // namespace ptnas
