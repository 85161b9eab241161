#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "ptnas/core/pickle.h"
#include "ptnas/core/tensor_file.h"

namespace ptnas {

/// A file written by torch.save: its pickled value and its storages' bytes by key.
struct TorchFile {
  Pickle pickle;
  std::map<std::string, std::string> storages;
  const PickleValue& root() const { return pickle.root(); }
};

/// Reads both layouts: the zip, and the older one (four pickles, the keys, the storages one after the other).
/// Throws Error naming the file.
TorchFile read_torch_file(const std::filesystem::path& path);

/// A tensor of the file, its elements in row-major order. Throws Error when it lies outside its storage or
/// has a type that tensor files do not hold (float, double, long, int and byte do; bool becomes byte).
TensorFile::Entry read_tensor(const TorchFile& file, const PickleValue& tensor, const std::string& name);

}  // namespace ptnas
