#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ptnas/core/run_directory.h"

namespace ptnas {
namespace {

TEST(EnvironmentTest, SaysWhatDecidesTheBits) {
  const Json environment = describe_environment({"ptnas", "run", "--seed", "3"}, 2);
  EXPECT_NO_THROW(check_version(environment, "ptnas-environment", 1, "environment"));
  for (const char* key : {"ptnas", "compiler", "kernel", "machine", "cpu", "vector_target"}) {
    ASSERT_TRUE(environment.contains(key)) << key;
    EXPECT_FALSE(environment[key].get<std::string>().empty()) << key;
  }
  EXPECT_EQ(environment["threads"], 2);
  EXPECT_EQ(environment["command_lines"], Json::parse(R"([["ptnas", "run", "--seed", "3"]])"));
  const std::vector<std::string> targets = {"avx512", "avx2", "neon", "scalar"};
  EXPECT_NE(std::find(targets.begin(), targets.end(), environment["vector_target"].get<std::string>()),
            targets.end());
}

}  // namespace
}  // namespace ptnas
