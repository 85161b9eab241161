#include "ptnas/core/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace ptnas {

namespace {

std::atomic<bool> requested{false}, deferred{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void handle_signal(int) {
  if (!deferred.load() || requested.exchange(true)) ::_exit(130);
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action = {};
  action.sa_handler = handle_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void defer_interrupts() { deferred.store(true); }

bool interrupt_requested() { return requested.load(std::memory_order_relaxed); }

void set_interrupt_requested(bool value) { requested.store(value); }

}  // namespace ptnas
