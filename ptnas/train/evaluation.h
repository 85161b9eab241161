#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ptnas/data/batch.h"
#include "ptnas/train/image_results.h"
#include "ptnas/train/memory_format.h"

namespace ptnas {

/// What a network made of labelled images.
struct Evaluation {
  std::int64_t images = 0;
  double loss = 0;  ///< mean cross-entropy
  std::int64_t correct = 0, among_five = 0;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [true class][predicted]
  double seconds = 0;                                ///< in the network's forward passes
  ImageResults of_images;                            ///< where they were asked for

  double top1() const { return images > 0 ? static_cast<double>(correct) / static_cast<double>(images) : 0; }
  double top5() const {
    return images > 0 ? static_cast<double>(among_five) / static_cast<double>(images) : 0;
  }
};

/// Images [N, C, H, W] of batch number b -> logits [N, classes].
using Forward = std::function<torch::Tensor(const torch::Tensor& images, std::int64_t batch)>;

/// Runs `forward` over the images of a plan, without gradients. The mode (training or evaluation) is the
/// caller's.
Evaluation evaluate(const Dataset& dataset, const std::function<BatchPlan(std::int64_t)>& plan_of,
                    std::int64_t batches, const Forward& forward, torch::MemoryFormat format,
                    torch::Device device, int loader_threads);

/// The same of several networks, or weights, on the same images: `forward` gives logits for each of `count`,
/// an undefined tensor for one that the batch is not put to. Their seconds are equal shares.
using ForwardMany =
    std::function<std::vector<torch::Tensor>(const torch::Tensor& images, std::int64_t batch)>;
/// What such a pass does besides.
struct PassExtras {
  bool keeps_images = false;  ///< fills Evaluation::of_images
  /// After each batch, with what there is so far (`loss` still a sum) and the number of batches done: false
  /// ends the pass. May be empty.
  std::function<bool(const std::vector<Evaluation>& so_far, std::int64_t batches)> after_batch = {};
};
std::vector<Evaluation> evaluate_many(const Dataset& dataset,
                                      const std::function<BatchPlan(std::int64_t)>& plan_of,
                                      std::int64_t batches, std::size_t count, const ForwardMany& forward,
                                      torch::MemoryFormat format, torch::Device device, int loader_threads,
                                      const PassExtras& extras = {});

/// 0, 1, .. of a part, all of it.
std::vector<std::int64_t> all_indices(const Dataset& dataset, Part part);

/// Number of rows of `logits` [N, classes] whose largest is at `labels` [N].
std::int64_t count_correct(const torch::Tensor& logits, const torch::Tensor& labels);

constexpr std::int64_t kEvaluationBatch = 250;

}  // namespace ptnas
