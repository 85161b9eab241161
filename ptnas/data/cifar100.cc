// CIFAR-100's own binary files: two label bytes a record, the coarse one of 20 and the fine one of 100, which
// is the class.

#include "ptnas/data/cifar.h"

namespace ptnas {

std::unique_ptr<Dataset> open_cifar100(const std::string& path, const DataOptions&) {
  constexpr std::size_t kClasses = 100;
  const CifarFile layout{"CIFAR-100", "train.bin, test.bin", 2};
  const std::filesystem::path directory = path;
  std::array<MemoryPart, 2> parts;
  read_cifar(directory, "train.bin", layout, parts[0]);
  read_cifar(directory, "test.bin", layout, parts[1]);
  DatasetInfo info;
  info.name = "cifar100";
  info.classes = read_class_names(directory / "fine_label_names.txt", kClasses);
  if (info.classes.empty()) {
    for (std::size_t label = 0; label < kClasses; ++label) info.classes.push_back(std::to_string(label));
  }
  info.channels = 3;
  info.height = info.width = 32;
  // The published constants.
  info.mean = {0.5071, 0.4865, 0.4409};
  info.deviation = {0.2673, 0.2564, 0.2762};
  return std::make_unique<MemoryDataset>(std::move(info), std::move(parts), directory.string());
}

}  // namespace ptnas
