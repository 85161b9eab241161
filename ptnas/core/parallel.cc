#include "ptnas/core/parallel.h"

#include <algorithm>

namespace ptnas {

void parallel_for(std::int64_t tasks, int threads, const std::function<void(std::int64_t)>& body) {
  const int team = static_cast<int>(std::clamp<std::int64_t>(tasks, 1, threads));
  if (team == 1) {
    for (std::int64_t task = 0; task < tasks; ++task) body(task);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
  for (std::int64_t task = 0; task < tasks; ++task) body(task);
}

}  // namespace ptnas
