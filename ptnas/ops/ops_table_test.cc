#include <gtest/gtest.h>
#include <torch/utils.h>

#include "ptnas/ops/operation.h"

namespace ptnas {
namespace {

torch::Tensor images(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  torch::manual_seed(1);
  return torch::randn({n, c, h, w});
}

// Every operation, use, stride, memory format, odd and even sizes, one channel and several.
TEST(OperationTest, EveryOperationGivesTheStridedShape) {
  for (const OperationInfo& info : operation_table()) {
    for (const OperationUse use :
         {OperationUse::kSearch, OperationUse::kSearchNasBench201, OperationUse::kDerived}) {
      for (const int stride : {1, 2}) {
        for (const int channels : {1, 3, 4}) {
          const auto operation = make_operation(info.kind, {channels, stride, use});
          for (const auto& [h, w] : {std::pair{8, 8}, {7, 7}, {5, 8}, {2, 3}, {1, 1}}) {
            const torch::Tensor x = images(2, channels, h, w);
            const std::vector<std::int64_t> expected = {2, channels, (h + stride - 1) / stride,
                                                        (w + stride - 1) / stride};
            EXPECT_EQ(operation->forward(x, {}, 0).sizes().vec(), expected)
                << info.name << " stride " << stride << " size " << h << "x" << w;
          }
        }
      }
    }
  }
}

TEST(OperationTest, MemoryFormatChangesNoValueAndIsKept) {
  for (const OperationInfo& info : operation_table()) {
    for (const int stride : {1, 2}) {
      const auto operation = make_operation(info.kind, {4, stride, OperationUse::kSearch});
      const torch::Tensor x = images(3, 4, 6, 6);
      const torch::Tensor plain = operation->forward(x, {}, 0);
      const torch::Tensor last = operation->forward(x.contiguous(torch::MemoryFormat::ChannelsLast), {}, 0);
      EXPECT_TRUE(torch::allclose(plain, last, 1e-4, 1e-5)) << info.name << " stride " << stride;
      EXPECT_TRUE(last.is_contiguous(torch::MemoryFormat::ChannelsLast)) << info.name << " stride " << stride;
    }
  }
}

std::vector<std::string> names(const torch::nn::Module& module) {
  std::vector<std::string> result;
  for (const auto& item : module.named_parameters()) result.push_back(item.key());
  for (const auto& item : module.named_buffers()) {
    if (item.key().ends_with("running_mean")) result.push_back(item.key());
  }
  return result;
}

TEST(OperationTest, ParametersHaveThePublishedNames) {
  using Names = std::vector<std::string>;
  const auto of = [](OperationKind kind, int stride, OperationUse use) {
    return names(*make_operation(kind, {4, stride, use}));
  };
  EXPECT_EQ(of(OperationKind::kSepConv5x5, 1, OperationUse::kSearch),
            (Names{"op.1.weight", "op.2.weight", "op.5.weight", "op.6.weight", "op.3.running_mean",
                   "op.7.running_mean"}));
  EXPECT_EQ(of(OperationKind::kDilConv3x3, 2, OperationUse::kDerived),
            (Names{"op.1.weight", "op.2.weight", "op.3.weight", "op.3.bias", "op.3.running_mean"}));
  EXPECT_EQ(of(OperationKind::kMaxPool3x3, 2, OperationUse::kSearch), Names{"1.running_mean"});
  EXPECT_EQ(of(OperationKind::kMaxPool3x3, 2, OperationUse::kDerived), Names{});
  EXPECT_EQ(of(OperationKind::kSkipConnect, 2, OperationUse::kSearch),
            (Names{"conv_1.weight", "conv_2.weight", "bn.running_mean"}));
  EXPECT_EQ(of(OperationKind::kSkipConnect, 1, OperationUse::kSearch), Names{});
  EXPECT_EQ(of(OperationKind::kNorConv3x3, 1, OperationUse::kSearchNasBench201),
            (Names{"op.1.weight", "op.2.running_mean"}));
  EXPECT_EQ(of(OperationKind::kNorConv1x1, 1, OperationUse::kDerived),
            (Names{"op.1.weight", "op.2.weight", "op.2.bias", "op.2.running_mean"}));
  EXPECT_EQ(of(OperationKind::kAvgPool3x3, 1, OperationUse::kSearchNasBench201), Names{});
}

TEST(OperationTest, NorConvIsReluConvolutionAndNorm) {
  for (const auto& [kind, padding] :
       {std::pair{OperationKind::kNorConv1x1, 0}, {OperationKind::kNorConv3x3, 1}}) {
    for (const int stride : {1, 2}) {
      const auto operation = make_operation(kind, {4, stride, OperationUse::kSearchNasBench201});
      const torch::Tensor x = images(2, 4, 7, 6);
      torch::Tensor expected =
          torch::conv2d(torch::relu(x), operation->named_parameters()["op.1.weight"], {}, stride, padding);
      expected = torch::batch_norm(expected, {}, {}, {}, {}, true, 0.1, 1e-5, true);
      EXPECT_TRUE(torch::allclose(operation->forward(x, {}, 0), expected, 1e-4, 1e-5));
    }
  }
}

// The convolutions of an operation against the same written out.
TEST(OperationTest, SeparableConvolutionIsTwoStagesWithTheStrideInTheFirst) {
  const auto operation = make_operation(OperationKind::kSepConv3x3, {4, 2, OperationUse::kSearch});
  const auto parameters = operation->named_parameters();
  const torch::Tensor x = images(2, 4, 7, 6);
  torch::Tensor expected = x;
  for (const int first : {1, 5}) {
    expected = torch::conv2d(torch::relu(expected), parameters["op." + std::to_string(first) + ".weight"], {},
                             first == 1 ? 2 : 1, 1, 1, 4);
    expected = torch::conv2d(expected, parameters["op." + std::to_string(first + 1) + ".weight"]);
    expected = torch::batch_norm(expected, {}, {}, {}, {}, true, 0.1, 1e-5, true);
  }
  EXPECT_TRUE(torch::allclose(operation->forward(x, {}, 0), expected, 1e-4, 1e-5));
}

TEST(OperationTest, DilatedConvolutionHasDilationTwo) {
  const auto operation = make_operation(OperationKind::kDilConv5x5, {4, 1, OperationUse::kSearch});
  const auto parameters = operation->named_parameters();
  const torch::Tensor x = images(2, 4, 8, 8);
  torch::Tensor expected = torch::conv2d(torch::relu(x), parameters["op.1.weight"], {}, 1, 4, 2, 4);
  expected = torch::conv2d(expected, parameters["op.2.weight"]);
  expected = torch::batch_norm(expected, {}, {}, {}, {}, true, 0.1, 1e-5, true);
  EXPECT_TRUE(torch::allclose(operation->forward(x, {}, 0), expected, 1e-4, 1e-5));
}

TEST(OperationTest, SkipIsTheInputItselfAndNoneIsZero) {
  const torch::Tensor x = images(2, 3, 4, 4);
  const auto skip = make_operation(OperationKind::kSkipConnect, {3, 1, OperationUse::kSearch});
  const auto none = make_operation(OperationKind::kNone, {3, 2, OperationUse::kSearch});
  EXPECT_TRUE(skip->forward(x, {}, 0).is_same(x));
  EXPECT_EQ(none->forward(x, {}, 0).abs().max().item<float>(), 0);
}

TEST(OperationTest, OperationsOfOneSourceShareItsRelu) {
  const Source source(images(1, 2, 4, 4));
  EXPECT_TRUE(source.rectified().is_same(source.rectified()));
  EXPECT_TRUE(torch::equal(source.rectified(), torch::relu(source.value())));
}

}  // namespace
}  // namespace ptnas
