#include "ptnas/data/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

#include "ptnas/core/error.h"
#include "ptnas/core/random.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace {

constexpr std::int64_t kMostMeasured = 100'000;
constexpr int kLeastSide = 8, kLargestSide = 4096;

std::vector<std::int64_t> counts_by_class(const Dataset& dataset, Part part) {
  std::vector<std::int64_t> counts(dataset.info().classes.size(), 0);
  for (std::int64_t i = 0; i < dataset.size(part); ++i)
    ++counts[static_cast<std::size_t>(dataset.label(part, i))];
  return counts;
}

}  // namespace

std::size_t Dataset::image_bytes() const {
  return static_cast<std::size_t>(info_.channels) * static_cast<std::size_t>(info_.height) *
         static_cast<std::size_t>(info_.width);
}

bool Dataset::read_augmented(Part, std::int64_t, RandomStream&, std::uint8_t*) const { return false; }

Json Dataset::describe() const {
  Json json = versioned("ptnas-data", 1);
  json["name"] = info_.name;
  json["classes"] = info_.classes;
  json["channels"] = info_.channels;
  json["height"] = info_.height;
  json["width"] = info_.width;
  json["train"] = size(Part::kTrain);
  json["test"] = size(Part::kTest);
  json["train_counts"] = counts_by_class(*this, Part::kTrain);
  json["test_counts"] = counts_by_class(*this, Part::kTest);
  json["mean"] = info_.mean;
  json["deviation"] = info_.deviation;
  json["measured"] = info_.measured;
  return json;
}

std::vector<std::int64_t> training_indices(const Dataset& dataset, std::int64_t limit) {
  std::int64_t count = dataset.size(Part::kTrain);
  if (limit > 0) count = std::min(count, limit);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

SearchHalves search_halves(const Dataset& dataset, const DataOptions& options) {
  std::int64_t limit = options.limit;
  if (options.search_limit > 0)
    limit = limit > 0 ? std::min(limit, options.search_limit) : options.search_limit;
  const std::vector<std::int64_t> all = training_indices(dataset, limit);
  if (!(options.train_portion > 0 && options.train_portion < 1)) {
    fail_usage("--train-portion must lie strictly between 0 and 1, not {}", options.train_portion);
  }
  const auto split =
      static_cast<std::ptrdiff_t>(std::floor(options.train_portion * static_cast<double>(all.size())));
  SearchHalves halves{{all.begin(), all.begin() + split}, {all.begin() + split, all.end()}};
  if (halves.train.size() < 2 || halves.validation.size() < 2) {
    fail_usage(
        "{} training images with --train-portion {} leave {} for weights and {} for validation; at least 2 "
        "of each are needed",
        all.size(), options.train_portion, halves.train.size(), halves.validation.size());
  }
  return halves;
}

std::vector<std::int64_t> order_of_use(const std::vector<int>& labels) {
  std::size_t pieces = 1;
  for (std::size_t i = 1; i < labels.size(); ++i) pieces += labels[i] != labels[i - 1];
  const bool by_class = pieces == std::set<int>(labels.begin(), labels.end()).size();
  if (by_class) return permutation(labels.size(), RandomStream(0, Purpose::kDataOrder));
  std::vector<std::int64_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

void check_labels(const Dataset& dataset, const std::string& what) {
  const DatasetInfo& info = dataset.info();
  if (info.classes.size() < 2) fail("{}: expected at least two classes, found {}", what, info.classes.size());
  if (info.height < kLeastSide || info.width < kLeastSide) {
    fail("{}: images must be at least {} pixels high and wide, these are {}x{}", what, kLeastSide,
         info.height, info.width);
  }
  for (const Part part : {Part::kTrain, Part::kTest}) {
    const char* name = part == Part::kTrain ? "training" : "test";
    if (dataset.size(part) == 0) fail("{}: the {} part has no images", what, name);
    for (std::int64_t i = 0; i < dataset.size(part); ++i) {
      const int label = dataset.label(part, i);
      if (label < 0 || label >= static_cast<int>(info.classes.size())) {
        fail("{}: {} image {} has label {}, but there are {} classes", what, name, i, label,
             info.classes.size());
      }
    }
  }
  const std::vector<std::int64_t> counts = counts_by_class(dataset, Part::kTrain);
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0)
      fail("{}: class {} has no training images; add some or remove the class", what, info.classes[c]);
  }
}

void measure_pixels(const Dataset& dataset, DatasetInfo& info, std::int64_t most) {
  const std::int64_t count = dataset.size(Part::kTrain), used = std::min(count, most);
  const auto plane = static_cast<std::size_t>(info.height) * static_cast<std::size_t>(info.width);
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<std::uint8_t> pixels(plane * channels);
  // Whole numbers: the sums are exact, whatever the order.
  std::vector<std::uint64_t> sums(channels, 0), squares(channels, 0);
  for (std::int64_t i = 0; i < used; ++i) {
    dataset.read(Part::kTrain, i * count / used, pixels.data());
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t p = 0; p < plane; ++p) {
        const std::uint64_t value = pixels[c * plane + p];
        sums[c] += value;
        squares[c] += value * value;
      }
    }
  }
  const double n = static_cast<double>(used) * static_cast<double>(plane);
  info.mean.clear();
  info.deviation.clear();
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = static_cast<double>(sums[c]) / n / 255;
    const double variance = static_cast<double>(squares[c]) / n / (255.0 * 255.0) - mean * mean;
    info.mean.push_back(mean);
    // Where all pixels are the same, only the mean is taken away.
    info.deviation.push_back(variance > 1e-8 ? std::sqrt(variance) : 1.0);
  }
  info.measured = true;
}

int image_side(const DataOptions& options, int usual) {
  const std::int64_t side = options.image_size == 0 ? usual : options.image_size;
  if (side < kLeastSide || side > kLargestSide)
    fail_usage("--image-size must be {} to {}, not {}", kLeastSide, kLargestSide, side);
  return static_cast<int>(side);
}

std::string valid_utf8(const std::string& name) {
  return Json::parse(Json(name).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

MemoryDataset::MemoryDataset(DatasetInfo info, std::array<MemoryPart, 2> parts, const std::string& what)
    : parts_(std::move(parts)) {
  info_ = std::move(info);
  check_labels(*this, what);
  const std::size_t bytes = image_bytes();
  MemoryPart& train = parts_[0];
  const std::vector<std::int64_t> order = order_of_use(train.labels);
  MemoryPart ordered;
  ordered.pixels.resize(train.pixels.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto from = static_cast<std::size_t>(order[i]);
    std::memcpy(ordered.pixels.data() + i * bytes, train.pixels.data() + from * bytes, bytes);
    ordered.labels.push_back(train.labels[from]);
  }
  train = std::move(ordered);
  if (info_.mean.empty()) measure_pixels(*this, info_, kMostMeasured);
}

void MemoryDataset::read(Part part, std::int64_t index, std::uint8_t* pixels) const {
  const std::size_t bytes = image_bytes();
  std::memcpy(pixels, of(part).pixels.data() + static_cast<std::size_t>(index) * bytes, bytes);
}

}  // namespace ptnas
