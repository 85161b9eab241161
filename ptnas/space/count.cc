#include "ptnas/space/count.h"

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

// A stack of [channels, height, width].
struct Map {
  std::int64_t channels, height, width;
  std::int64_t pixels() const { return height * width; }
};

Map halved(const Map& map, std::int64_t channels) {
  return {channels, (map.height + 1) / 2, (map.width + 1) / 2};
}

class Counter {
 public:
  NetworkCost cost;

  // A convolution without bias that makes `out`.
  void convolution(std::int64_t in, const Map& out, int kernel, std::int64_t groups = 1) {
    const std::int64_t weights = out.channels * (in / groups) * kernel * kernel;
    cost.parameters += weights;
    add_multiply_adds(weights, out.pixels());
  }
  void batch_norm(std::int64_t channels) { cost.parameters += 2 * channels; }
  void linear(std::int64_t in, std::int64_t out) {
    cost.parameters += in * out + out;
    add_multiply_adds(in * out + out, 1);
  }
  void relu_conv_bn(const Map& in, std::int64_t channels) {
    convolution(in.channels, {channels, in.height, in.width}, 1);
    batch_norm(channels);
  }
  void factorized_reduce(const Map& in, std::int64_t channels) {
    const Map out = halved(in, channels);
    convolution(in.channels, {channels - channels / 2, out.height, out.width}, 1);
    convolution(in.channels, {channels / 2, out.height, out.width}, 1);
    batch_norm(channels);
  }
  // NAS-Bench-201's: two ReLU-conv3x3-BN, the first of stride 2, and a 2x2 average pool with conv1x1 aside.
  Map residual_block(const Map& in) {
    const Map out = halved(in, 2 * in.channels);
    convolution(in.channels, out, 3);
    batch_norm(out.channels);
    convolution(out.channels, out, 3);
    batch_norm(out.channels);
    convolution(in.channels, out, 1);
    return out;
  }
  void depthwise_separable(const Map& out, int kernel) {
    convolution(out.channels, out, kernel, out.channels);
    convolution(out.channels, out, 1);
    batch_norm(out.channels);
  }
  void operation(OperationKind kind, const Map& in, int stride) {
    const Map out = stride == 2 ? halved(in, in.channels) : in;
    switch (kind) {
      case OperationKind::kSkipConnect:
        if (stride == 2) factorized_reduce(in, in.channels);
        break;
      case OperationKind::kSepConv3x3:
      case OperationKind::kSepConv5x5:
        for (int stage = 0; stage < 2; ++stage)
          depthwise_separable(out, kind == OperationKind::kSepConv3x3 ? 3 : 5);
        break;
      case OperationKind::kDilConv3x3:
      case OperationKind::kDilConv5x5:
        depthwise_separable(out, kind == OperationKind::kDilConv3x3 ? 3 : 5);
        break;
      case OperationKind::kNorConv1x1:
      case OperationKind::kNorConv3x3:
        convolution(in.channels, out, kind == OperationKind::kNorConv1x1 ? 1 : 3);
        batch_norm(out.channels);
        break;
      case OperationKind::kNone:
      case OperationKind::kMaxPool3x3:
      case OperationKind::kAvgPool3x3:
      case OperationKind::kNoise:
        break;
    }
  }

 private:
  void add_multiply_adds(std::int64_t weights, std::int64_t pixels) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(weights, pixels, &product) ||
        __builtin_add_overflow(cost.multiply_adds, product, &cost.multiply_adds)) {
      fail_usage("a network of more than 2^63 multiply-adds cannot be counted; make it smaller");
    }
  }
};

void check(const NetworkShape& shape) {
  // The limits keep every count of parameters within 64 bits.
  const auto check = [](const char* what, int value, int most) {
    if (value < 1 || value > most) fail_usage("a network's {} must be 1 to {}, not {}", what, most, value);
  };
  check("channels", shape.channels, 1 << 16);
  check("cells", shape.cells, 1000);
  check("classes", shape.classes, 1 << 24);
  check("image channels", shape.image_channels, 1 << 16);
  check("image height", shape.height, 1 << 20);
  check("image width", shape.width, 1 << 20);
  if (shape.stem == StemKind::kImageNet && shape.channels < 2)
    fail_usage("the stem for ImageNet has channels/2 in the middle: give at least 2 channels, not 1");
}

}  // namespace

std::string_view name_of(StemKind stem) { return stem == StemKind::kCifar ? "cifar" : "imagenet"; }

StemKind stem_from_name(const std::string& name) {
  for (const StemKind stem : {StemKind::kCifar, StemKind::kImageNet}) {
    if (name == name_of(stem)) return stem;
  }
  fail_usage("a stem must be cifar or imagenet, not `{}`", name);
}

namespace {

// A cell's inputs, preprocessed, and its nodes.
struct CellMaps {
  bool reduction;
  Map input, inner;
};

// The inputs of the first cell.
struct StemMaps {
  Map older, newer;
};

StemMaps count_stem(Counter& counter, Family family, const NetworkShape& shape) {
  const Map image{shape.image_channels, shape.height, shape.width};
  const auto step = [&counter](const Map& in, const Map& out) {
    counter.convolution(in.channels, out, 3);
    counter.batch_norm(out.channels);
    return out;
  };
  if (shape.stem == StemKind::kCifar) {
    const Map stem = step(image, {stem_channels(family, shape.channels), image.height, image.width});
    return {stem, stem};
  }
  const Map middle = step(image, halved(image, shape.channels / 2));
  const Map older = step(middle, halved(middle, shape.channels));
  return {older, step(older, halved(older, shape.channels))};
}

// NAS-Bench-201's skeleton; edges(counter, maps) counts a cell's edges.
template <typename Edges>
NetworkCost count_stages(const NetworkShape& shape, const Edges& edges) {
  check(shape);
  if (shape.stem != StemKind::kCifar)
    fail_usage("NAS-Bench-201's network has its own stem; leave the stem for ImageNet out");
  Counter counter;
  Map map = count_stem(counter, Family::kNasBench201, shape).newer;
  const int cells = cell_count(Family::kNasBench201, shape.cells);
  for (int i = 0; i < cells; ++i) {
    if (is_reduction_cell(i, cells)) {
      map = counter.residual_block(map);
    } else {
      edges(counter, CellMaps{false, map, map});
    }
  }
  counter.batch_norm(map.channels);
  counter.linear(map.channels, shape.classes);
  return counter.cost;
}

// The DARTS family's stem, preprocessing and classifier; edges(counter, maps) counts a cell's edges.
template <typename Edges>
NetworkCost count_cells(const NetworkShape& shape, std::int64_t nodes[2], const Edges& edges) {
  check(shape);
  Counter counter;
  auto [older, newer] = count_stem(counter, Family::kDarts, shape);
  std::int64_t channels = shape.channels;
  bool newer_is_reduction = shape.stem == StemKind::kImageNet;  // the older input is twice as large
  for (int i = 0; i < shape.cells; ++i) {
    const bool reduction = is_reduction_cell(i, shape.cells);
    if (reduction) channels *= 2;
    if (newer_is_reduction) {
      counter.factorized_reduce(older, channels);
    } else {
      counter.relu_conv_bn(older, channels);
    }
    counter.relu_conv_bn(newer, channels);
    const Map input{channels, newer.height, newer.width};
    const Map inner = reduction ? halved(input, channels) : input;
    edges(counter, CellMaps{reduction, input, inner});
    older = newer;
    newer = {channels * nodes[reduction ? 1 : 0], inner.height, inner.width};
    newer_is_reduction = reduction;
  }
  counter.linear(newer.channels, shape.classes);
  return counter.cost;
}

void count_edge(Counter& counter, OperationKind kind, int from, const CellMaps& maps) {
  const bool from_input = from < input_count(Family::kDarts);
  counter.operation(kind, from_input ? maps.input : maps.inner, maps.reduction && from_input ? 2 : 1);
}

}  // namespace

NetworkShape usual_shape(Family family) {
  NetworkShape shape;
  if (family == Family::kNasBench201) {
    shape.channels = 16;
    shape.cells = 5;
  }
  return shape;
}

NetworkCost count_network(const Genotype& genotype, const NetworkShape& shape) {
  validate(genotype, "the genotype");
  const auto edges = [&](Counter& counter, const CellMaps& maps) {
    for (const auto& node : genotype.of(maps.reduction ? CellType::kReduction : CellType::kNormal)) {
      for (const GenotypeEdge& edge : node) count_edge(counter, edge.operation, edge.from, maps);
    }
  };
  if (genotype.family == Family::kNasBench201) return count_stages(shape, edges);
  std::int64_t nodes[2];
  for (const CellType type : kCellTypes)
    nodes[static_cast<int>(type)] = static_cast<std::int64_t>(genotype.of(type).size());
  return count_cells(shape, nodes, edges);
}

std::int64_t supernet_multiply_adds(const SearchSpace& space, const NetworkShape& shape) {
  validate(space);
  const auto edges = [&](Counter& counter, const CellMaps& maps) {
    const auto& candidates = space.of(maps.reduction ? CellType::kReduction : CellType::kNormal);
    for (int e = 0; e < space.edge_count(); ++e) {
      for (const OperationKind kind : candidates[static_cast<std::size_t>(e)])
        count_edge(counter, kind, space.edge(e).from, maps);
    }
  };
  if (space.family == Family::kNasBench201) return count_stages(shape, edges).multiply_adds;
  std::int64_t nodes[2] = {space.nodes, space.nodes};
  return count_cells(shape, nodes, edges).multiply_adds;
}

}  // namespace ptnas
