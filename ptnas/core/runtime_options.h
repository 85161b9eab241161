#pragma once

#include <cstdint>
#include <string>

#include "ptnas/core/options.h"

namespace ptnas {

/// What every computing command takes: where and how to compute, not what.
struct RuntimeOptions {
  std::int64_t seed = 0;
  std::int64_t threads = 0;
  std::string device = "cpu";
  std::string engine = "fused";
  std::string memory_format = "channels-last";
  double checkpoint_minutes = 5;
  std::int64_t stop_after = 0;

  void declare(OptionVisitor& v) {
    v.group("Computing");
    v.option("seed", seed, "seed of every random choice");
    v.option("threads", threads, "computing threads; 0: as many as the cores this process may use");
    v.choice("device", device, {"cpu", "cuda"}, "where to compute (cuda is untested)");
    v.choice("engine", engine, {"fused", "plain", "check"},
             "what computes the cells: kernels of our own (CPU only), libtorch, or both, compared");
    v.choice("memory-format", memory_format, {"channels-last", "nchw"}, "memory layout of images");
    v.option("checkpoint-minutes", checkpoint_minutes,
             "save a checkpoint within an epoch after this many minutes; 0: at the end of epochs only");
    v.option(
        "stop-after", stop_after,
        "stop each stage, saved as by Ctrl-C, after N of its steps, a selection after N decisions; 0: never");
  }
};

/// The cores in this process's affinity mask, at least 1.
int available_cores();

}  // namespace ptnas
