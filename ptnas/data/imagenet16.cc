// ImageNet16-120: the 16x16 images of downsampled ImageNet (Chrabaszcz et al., 2017) whose label is at most
// 120, in its own batch files: pickles of a dict with `data` [N, 3 * 16 * 16] (red, green, blue planes) and
// `labels`, 1 to 1000.

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/pickle.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

using Kind = PickleValue::Kind;

constexpr int kImageNet16Side = 16, kClasses = 120, kLargestLabel = 1000, kTrainFiles = 10;
constexpr std::size_t kImageNet16Pixels = 3 * kImageNet16Side * kImageNet16Side;

// Element i of an array of whole numbers.
std::int64_t element_of(const PickleValue& array, std::size_t i) {
  const auto size = static_cast<std::size_t>(array.text[1] - '0');
  const std::string& bytes = array.storage->text;
  std::uint64_t value = 0;
  for (std::size_t b = size; b-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i * size + b]);
  const unsigned unused = static_cast<unsigned>(64 - 8 * size);
  if (array.text[0] == 'u') return static_cast<std::int64_t>(value);
  return static_cast<std::int64_t>(value << unused) >> unused;  // the sign
}

// A list or an array of whole numbers; empty for anything else.
std::vector<std::int64_t> whole_numbers(const PickleValue& value) {
  std::vector<std::int64_t> numbers;
  if (value.kind == Kind::kList) {
    for (const PickleValue* item : value.items) {
      if (item->kind != Kind::kInteger) return {};
      numbers.push_back(item->integer);
    }
  } else if (value.kind == Kind::kArray && value.shape.size() == 1 && value.text[0] != 'f') {
    for (std::size_t i = 0; i < static_cast<std::size_t>(value.shape[0]); ++i)
      numbers.push_back(element_of(value, i));
  }
  return numbers;
}

const PickleValue& entry_of(const PickleValue& dict, const char* key, const std::string& file) {
  const PickleValue* value = dict.kind == Kind::kDict ? dict.find(key) : nullptr;
  if (value == nullptr) {
    fail("{} is no batch of downsampled ImageNet: expected a dict with `data` and `labels`, found no `{}`",
         file, key);
  }
  return *value;
}

// The images of the first 120 classes, appended to `part`.
void read_batch(const fs::path& directory, const std::string& name, MemoryPart& part) {
  const std::string file = (directory / name).string();
  std::error_code none;
  if (!fs::exists(file, none)) {
    fail(
        "expected ImageNet16-120's files (train_data_batch_1 .. train_data_batch_10, val_data) in {}, found "
        "no {}; name the directory that has them",
        directory.string(), name);
  }
  const Pickle pickle = read_array_pickle(read_file(file), file);
  const PickleValue& data = entry_of(pickle.root(), "data", file);
  const std::vector<std::int64_t> labels = whole_numbers(entry_of(pickle.root(), "labels", file));
  const std::vector<std::int64_t> expected = {static_cast<std::int64_t>(labels.size()),
                                              static_cast<std::int64_t>(kImageNet16Pixels)};
  if (data.kind != Kind::kArray || data.text != "u1" || data.shape != expected || labels.empty()) {
    fail("{}: expected `labels`, whole numbers, and as many lines of {} bytes in `data`, found {} labels{}",
         file, kImageNet16Pixels, labels.size(),
         data.kind == Kind::kArray
             ? fmt::format(" and an array of type {}, [{}]", data.text, fmt::join(data.shape, ", "))
             : " and no array");
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 1 || labels[i] > kLargestLabel)
      fail("{}: image {} has label {}, expected 1 to {}", file, i, labels[i], kLargestLabel);
    if (labels[i] > kClasses) continue;
    part.labels.push_back(static_cast<int>(labels[i]) - 1);
    part.pixels.append(data.storage->text, i * kImageNet16Pixels, kImageNet16Pixels);
  }
}

}  // namespace

std::unique_ptr<Dataset> open_imagenet16_120(const std::string& path, const DataOptions&) {
  const fs::path directory = path;
  std::array<MemoryPart, 2> parts;
  for (int batch = 1; batch <= kTrainFiles; ++batch)
    read_batch(directory, fmt::format("train_data_batch_{}", batch), parts[0]);
  read_batch(directory, "val_data", parts[1]);
  DatasetInfo info;
  info.name = "imagenet16-120";
  // The files do not name the classes: these are their labels there.
  for (int label = 1; label <= kClasses; ++label) info.classes.push_back(std::to_string(label));
  info.channels = 3;
  info.height = info.width = kImageNet16Side;
  info.crop_padding = 2;
  // The published constants, of pixels 0 .. 255.
  info.mean = {122.68 / 255, 116.66 / 255, 104.01 / 255};
  info.deviation = {63.22 / 255, 61.26 / 255, 65.09 / 255};
  return std::make_unique<MemoryDataset>(std::move(info), std::move(parts), directory.string());
}

}  // namespace ptnas
