#pragma once

namespace ptnas {

/// Makes the first SIGINT or SIGTERM set a flag and the second one end the process at once with status 130.
void install_interrupt_handler();

/// True after the first signal; loops ask at every step, save, and throw Interrupted.
bool interrupt_requested();

/// For tests: sets or clears the flag.
void set_interrupt_requested(bool value);

}  // namespace ptnas
