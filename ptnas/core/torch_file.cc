#include "ptnas/core/torch_file.h"

#include <algorithm>
#include <cstring>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/zip.h"

namespace ptnas {

namespace {

struct ElementType {
  const char* storage;
  const char* dtype;
  std::uint64_t size;
};
constexpr ElementType kTypes[] = {{"FloatStorage", "F32", 4}, {"DoubleStorage", "F64", 8},
                                  {"LongStorage", "I64", 8},  {"IntStorage", "I32", 4},
                                  {"ByteStorage", "U8", 1},   {"BoolStorage", "U8", 1}};

const ElementType& type_of(const std::string& storage, const std::string& what) {
  for (const ElementType& type : kTypes) {
    if (storage == type.storage) return type;
  }
  fail("{}: elements of {} are not read by this program; save it as float", what, storage);
}

TorchFile read_zip_layout(std::string content, const std::string& what) {
  const ZipArchive zip(std::move(content), what);
  std::string prefix;
  for (const std::string& name : zip.names()) {
    if (name.ends_with("/data.pkl")) prefix = name.substr(0, name.size() - std::strlen("data.pkl"));
  }
  if (prefix.empty()) fail("{} is a zip archive, but not one of torch.save: it has no data.pkl", what);
  if (zip.has(prefix + "byteorder") && zip.read(prefix + "byteorder") != "little")
    fail("{} was saved on a big-endian machine", what);
  TorchFile file;
  file.pickle = read_pickle(zip.read(prefix + "data.pkl"), what);
  const std::string folder = prefix + "data/";
  for (const std::string& name : zip.names()) {
    if (name.starts_with(folder)) file.storages[name.substr(folder.size())] = zip.read(name);
  }
  return file;
}

// The storages of the older layout, one after the other: 8 bytes for the number of elements, then these.
std::map<std::string, std::string> read_older_storages(std::string_view rest, const PickleValue& keys,
                                                       const std::map<std::string, std::string>& types,
                                                       const std::string& what) {
  std::map<std::string, std::string> storages;
  for (const PickleValue* key : keys.items) {
    const auto type = types.find(key->text);
    if (rest.size() < 8 || type == types.end())
      fail("{} is truncated or damaged: storage {} is missing", what, key->text);
    std::uint64_t elements = 0;
    for (std::size_t i = 8; i-- > 0;) elements = elements << 8 | static_cast<unsigned char>(rest[i]);
    rest.remove_prefix(8);
    const std::uint64_t size = type_of(type->second, what).size;
    if (elements > rest.size() / size)
      fail("{} is truncated: storage {} has {} elements", what, key->text, elements);
    if (!storages.emplace(key->text, rest.substr(0, elements * size)).second)
      fail("{} is damaged: it has storage {} twice", what, key->text);
    rest.remove_prefix(elements * size);
  }
  if (!rest.empty()) fail("{} is damaged: {} bytes follow its last storage", what, rest.size());
  return storages;
}

TorchFile read_older_layout(std::string_view rest, const std::string& what) {
  // torch.save's magic number 0x1950a86a20f9469cfc6c, little-endian.
  constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
  constexpr std::int64_t kProtocol = 1001;
  const auto next = [&] {
    Pickle pickle = read_pickle(rest, what);
    rest.remove_prefix(pickle.size());
    return pickle;
  };
  if (next().root().text != kMagic) fail("{} is not a file of torch.save", what);
  if (next().root().integer != kProtocol) fail("{}: expected torch.save's protocol {}", what, kProtocol);
  const Pickle system = next();
  if (const PickleValue* little = system.root().find("little_endian");
      little != nullptr && little->integer == 0) {
    fail("{} was saved on a big-endian machine", what);
  }
  TorchFile file;
  file.pickle = next();
  std::map<std::string, std::string> types;
  for (const PickleValue& value : file.pickle.values()) {
    if (value.kind == PickleValue::Kind::kStorage) types[value.key] = value.text;
  }
  const Pickle keys = next();
  file.storages = read_older_storages(rest, keys.root(), types, what);
  return file;
}

// The number of a tensor's elements, all of which lie among the `available` ones; every sum and product is
// checked.
std::uint64_t count_within(const PickleValue& tensor, std::uint64_t available, const std::string& name) {
  constexpr std::uint64_t kLongestEmpty = std::uint64_t{1} << 31;
  const bool empty = std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
  const std::uint64_t limit = empty ? kLongestEmpty : available;
  std::uint64_t count = 1, last = static_cast<std::uint64_t>(tensor.integer);
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    const auto size = std::max<std::uint64_t>(static_cast<std::uint64_t>(tensor.shape[d]), 1),
               stride = static_cast<std::uint64_t>(tensor.strides[d]);
    const bool fits = size <= limit / count && (size == 1 || stride <= limit / (size - 1));
    if (!fits) fail("tensor {} lies outside its data; the file is damaged", name);
    count *= size;
    if (size > 1) last += (size - 1) * stride;
  }
  if (empty) return 0;
  if (last >= available) fail("tensor {} lies outside its data; the file is damaged", name);
  return count;
}

}  // namespace

TorchFile read_torch_file(const std::filesystem::path& path) {
  std::string content = read_file(path);
  const std::string what = path.string();
  if (content.empty()) fail("{} is empty; expected a file of torch.save", what);
  if (ZipArchive::looks_like_one(content)) return read_zip_layout(std::move(content), what);
  if (content[0] != '\x80') fail("{} is not a file of torch.save", what);
  return read_older_layout(content, what);
}

TensorFile::Entry read_tensor(const TorchFile& file, const PickleValue& tensor, const std::string& name) {
  if (tensor.kind != PickleValue::Kind::kTensor)
    fail("expected {} to be a tensor, it is something else", name);
  const ElementType& type = type_of(tensor.storage->text, name);
  const auto found = file.storages.find(tensor.storage->key);
  if (found == file.storages.end())
    fail("tensor {} has no data in the file; it is truncated or damaged", name);
  const std::string& bytes = found->second;
  if (bytes.size() % type.size != 0 ||
      bytes.size() / type.size != static_cast<std::uint64_t>(tensor.storage->integer)) {
    fail("the data of tensor {} has {} bytes, expected {} elements of {}; the file is truncated or damaged",
         name, bytes.size(), tensor.storage->integer, type.size);
  }
  const std::uint64_t count = count_within(tensor, bytes.size() / type.size, name);
  TensorFile::Entry entry{type.dtype, tensor.shape, std::string(count * type.size, '\0')};
  std::vector<std::int64_t> index(tensor.shape.size(), 0);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::int64_t at = tensor.integer;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * tensor.strides[d];
    std::memcpy(entry.data.data() + i * type.size, bytes.data() + static_cast<std::uint64_t>(at) * type.size,
                type.size);
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < tensor.shape[d]) break;
      index[d] = 0;
    }
  }
  return entry;
}

}  // namespace ptnas
