#pragma once

#include <vector>

#include "ptnas/core/json.h"

namespace ptnas {

/// What `ptnas bench kernels` times: each kernel on one thread over a few images that stay in the second
/// cache, at the widths and sizes of the CIFAR supernet's cells. Returns {"peak_gflops": .., "vector_target":
/// .., "kernels": [{"name", "channels", "size", "microseconds", "gflops", "share_of_peak"}]}; the peak is
/// that of multiply-adds in registers with the widest vectors, measured on the spot.
Json bench_kernels();

}  // namespace ptnas
