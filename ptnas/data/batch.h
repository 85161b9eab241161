#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ptnas/core/random.h"
#include "ptnas/data/dataset.h"

namespace ptnas {

/// How images become tensors, in DARTS' order: crop with black padding, flip (or the data set's own
/// augmentation, Dataset::read_augmented), scale to 0 .. 1, normalise, cutout.
struct Augmentation {
  bool crop_and_flip = false;
  int cutout = 0;  ///< side of the square set to zero, clipped at the border; 0: none
};

/// Which images make a batch; a function of its fields alone.
struct BatchPlan {
  Part part = Part::kTrain;
  std::vector<std::int64_t> indices;
  Augmentation augmentation;
  std::uint64_t seed = 0;
  /// Image i draws its augmentation from RandomStream(seed, kAugmentation, first_counter + i).
  std::uint64_t first_counter = 0;
};

struct Batch {
  torch::Tensor images;  ///< [N, C, H, W] float, in the memory format asked for
  torch::Tensor labels;  ///< [N] int64
};

/// Reads, augments and normalises the images of a plan. Thread-safe.
Batch make_batch(const Dataset& dataset, const BatchPlan& plan, torch::MemoryFormat format);

/// Batches 0 .. count - 1 of `plan_of`, from `first` on, in order, prepared by threads ahead of their use.
/// `plan_of` must be a pure function. The same batches come out for any number of threads. What a worker
/// throws is rethrown by next() in the place of its batch. The data set must outlive the stream, which may be
/// destroyed at any time; next() is for one thread.
class BatchStream {
 public:
  BatchStream(const Dataset& dataset, std::function<BatchPlan(std::int64_t)> plan_of, std::int64_t first,
              std::int64_t count, torch::MemoryFormat format, int threads);
  ~BatchStream();
  /// The next batch; nullopt after the last.
  std::optional<Batch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The makers of plans. Their augmentation counters are disjoint: by the purpose of the order, by pass or
// draw, and then by epoch or step, batch and place (batch.cc lays out the bits), so that within a stage no
// two images are augmented from the same numbers. A batch has 1 to 65,536 images, else Error(kUsage).

/// Plans of one shuffled pass over `indices` in batches of `size`, the last one kept; index: epoch
/// (kTrainOrder).
std::function<BatchPlan(std::int64_t)> shuffled_pass(std::vector<std::int64_t> indices, std::int64_t size,
                                                     Augmentation augmentation, std::uint64_t seed,
                                                     std::uint64_t epoch);
/// Plans of independent draws: each batch is the first `size` of a fresh shuffle, batch b from
/// RandomStream(seed, purpose, first_step + b).
std::function<BatchPlan(std::int64_t)> fresh_shuffles(std::vector<std::int64_t> indices, std::int64_t size,
                                                      Augmentation augmentation, std::uint64_t seed,
                                                      Purpose purpose, std::uint64_t first_step);
/// Plans of a pass in fixed order without augmentation (evaluation, scoring).
std::function<BatchPlan(std::int64_t)> ordered_pass(Part part, std::vector<std::int64_t> indices,
                                                    std::int64_t size);
/// Plans of an augmented pass in an order of its own (kScoringOrder; index: event), for scoring as the
/// released program does.
std::function<BatchPlan(std::int64_t)> augmented_pass(std::vector<std::int64_t> indices, std::int64_t size,
                                                      Augmentation augmentation, std::uint64_t seed,
                                                      std::uint64_t event);
/// Number of batches of `size` in `count` images, the last one kept.
std::int64_t batch_count(std::int64_t count, std::int64_t size);

}  // namespace ptnas
