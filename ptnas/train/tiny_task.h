#pragma once

#include <torch/types.h>

#include <atomic>

#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/core/random.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/core/testing.h"
#include "ptnas/data/dataset.h"
#include "ptnas/train/search_options.h"

namespace ptnas {

/// For tests: 8x8 grey images of three classes, a bright row that stands high, in the middle or low.
class BarDataset final : public Dataset {
 public:
  explicit BarDataset(std::int64_t images) : images_(images) {
    info_.name = "bars";
    info_.classes = {"high", "middle", "low"};
    info_.channels = 1;
    info_.height = info_.width = kSide;
    info_.mean = {0.3};
    info_.deviation = {0.25};
    info_.crop_padding = 1;
  }
  std::int64_t size(Part) const override { return images_; }
  int label(Part, std::int64_t index) const override { return static_cast<int>(index % 3); }
  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override {
    if (reads_until_interrupt > 0 && --reads_until_interrupt == 0) set_interrupt_requested(true);
    RandomStream noise(part == Part::kTrain ? 1 : 2, Purpose::kDataOrder, static_cast<std::uint64_t>(index));
    for (int i = 0; i < kSide * kSide; ++i) {
      const bool bright = i / kSide == 1 + 2 * label(part, index);
      pixels[i] = static_cast<std::uint8_t>((bright ? 150 : 0) + noise.below(100));
    }
  }

  /// Counts down over images read; at 0 it sets the interrupt flag as Ctrl-C would.
  mutable std::atomic<std::int64_t> reads_until_interrupt = 0;

 private:
  static constexpr int kSide = 8;
  std::int64_t images_;
};

/// A search on them that takes a second: space S4 (noise, sep_conv_3x3) with two nodes, C = 4, three cells.
struct TinyTask {
  TinyTask() {
    at::set_num_threads(1);
    set_quiet(true);
    set_interrupt_requested(false);
    search.space = "s4";
    search.nodes = 2;
    search.channels = 4;
    search.cells = 3;
    search.epochs = 2;
    search.batch = 8;
  }
  BarDataset dataset{48};
  DataOptions data;
  SearchOptions search;
  RuntimeOptions runtime;
};

}  // namespace ptnas
