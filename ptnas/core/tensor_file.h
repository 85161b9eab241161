#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ptnas {

/// Tensors by name with string metadata, in the safetensors layout (8 bytes little-endian header length, a
/// JSON header
/// {"__metadata__": {..}, name: {"dtype", "shape", "data_offsets"}}, raw little-endian data): nothing in it
/// can be executed, Python's safetensors reads it, and equal content gives equal bytes (names are sorted).
struct TensorFile {
  struct Entry {
    std::string dtype;  ///< "F32", "F64", "I64", "U8"
    std::vector<std::int64_t> shape;
    std::string data;  ///< raw bytes, row-major
  };
  std::map<std::string, std::string> metadata;
  std::map<std::string, Entry> tensors;
};

/// Reads a file; every offset, size and type is checked. Throws Error naming the file and what is wrong.
TensorFile read_tensor_file(const std::filesystem::path& path);

/// Writes atomically (write_file). Throws Error.
void write_tensor_file(const std::filesystem::path& path, const TensorFile& file);

}  // namespace ptnas
