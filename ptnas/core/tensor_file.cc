#include "ptnas/core/tensor_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <tuple>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/json.h"

namespace ptnas {

namespace fs = std::filesystem;

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

template <typename Number>
std::vector<Number> whole_numbers(const Json& value, const char* key, const std::string& where) {
  const bool listed = value.is_object() && value.contains(key) && value[key].is_array();
  const auto whole = [](const Json& item) { return item.is_number_integer() && item >= 0; };
  if (!listed || !std::all_of(value[key].begin(), value[key].end(), whole)) {
    fail("{}: expected `{}` to be a list of whole numbers, found something else; the file is damaged", where,
         key);
  }
  return value[key].get<std::vector<Number>>();
}

// Where a tensor's data is, from the first byte after the header.
struct Place {
  std::uint64_t begin = 0, end = 0;
  TensorFile::Entry* entry = nullptr;
  std::string name;
};

Place read_entry(const std::string& name, const Json& value, std::uint64_t data_size, TensorFile& result,
                 const std::string& file) {
  const std::string where = fmt::format("{}: tensor {}", file, name);
  TensorFile::Entry& entry = result.tensors[name];
  entry.shape = whole_numbers<std::int64_t>(value, "shape", where);
  if (!value.contains("dtype") || !value["dtype"].is_string()) {
    fail("{} has no `dtype`; the file is damaged", where);
  }
  entry.dtype = value["dtype"].get<std::string>();
  const auto offsets = whole_numbers<std::uint64_t>(value, "data_offsets", where);
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_size) {
    fail("{} lies outside the file's {} bytes of data; it is truncated or damaged", where, data_size);
  }
  const std::uint64_t expected = byte_count(entry, name, file);
  if (offsets[1] - offsets[0] != expected) {
    fail("{} has {} bytes, its shape and type need {}; the file is damaged", where, offsets[1] - offsets[0],
         expected);
  }
  return {offsets[0], offsets[1], &entry, name};
}

void read_metadata(const Json& value, TensorFile& result, const std::string& file) {
  for (const auto& [key, text] : value.items()) {
    if (!value.is_object() || !text.is_string()) {
      fail("{}: expected `__metadata__` to hold texts; the file is damaged", file);
    }
    result.metadata[key] = text.get<std::string>();
  }
}

// All tensors' places in the order of the data, which they cover without gap or overlap.
std::vector<Place> read_header(const Json& header, std::uint64_t data_size, TensorFile& result,
                               const std::string& file) {
  std::vector<Place> places;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      read_metadata(value, result, file);
    } else {
      places.push_back(read_entry(name, value, data_size, result, file));
    }
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  std::uint64_t at = 0;
  for (const Place& place : places) {
    if (place.begin < at) fail("{}: tensor {} overlaps another; the file is damaged", file, place.name);
    if (place.begin > at) break;
    at = place.end;
  }
  if (at != data_size) fail("{}: the data at byte {} belong to no tensor; the file is damaged", file, at);
  return places;
}

std::string dump_header(const Json& header, const std::string& file) {
  try {
    return header.dump();
  } catch (const Json::exception&) {
    fail("cannot write {}: names and metadata must be text in UTF-8", file);
  }
}

}  // namespace

TensorFile read_tensor_file(const fs::path& path) {
  const std::string file = path.string();
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) fail("cannot read {}: {}", file, error ? error.message() : std::strerror(errno));
  const auto read = [&](void* data, std::uint64_t count) {
    if (!stream.read(static_cast<char*>(data), static_cast<std::streamsize>(count))) {
      fail("cannot read {}: it ended early", file);
    }
  };
  std::uint64_t header_size = 0;
  if (size < sizeof header_size) {
    fail("{} is not a tensor file (safetensors), or is truncated: it has {} bytes", file, size);
  }
  read(&header_size, sizeof header_size);
  if (header_size > size - sizeof header_size) {
    fail("{} is not a tensor file (safetensors), or is truncated: its header is longer than the file", file);
  }
  std::string text(header_size, '\0');
  read(text.data(), header_size);
  const Json header = parse_json(text, "the header of " + file);
  if (!header.is_object()) fail("{} is not a tensor file (safetensors): its header is no object", file);
  TensorFile result;
  for (const Place& place : read_header(header, size - sizeof header_size - header_size, result, file)) {
    place.entry->data.resize(place.end - place.begin);
    read(place.entry->data.data(), place.entry->data.size());
  }
  return result;
}

void write_tensor_file(const fs::path& path, const TensorFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header["__metadata__"] = Json(file.metadata);
  std::uint64_t offset = 0;
  for (const auto& [name, entry] : file.tensors) {
    if (entry.data.size() != byte_count(entry, name, path.string())) {
      fail("{}: tensor {} has {} bytes, which does not fit its shape", path.string(), name,
           entry.data.size());
    }
    if (name == "__metadata__") fail("{}: no tensor can have the name {}", path.string(), name);
    Json& value = header[name];
    value["dtype"] = entry.dtype;
    value["shape"] = entry.shape;
    value["data_offsets"] = {offset, offset + entry.data.size()};
    offset += entry.data.size();
  }
  std::string text = dump_header(header, path.string());
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t header_size = text.size();
  const std::string_view length(reinterpret_cast<const char*>(&header_size), sizeof header_size);
  std::vector<std::string_view> parts = {length, text};
  for (const auto& [name, entry] : file.tensors) parts.push_back(entry.data);
  write_file(path, parts);
}

}  // namespace ptnas
