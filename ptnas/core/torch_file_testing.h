#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ptnas::testing_torch {

// For tests: the bytes of pickles, zip archives and files of torch.save, right and wrong ones.

using Named = std::vector<std::pair<std::string, std::string>>;

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> (8 * i) & 0xff);
  return result;
}

// ---- Pieces of a pickle, each leaves one value on the stack

inline std::string text(std::string_view value) {
  return "X" + little_endian(value.size(), 4) + std::string(value);
}
inline std::string integer(std::int64_t value) {
  return std::string("\x8a\x08", 2) + little_endian(static_cast<std::uint64_t>(value), 8);
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string joined(const std::vector<std::string>& values) {
  std::string result;
  for (const std::string& value : values) result += value;
  return result;
}
inline std::string tuple(const std::vector<std::string>& values) { return "(" + joined(values) + "t"; }
inline std::string list(const std::vector<std::string>& values) { return "](" + joined(values) + "e"; }
inline std::string dict(const Named& entries) {
  std::string result = "}(";
  for (const auto& [key, value] : entries) result += text(key) + value;
  return result + "u";
}
inline std::string ordered_dict(const Named& entries) {
  return global("collections", "OrderedDict") + ")R" + dict(entries).substr(1);
}
inline std::string shape(const std::vector<std::int64_t>& sizes) {
  std::vector<std::string> values;
  for (const std::int64_t size : sizes) values.push_back(integer(size));
  return tuple(values);
}
inline std::string storage(const std::string& type, const std::string& key, std::int64_t elements,
                           const std::string& device = "cpu") {
  return tuple({text("storage"), global("torch", type), text(key), text(device), integer(elements)}) + "Q";
}
inline std::string tensor(const std::string& storage, const std::vector<std::int64_t>& sizes,
                          const std::vector<std::int64_t>& strides, std::int64_t offset = 0) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, integer(offset), shape(sizes), shape(strides), "\x89", ordered_dict({})}) + "R";
}
inline std::string pickle(const std::string& body) { return "\x80\x02" + body + "."; }

// ---- Archives

struct ZipOptions {
  bool deflate = false, zip64 = false;
};
inline std::string deflated(const std::string& data) {
  z_stream stream = {};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}
inline std::string zip(const Named& members, ZipOptions options = {}) {
  std::string archive, directory;
  for (const auto& [name, data] : members) {
    const std::string stored = options.deflate ? deflated(data) : data;
    const std::string method = little_endian(options.deflate ? 8 : 0, 2);
    const std::string crc =
        little_endian(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()), 4);
    const std::string sizes = little_endian(stored.size(), 4) + little_endian(data.size(), 4);
    const std::string wide =
        little_endian(data.size(), 8) + little_endian(stored.size(), 8) + little_endian(archive.size(), 8);
    const std::string extra = options.zip64 ? little_endian(1, 2) + little_endian(wide.size(), 2) + wide : "";
    const std::string none(options.zip64 ? 4 : 0, '\xff');
    directory += little_endian(0x02014b50, 4) + std::string(4, '\0') + little_endian(0, 2) + method +
                 std::string(4, '\0') + crc + (options.zip64 ? none + none : sizes) +
                 little_endian(name.size(), 2) + little_endian(extra.size(), 2) + std::string(10, '\0') +
                 (options.zip64 ? none : little_endian(archive.size(), 4)) + name + extra;
    archive += little_endian(0x04034b50, 4) + std::string(4, '\0') + method + std::string(4, '\0') + crc +
               sizes + little_endian(name.size(), 2) + little_endian(0, 2) + name + stored;
  }
  const std::size_t start = archive.size(), end64 = start + directory.size();
  archive += directory;
  if (options.zip64) {
    archive += little_endian(0x06064b50, 4) + little_endian(44, 8) + std::string(12, '\0') +
               little_endian(members.size(), 8) + little_endian(members.size(), 8) +
               little_endian(directory.size(), 8) + little_endian(start, 8);
    archive +=
        little_endian(0x07064b50, 4) + std::string(4, '\0') + little_endian(end64, 8) + little_endian(1, 4);
  }
  const std::size_t count = options.zip64 ? 0xffff : members.size();
  return archive + little_endian(0x06054b50, 4) + std::string(4, '\0') + little_endian(count, 2) +
         little_endian(count, 2) + little_endian(directory.size(), 4) +
         little_endian(options.zip64 ? 0xffffffff : start, 4) + std::string(2, '\0');
}

// A file of torch.save, newer and older layout, with these storages by key.
inline std::string zip_layout(const std::string& body, const Named& storages) {
  Named members = {{"archive/data.pkl", pickle(body)}};
  for (const auto& [key, data] : storages) members.emplace_back("archive/data/" + key, data);
  members.emplace_back("archive/version", "3\n");
  return zip(members);
}
inline std::string older_layout(const std::string& body, const Named& storages, int element_size) {
  std::vector<std::string> keys;
  std::string data;
  for (const auto& [key, bytes] : storages) {
    keys.push_back(text(key));
    data += little_endian(bytes.size() / static_cast<std::size_t>(element_size), 8) + bytes;
  }
  const std::string magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
  const std::string system =
      dict({{"protocol_version", integer(1001)}, {"little_endian", "\x88"}, {"type_sizes", dict({})}});
  return pickle(magic) + pickle(integer(1001)) + pickle(system) + pickle(body) + pickle(list(keys)) + data;
}

}  // namespace ptnas::testing_torch
