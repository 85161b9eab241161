#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ptnas/core/runtime_options.h"
#include "ptnas/data/image_files.h"

namespace ptnas {

/// A trained network of any of our files. Not thread-safe.
class Predictor {
 public:
  virtual ~Predictor() = default;
  /// Its classes and the shape of its images, and the mean and deviation that these are to be normalised by.
  virtual const DatasetInfo& info() const = 0;
  /// Images [N, C, H, W] of batch number `batch` -> logits [N, classes] on the CPU.
  virtual torch::Tensor logits(const torch::Tensor& images, std::int64_t batch) = 0;
};

/// Opens a run directory (its model.safetensors), a model file of ours, or an exported file. Throws Error:
/// nothing is there, or something else.
std::unique_ptr<Predictor> open_predictor(const std::filesystem::path& path, const RuntimeOptions& runtime);

/// The probability of every class, [images, classes], for images that are decoded by `loader_threads` threads
/// ahead of the network, `batch` at most together. Throws Error for an image that cannot be read, unless
/// `images` skips them.
torch::Tensor predict(Predictor& predictor, const ImageFiles& images, std::int64_t batch, int loader_threads,
                      const RuntimeOptions& runtime);

}  // namespace ptnas
