// CIFAR-10's own binary files: a label byte a record.

#include <fmt/format.h>

#include "ptnas/data/cifar.h"

namespace ptnas {

std::unique_ptr<Dataset> open_cifar10(const std::string& path, const DataOptions&) {
  const CifarFile layout{"CIFAR-10", "data_batch_1.bin .. data_batch_5.bin, test_batch.bin", 1};
  const std::filesystem::path directory = path;
  std::array<MemoryPart, 2> parts;
  for (int batch = 1; batch <= 5; ++batch)
    read_cifar(directory, fmt::format("data_batch_{}.bin", batch), layout, parts[0]);
  read_cifar(directory, "test_batch.bin", layout, parts[1]);
  DatasetInfo info;
  info.name = "cifar10";
  info.classes = read_class_names(directory / "batches.meta.txt", 10);
  if (info.classes.empty()) {
    info.classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  }
  info.channels = 3;
  info.height = info.width = 32;
  // The published constants of DARTS' own normalisation.
  info.mean = {0.49139968, 0.48215827, 0.44653124};
  info.deviation = {0.24703233, 0.24348505, 0.26158768};
  return std::make_unique<MemoryDataset>(std::move(info), std::move(parts), directory.string());
}

}  // namespace ptnas
