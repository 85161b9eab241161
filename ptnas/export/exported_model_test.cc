#include "ptnas/export/exported_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>

#include "ptnas/core/error.h"
#include "ptnas/export/network_graph.h"
#include "ptnas/space/derive.h"

namespace ptnas {
namespace {

constexpr double kTolerance = 2e-5;

ExportCard card_of(int channels, int height, int width, std::vector<std::string> classes = {"a", "b"}) {
  ExportCard card;
  card.info.name = "folder";
  card.info.classes = std::move(classes);
  card.info.channels = channels == 1 ? 1 : 3;
  card.info.height = height;
  card.info.width = width;
  card.info.mean.assign(static_cast<std::size_t>(card.info.channels), 0.25);
  card.info.deviation.assign(static_cast<std::size_t>(card.info.channels), 0.5);
  card.genotype = Json::object();
  return card;
}

// Weights and statistics of which none is 0 or 1, so that one that is lost or mistaken shows.
void randomise(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (const auto& item : module.named_parameters()) {
    torch::Tensor parameter = item.value();
    const double scale =
        parameter.dim() > 1 ? 1.5 / std::sqrt(double(parameter.numel() / parameter.size(0))) : 1;
    parameter.uniform_(-scale, scale);
    if (parameter.dim() == 1 && item.key().ends_with("weight")) parameter.add_(1.5);
  }
  for (const auto& item : module.named_buffers()) {
    torch::Tensor buffer = item.value();
    if (item.key().ends_with("running_mean")) buffer.uniform_(-0.5, 0.5);
    if (item.key().ends_with("running_var")) buffer.uniform_(0.5, 2);
  }
  module.eval();
}

// Writes, reads back, runs; both batch sizes by one file.
void expect_same(const ExportFormat& format, const Graph& graph, const ExportCard& card,
                 const torch::Tensor& images, const torch::Tensor& expected, const std::string& what) {
  const auto exported = format.read(format.write(graph, card), what);
  for (const std::int64_t count : {images.size(0), std::int64_t{1}}) {
    ExportDifference difference;
    difference.add(expected.slice(0, 0, count), exported->run(images.slice(0, 0, count)));
    EXPECT_TRUE(difference.within(kTolerance))
        << what << " as " << format.name << ", " << count << " images: " << difference.largest << " of "
        << difference.magnitude;
  }
}

struct OperationCase {
  OperationKind kind;
  int stride, channels, height, width;
  std::string name() const {
    return fmt::format("{} of stride {}, {} channels, {}x{}", name_of(kind), stride, channels, height, width);
  }
};

// An affine batch-norm after it makes an operation without nodes of its own a graph.
void expect_operation(const ExportFormat& format, const OperationCase& c) {
  const auto operation = make_operation(c.kind, {c.channels, c.stride, OperationUse::kDerived});
  randomise(*operation);
  BatchNorm last(c.channels, true);
  randomise(last);
  Graph graph({c.channels, c.height, c.width});
  graph.batch_norm(append_operation(graph, 0, operation->parts(), c.stride, "op"), "last", last);
  const ExportCard card = card_of(c.channels, c.height, c.width);
  const torch::Tensor images = torch::randn({3, c.channels, c.height, c.width});
  const torch::NoGradGuard no_grad;
  if (c.kind != OperationKind::kNoise) {
    const torch::Tensor expected = last.forward(operation->forward(images, {}, 0));
    expect_same(format, graph, card, images, expected, c.name());
    return;
  }
  EXPECT_TRUE(graph.has_noise());
  if (!format.has_noise) {
    EXPECT_THROW(format.write(graph, card), Error);
    return;
  }
  const torch::Tensor found = format.read(format.write(graph, card), c.name())->run(images);
  EXPECT_EQ(found.sizes(), operation->forward(images, {}, 0).sizes()) << c.name();
  EXPECT_GT(found.std().item<double>(), 0) << c.name();
}

TEST(ExportedModelTest, EveryOperationInEveryFormat) {
  torch::manual_seed(3);
  for (const ExportFormat& format : export_formats()) {
    for (const OperationInfo& info : operation_table()) {
      for (const int stride : {1, 2}) {
        for (const auto& [channels, height, width] :
             {std::tuple{4, 8, 8}, {4, 7, 7}, {3, 9, 12}, {1, 5, 5}, {6, 16, 3}})
          expect_operation(format, {info.kind, stride, channels, height, width});
      }
    }
  }
}

// Input preprocessing, as cells and residual blocks have it.
TEST(ExportedModelTest, EveryPreprocessing) {
  torch::manual_seed(4);
  for (const ExportFormat& format : export_formats()) {
    for (const int side : {8, 9}) {
      const torch::Tensor images = torch::randn({2, 3, side, side});
      const auto check = [&](Preprocess& module, int stride, const std::string& what) {
        randomise(module);
        Graph graph({3, side, side});
        append_operation(graph, 0, module.parts(), stride, "preprocess");
        const torch::NoGradGuard no_grad;
        expect_same(format, graph, card_of(3, side, side), images, module.forward(images),
                    fmt::format("{} of {} pixels", what, side));
      };
      ReluConvBn one(3, 5, true), three(3, 4, true, 3, 2);
      FactorizedReduce reduce(3, 5, true), narrow(3, 1, true);
      check(one, 1, "1x1");
      check(three, 2, "3x3 of stride 2");
      check(reduce, 2, "factorized reduction");
      check(narrow, 2, "factorized reduction to one channel");
    }
  }
}

void expect_network(const Genotype& genotype, const NetworkShape& shape, bool normalise) {
  DerivedNetwork network(genotype, shape, /*auxiliary=*/genotype.family == Family::kDarts);
  randomise(network);
  const std::vector<double> mean{0.4, 0.5, 0.45}, deviation{0.2, 0.25, 0.3};
  const auto by_channel = [&](const std::vector<double>& values) {
    return torch::tensor(values, torch::kFloat).slice(0, 0, shape.image_channels).view({1, -1, 1, 1});
  };
  const auto used = [&](const std::vector<double>& values) {
    return std::vector<double>(values.begin(), values.begin() + shape.image_channels);
  };
  const Graph graph = normalise ? graph_of(network, used(mean), used(deviation)) : graph_of(network);
  const torch::Tensor images = torch::rand({3, shape.image_channels, shape.height, shape.width});
  const torch::NoGradGuard no_grad;
  const torch::Tensor seen = normalise ? (images - by_channel(mean)) / by_channel(deviation) : images;
  const torch::Tensor expected = network.forward(seen, 0, {}).logits;
  ExportCard card = card_of(shape.image_channels, shape.height, shape.width);
  card.normalises = normalise;
  for (const ExportFormat& format : export_formats()) {
    if (graph.has_noise() && !format.has_noise) {
      EXPECT_THROW(format.write(graph, card), Error);
    } else if (graph.has_noise()) {
      EXPECT_EQ(format.read(format.write(graph, card), "noise")->run(images).sizes(), expected.sizes());
    } else {
      expect_same(format, graph, card, images, expected,
                  fmt::format("{}, {} channels, {} cells, {}x{}", to_json(genotype).dump(), shape.channels,
                              shape.cells, shape.height, shape.width));
    }
  }
}

TEST(ExportedModelTest, RandomNetworksOfEverySpace) {
  torch::manual_seed(5);
  RandomStream stream(1, Purpose::kRandomSelection);
  for (const char* name : {"darts", "s1", "s2", "s3", "s4", "nb201"}) {
    const SearchSpace space = make_space(name, 4, false);
    for (int i = 0; i < 3; ++i) {
      const NetworkShape shape{.channels = 2 + 3 * i,
                               .cells = 1 + i,
                               .classes = 2 + i,
                               .image_channels = i == 1 ? 1 : 3,
                               .height = 8 + 5 * i,
                               .width = 8 + 4 * i};
      expect_network(random_genotype(space, stream), shape, i % 2 == 0);
    }
  }
}

TEST(ExportedModelTest, ImageNetsNetwork) {
  torch::manual_seed(6);
  const SearchSpace space = make_space("darts", 4, false);
  RandomStream stream(2, Purpose::kRandomSelection);
  for (const int side : {32, 33, 47}) {
    const NetworkShape shape{
        .channels = 6, .cells = 3, .classes = 5, .height = side, .width = side, .stem = StemKind::kImageNet};
    expect_network(random_genotype(space, stream), shape, true);
  }
}

Genotype genotype_with(std::vector<std::vector<GenotypeEdge>> nodes) {
  Genotype genotype;
  genotype.cells[0] = genotype.cells[1] = std::move(nodes);
  return genotype;
}

// Values that are summed with themselves, concatenated with themselves, or are zeros.
TEST(ExportedModelTest, NetworksThatMostGenotypesAreNot) {
  using Op = OperationKind;
  torch::manual_seed(7);
  const NetworkShape shape{.channels = 4, .cells = 4, .classes = 3, .height = 11, .width = 11};
  const std::vector<std::vector<std::vector<GenotypeEdge>>> cells = {
      {{{Op::kSkipConnect, 0}, {Op::kSkipConnect, 0}}},
      {{{Op::kSkipConnect, 1}, {Op::kSkipConnect, 1}}, {{Op::kSkipConnect, 1}, {Op::kNone, 0}}},
      {{{Op::kNone, 0}, {Op::kNone, 1}}, {{Op::kSkipConnect, 2}, {Op::kMaxPool3x3, 1}}},
      {{{Op::kNone, 0}}, {{Op::kNone, 2}}},
      {{{Op::kSkipConnect, 1}}, {{Op::kSkipConnect, 2}}, {{Op::kSkipConnect, 3}}},
      {{{Op::kSepConv3x3, 0}, {Op::kAvgPool3x3, 0}, {Op::kDilConv5x5, 1}, {Op::kSkipConnect, 1}}},
      {{{Op::kSepConv5x5, 1}, {Op::kSkipConnect, 1}}, {{Op::kNorConv3x3, 2}, {Op::kNorConv1x1, 0}}},
      {{{Op::kNoise, 0}, {Op::kSkipConnect, 1}}, {{Op::kDilConv3x3, 2}, {Op::kNone, 0}}},
  };
  for (const auto& nodes : cells) expect_network(genotype_with(nodes), shape, true);
  for (const char* text : {"|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
                           "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|none~1|skip_connect~2|",
                           "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"})
    expect_network(genotype_from_text(text, "text"), {.channels = 4, .cells = 2, .height = 13, .width = 10},
                   true);
}

std::vector<std::string> hostile_names() {
  return {"plain",
          "two words",
          "com,ma",
          "quo\"te'",
          "back\\slash",
          "new\nline\ttab",
          "\xE2\x98\x83 snow",
          "\"],\"x\":[",
          "{}",
          "",
          "%s%n",
          "<script>",
          std::string("nul\0byte", 8),
          std::string(5000, 'x')};
}

TEST(ExportedModelTest, TheCardComesBackWhateverTheClassesAreCalled) {
  for (const ExportFormat& format : export_formats()) {
    const NetworkShape shape{.channels = 2, .cells = 1, .classes = 14, .height = 9, .width = 8};
    DerivedNetwork network(genotype_with({{{OperationKind::kSepConv3x3, 0}}}), shape, false);
    ExportCard card = card_of(3, 9, 8, hostile_names());
    card.info.mean = {0.1, 1.0 / 3, 0.3};
    card.genotype = to_json(network.genotype());
    const auto exported =
        format.read(format.write(graph_of(network, card.info.mean, card.info.deviation), card), "the file");
    EXPECT_EQ(exported->card().info.classes, card.info.classes);
    EXPECT_EQ(exported->card().info.mean, card.info.mean);
    EXPECT_EQ(exported->card().info.name, "folder");
    EXPECT_EQ(exported->card().info.height, 9);
    EXPECT_EQ(exported->card().genotype, card.genotype);
    EXPECT_TRUE(exported->card().normalises);
  }
}

TEST(ExportedModelTest, DamagedFilesAreRefused) {
  const NetworkShape shape{.channels = 2, .cells = 1, .classes = 2, .height = 8, .width = 8};
  DerivedNetwork network(genotype_with({{{OperationKind::kSepConv3x3, 0}}}), shape, false);
  randomise(network);
  for (const ExportFormat& format : export_formats()) {
    const std::string bytes = format.write(graph_of(network), card_of(3, 8, 8));
    EXPECT_EQ(export_format_of(bytes), &format);
    for (const double share : {0.0, 0.1, 0.5, 0.9, 0.999})
      EXPECT_THROW(
          format.read(bytes.substr(0, static_cast<std::size_t>(share * double(bytes.size()))), "half"), Error)
          << format.name << " cut to " << share;
    for (const ExportFormat& other : export_formats()) {
      if (&other == &format) continue;
      EXPECT_THROW(other.read(bytes, "foreign"), Error);
    }
    const auto exported = format.read(bytes, "whole");
    EXPECT_THROW(exported->run(torch::randn({2, 5, 8, 8})), Error) << format.name;
  }
  EXPECT_EQ(export_format_of("PNG"), nullptr);
  EXPECT_THROW(export_format("onyx"), Error);
}

TEST(ExportedModelTest, ACardOutOfRangeIsRefused) {
  const Json good = to_json(card_of(3, 8, 8));
  EXPECT_NO_THROW(export_card_from_json(good, "card"));
  const auto with = [&](const char* key, const Json& value) {
    Json json = good;
    json[key] = value;
    return json;
  };
  for (const Json& bad : {with("version", 99), with("format", "other"), with("classes", Json::array()),
                          with("classes", 3), with("image", {3, 8}), with("image", {2, 8, 8}),
                          with("image", {3, 0, 8}), with("image", {3, 8, 1 << 20}), with("mean", {1.0}),
                          with("deviation", {0.5, 0.0, 0.5}), with("deviation", {0.5, -1.0, 0.5})})
    EXPECT_THROW(export_card_from_json(bad, "card"), Error) << bad.dump();
  Json missing = good;
  missing.erase("input");
  EXPECT_THROW(export_card_from_json(missing, "card"), Error);
}

TEST(ExportDifferenceTest, IsTheLargestAndInfiniteForWhatIsNotFinite) {
  ExportDifference difference;
  difference.add(torch::tensor({{1.0f, -20.0f}}), torch::tensor({{1.5f, -20.0f}}));
  difference.add(torch::tensor({{1.0f, 2.0f}}), torch::tensor({{1.0f, 2.25f}}));
  EXPECT_DOUBLE_EQ(difference.largest, 0.5);
  EXPECT_DOUBLE_EQ(difference.magnitude, 20);
  EXPECT_TRUE(difference.within(0.025));
  EXPECT_FALSE(difference.within(0.0249));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const torch::Tensor& found : {torch::tensor({{nan, 1.0f}}), torch::ones({2, 1})}) {
    ExportDifference infinite;
    infinite.add(torch::ones({1, 2}), found);
    EXPECT_FALSE(infinite.within(1e30));
  }
  ExportDifference both;
  both.add(torch::tensor({nan}), torch::tensor({nan}));
  EXPECT_FALSE(both.within(1e30));
}

}  // namespace
}  // namespace ptnas
