#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ptnas/core/json.h"

namespace ptnas {

/// What `ptnas bench` times, on random images.
struct BenchOptions {
  std::string work = "step";  ///< one of bench_works()
  std::string space = "darts";
  std::int64_t channels = 16;
  std::int64_t cells = 8;
  std::int64_t batch = 64;
  std::int64_t image_size = 32;
  std::int64_t classes = 10;
  std::string engine = "both";                  ///< fused, plain, or both in turn
  std::string memory_format = "channels-last";  ///< of the plain engine
  std::string genotype;                         ///< of `retrain`
  std::int64_t repeats = 5;
  std::int64_t seed = 0;
};

/// step: zero gradients, forward, backward, clip, SGD on the weights. iteration: an alpha step and a weight
/// step. forward: in training mode without gradients. retrain: a training step of a derived network. score:
/// all candidates of one edge.
const std::vector<std::string>& bench_works();

/// Runs the engines in turn, `repeats` times each after one unmeasured turn, and returns for each at least
/// {"median_s", "min_s", "max_s", "gflops", "peak_bytes"}, and with both engines {"ratio": {"median", "min",
/// "max"}} of pairs, plain over fused. Before anything is timed the two engines' results are checked against
/// each other. Throws Error where they differ.
Json run_bench(const BenchOptions& options);

}  // namespace ptnas
