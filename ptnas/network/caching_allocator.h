#pragma once

#include <cstddef>

namespace ptnas {

/// Makes libtorch's CPU tensors of 64 KiB and more come from a cache of blocks that are used again from step
/// to step, in huge pages where they are large. The system's allocator gives such blocks back at once, and
/// getting them anew costs a page fault for every 4 KiB. Once, before tensors are made; for the whole
/// process; thread-safe.
void install_caching_allocator();

/// The most bytes of such blocks that were in use at one time since reset_peak_bytes(). 0 where it is not
/// installed.
std::size_t peak_bytes();
void reset_peak_bytes();

}  // namespace ptnas
