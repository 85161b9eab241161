#pragma once

#include <cstdint>

#include "ptnas/core/json.h"
#include "ptnas/data/dataset.h"

namespace ptnas {

/// How fast a data set's training images are read and augmented: `batches` of `batch` images in a shuffled
/// order (from the beginning again where there are fewer), prepared by `threads` and taken as soon as they
/// are ready. {"images", "seconds", "images_per_s", "threads"}; the first batch, with which the threads
/// begin, counts. Throws Error where an image cannot be read.
Json bench_load(const Dataset& dataset, std::int64_t batch, std::int64_t batches, int threads,
                std::int64_t seed);

}  // namespace ptnas
