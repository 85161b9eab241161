#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/data/data_options.h"

namespace ptnas {

enum class Part { kTrain, kTest };

struct DatasetInfo {
  std::string name;
  std::vector<std::string> classes;  ///< names, by label
  int channels = 3;                  ///< 1 or 3
  int height = 0, width = 0;         ///< at least 8
  std::vector<double> mean,
      deviation;  ///< of pixel / 255, by channel: known constants or measured on the training part
  bool measured = false;
  int crop_padding = 4;  ///< augmentation: zero padding before the random crop
};

class RandomStream;

/// A labelled set of images with a training and a test part, in a fixed order. Thread-safe for reading.
class Dataset {
 public:
  virtual ~Dataset() = default;
  const DatasetInfo& info() const { return info_; }
  virtual std::int64_t size(Part part) const = 0;
  virtual int label(Part part, std::int64_t index) const = 0;
  /// Writes [C, H, W] bytes. Throws Error naming the image when it can't be read.
  virtual void read(Part part, std::int64_t index, std::uint8_t* pixels) const = 0;
  /// Sets of images of many sizes have an augmentation of their own in place of crop and flip: writes one
  /// image, [C, H, W] bytes, as drawn from `stream`, and returns true. False, and nothing written, for all
  /// others.
  virtual bool read_augmented(Part part, std::int64_t index, RandomStream& stream,
                              std::uint8_t* pixels) const;
  /// What a run records (data.json): name, classes, sizes, counts, mean, deviation; a folder also its
  /// held-out files and the images it left out.
  virtual Json describe() const;

 protected:
  /// C H W of one image.
  std::size_t image_bytes() const;
  DatasetInfo info_;
};

/// Opens `options.data` by the table in dataset_table.cc. Throws Error(kUsage) for an unknown name (listing
/// what there is), Error for files that are missing, truncated or foreign, a class without images, labels out
/// of range. `options.limit` does not apply here.
std::unique_ptr<Dataset> open_dataset(const DataOptions& options);

/// The indices of the training part that a run uses: `first N` by limit (0: all).
std::vector<std::int64_t> training_indices(const Dataset& dataset, std::int64_t limit);

/// The two halves of the search: the first `train_portion` of the indices for weights, the rest for
/// validation. Throws Error(kUsage) when either is empty.
struct SearchHalves {
  std::vector<std::int64_t> train, validation;
};
SearchHalves search_halves(const Dataset& dataset, const DataOptions& options);

}  // namespace ptnas
