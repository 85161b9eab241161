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
  std::string stem = "cifar";                   ///< of `retrain`: cifar or imagenet
  std::int64_t repeats = 5;
  std::int64_t edge = -1;          ///< of `score`: one edge, or -1 for all, one after the other
  std::string cell_type = "both";  ///< of `score`: normal, reduction, or both
  bool profile = false;            ///< where the fused engine's time goes
  std::int64_t seed = 0;
};

/// step: zero gradients, forward, backward, clip, SGD on the weights. iteration: an alpha step and a weight
/// step. forward: in training mode without gradients. retrain: a training step of a derived network.
/// score: the masked passes of all candidates of one edge, or of every edge in turn, of an undecided
/// supernet. (kernels and load: bench_kernels.h, bench_load.h.)
const std::vector<std::string>& bench_works();

/// Runs the engines in turn, `repeats` times each after one unmeasured turn, and returns for each at least
/// {"median_s", "min_s", "max_s", "gflops", "peak_bytes"}, and with both engines {"ratio": {"median", "min",
/// "max"}} of pairs, plain over fused. gflops: 10^9 floating-point operations a second of the convolutions,
/// two a multiply-add, a way back counted as two ways there; of a score, as if every masked pass were
/// computed whole. With `profile`, {"profile": [{"cell", "phase", "seconds", "share"}]} of the fused engine's
/// threads, the last entry (cell -1, "other") what lies outside its cells or waits. Before anything is timed
/// the two engines' results are checked against each other. Throws Error where they differ.
Json run_bench(const BenchOptions& options);

}  // namespace ptnas
