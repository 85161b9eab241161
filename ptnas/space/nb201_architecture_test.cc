#include "ptnas/space/nb201_architecture.h"

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

constexpr const char* kText =
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_3x3~0|none~1|skip_connect~2|";

void expect_refused(const std::string& text, const std::vector<std::string>& says) {
  expect_error([&] { parse_nb201_architecture(text, "ARCH"); }, says);
}

TEST(Nb201Architecture, ReadsTheOperationsEdgeByEdge) {
  using O = Nb201Operation;
  const Nb201Architecture architecture = parse_nb201_architecture(kText, "ARCH");
  EXPECT_EQ(architecture.operations, (std::array<O, 6>{O::kAvgPool3x3, O::kNorConv1x1, O::kSkipConnect,
                                                       O::kNorConv3x3, O::kNone, O::kSkipConnect}));
  EXPECT_EQ(format_nb201_architecture(architecture), kText);
}

TEST(Nb201Architecture, EveryArchitectureIsWrittenAndReadBack) {
  for (int number = 0; number < kNb201ArchitectureCount; ++number) {
    Nb201Architecture architecture;
    int rest = number;
    for (Nb201Operation& operation : architecture.operations) {
      operation = static_cast<Nb201Operation>(rest % kNb201OperationCount);
      rest /= kNb201OperationCount;
    }
    ASSERT_EQ(parse_nb201_architecture(format_nb201_architecture(architecture), "ARCH"), architecture);
  }
}

TEST(Nb201Architecture, WrongTextsAreRefusedInOneSentence) {
  expect_refused("", {"ARCH", "expected `|` at character 1", "|op~0|+"});
  const std::string text = kText;
  expect_refused("|sep_conv_3x3~0" + text.substr(15), {"sep_conv_3x3", "nor_conv_3x3", "at character 2"});
  expect_refused("|none~1|" + text.substr(16), {"expected `~0|` at character 6"});
  expect_refused(text + "|", {"expected the end"});
  expect_refused(text + "\n", {"|skip_connect~2|?`", "expected the end"});
  expect_refused("64:64:64:64:64", {"64:64:64:64:64", "not an architecture of NAS-Bench-201"});
  expect_refused(std::string(100000, 'x'), {"xxx...`"});
}

TEST(Nb201Architecture, EveryTruncationIsRefused) {
  const std::string text = kText;
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_THROW(parse_nb201_architecture(text.substr(0, size), "ARCH"), Error) << size;
}

}  // namespace
}  // namespace ptnas
