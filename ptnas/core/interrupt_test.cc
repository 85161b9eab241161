#include "ptnas/core/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace ptnas {
namespace {

// Signals are raised in a process of its own, so that this one keeps its handlers.
TEST(InterruptTest, TheFirstSignalIsRemembered) {
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          install_interrupt_handler();
          defer_interrupts();
          const bool before = interrupt_requested();
          ::raise(signal);
          ::_exit(!before && interrupt_requested() ? 42 : 1);
        },
        ::testing::ExitedWithCode(42), "");
  }
}

TEST(InterruptTest, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        install_interrupt_handler();
        defer_interrupts();
        ::raise(SIGINT);
        ::raise(SIGTERM);
        ::_exit(1);
      },
      ::testing::ExitedWithCode(130), "");
}

TEST(InterruptTest, WithNothingToSaveTheFirstSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        install_interrupt_handler();
        ::raise(SIGINT);
        ::_exit(1);
      },
      ::testing::ExitedWithCode(130), "");
}

TEST(InterruptTest, TheFlagCanBeSetByTests) {
  set_interrupt_requested(true);
  EXPECT_TRUE(interrupt_requested());
  set_interrupt_requested(false);
  EXPECT_FALSE(interrupt_requested());
}

}  // namespace
}  // namespace ptnas
