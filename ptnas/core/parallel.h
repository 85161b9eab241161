#pragma once

#include <cstdint>
#include <functional>

namespace ptnas {

/// Calls body(task) for 0 .. tasks - 1, each once, in any order, on up to `threads` threads (OpenMP's, which
/// libtorch uses too). Returns when all are done. `body` must not throw. What a task computes must not depend
/// on the thread it runs on.
void parallel_for(std::int64_t tasks, int threads, const std::function<void(std::int64_t)>& body);

}  // namespace ptnas
