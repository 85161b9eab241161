#pragma once

namespace ptnas {

/// Makes SIGINT and SIGTERM end the process at once with status 130: there is nothing to save yet.
void install_interrupt_handler();

/// From now on the first signal sets a flag, for loops that save before they stop; a second one ends the
/// process at once.
void defer_interrupts();

/// True after the first signal; loops ask at every step, save, and throw Interrupted.
bool interrupt_requested();

/// For tests: sets or clears the flag.
void set_interrupt_requested(bool value);

}  // namespace ptnas
