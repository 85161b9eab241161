#include "ptnas/core/tensor_file.h"

#include <bit>
#include <cstring>
#include <limits>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/json.h"

namespace ptnas {

static_assert(std::endian::native == std::endian::little, "tensor files are little-endian");

namespace {

std::uint64_t item_size(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "F16" || dtype == "BF16") return 2;
  if (dtype == "U8" || dtype == "I8" || dtype == "BOOL") return 1;
  return 0;
}

std::uint64_t byte_count(const TensorFile::Entry& entry, const std::string& name, const std::string& file) {
  std::uint64_t bytes = item_size(entry.dtype);
  if (bytes == 0) fail("{}: tensor {} has the unknown type {}", file, name, entry.dtype);
  for (const std::int64_t size : entry.shape) {
    if (size < 0 || (size > 0 && bytes > std::numeric_limits<std::uint64_t>::max() / 2 /
                                             static_cast<std::uint64_t>(size))) {
      fail("{}: tensor {} has an impossible shape", file, name);
    }
    bytes *= static_cast<std::uint64_t>(size);
  }
  return bytes;
}

void read_entries(const Json& header, const std::string& content, std::size_t data_start, TensorFile& result,
                  const std::string& file) {
  const std::uint64_t data_size = content.size() - data_start;
  std::uint64_t total = 0;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, text] : value.items()) result.metadata[key] = text.get<std::string>();
      continue;
    }
    TensorFile::Entry entry;
    entry.dtype = value.at("dtype").get<std::string>();
    entry.shape = value.at("shape").get<std::vector<std::int64_t>>();
    const auto offsets = value.at("data_offsets").get<std::vector<std::uint64_t>>();
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_size) {
      fail("{}: tensor {} lies outside the file; it is truncated or damaged", file, name);
    }
    if (offsets[1] - offsets[0] != byte_count(entry, name, file)) {
      fail("{}: tensor {} has another size than its shape says; the file is damaged", file, name);
    }
    total += offsets[1] - offsets[0];
    if (total > data_size) fail("{}: tensors overlap; the file is damaged", file);
    entry.data = content.substr(data_start + offsets[0], offsets[1] - offsets[0]);
    result.tensors[name] = std::move(entry);
  }
  if (total != data_size)
    fail("{}: {} bytes belong to no tensor; the file is damaged", file, data_size - total);
}

}  // namespace

TensorFile read_tensor_file(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  const std::string file = path.string();
  std::uint64_t header_size = 0;
  if (content.size() < 8)
    fail("{} is not a tensor file (safetensors): it has {} bytes", file, content.size());
  std::memcpy(&header_size, content.data(), 8);
  if (header_size > content.size() - 8) fail("{} is not a tensor file (safetensors), or is truncated", file);
  const Json header = parse_json(content.substr(8, header_size), "the header of " + file);
  if (!header.is_object()) fail("{} is not a tensor file (safetensors): its header is no object", file);
  TensorFile result;
  try {
    read_entries(header, content, 8 + header_size, result, file);
  } catch (const nlohmann::json::exception& error) {
    fail("{} is not a tensor file (safetensors): {}", file, error.what());
  }
  return result;
}

void write_tensor_file(const std::filesystem::path& path, const TensorFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header["__metadata__"] = Json(file.metadata);
  std::uint64_t offset = 0;
  for (const auto& [name, entry] : file.tensors) {
    if (entry.data.size() != byte_count(entry, name, path.string())) {
      fail("{}: tensor {} has {} bytes, which does not fit its shape", path.string(), name,
           entry.data.size());
    }
    Json& value = header[name];
    value["dtype"] = entry.dtype;
    value["shape"] = entry.shape;
    value["data_offsets"] = {offset, offset + entry.data.size()};
    offset += entry.data.size();
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t header_size = text.size();
  std::string content(8, '\0');
  std::memcpy(content.data(), &header_size, 8);
  content.reserve(8 + text.size() + offset);
  content += text;
  for (const auto& [name, entry] : file.tensors) content += entry.data;
  write_file(path, content);
}

}  // namespace ptnas
