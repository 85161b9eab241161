#include "ptnas/core/runtime_options.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace ptnas {
namespace {

TEST(RuntimeOptionsTest, CoresAreThoseOfTheAffinityMask) {
  const int all = available_cores();
  EXPECT_GE(all, 1);
  EXPECT_LE(all, static_cast<int>(std::thread::hardware_concurrency()));
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_cores(), 1);
  sched_setaffinity(0, sizeof before, &before);
  EXPECT_EQ(available_cores(), all);
}

}  // namespace
}  // namespace ptnas
