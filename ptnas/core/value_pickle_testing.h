#pragma once

#include <bzlib.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ptnas::testing_values {

// For tests: the bytes of pickles of protocol 4, as NATS-Bench writes them, and of bzip2.

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> (8 * i) & 0xff);
  return result;
}

inline std::string joined(const std::vector<std::string>& values) {
  std::string result;
  for (const std::string& value : values) result += value;
  return result;
}

// ---- Pieces of a pickle, each leaves one value on the stack

inline std::string text(std::string_view value) {
  return joined({"\x8c", little_endian(value.size(), 1), std::string(value), "\x94"});
}
inline std::string integer(int value) {
  return joined({"J", little_endian(static_cast<std::uint64_t>(std::int64_t{value}), 4)});
}
inline std::string real(double value) {
  const std::string bytes = little_endian(std::bit_cast<std::uint64_t>(value), 8);
  return joined({"G", std::string(bytes.rbegin(), bytes.rend())});
}
inline std::string bytes(std::string_view value) {
  return joined({"C", little_endian(value.size(), 1), std::string(value), "\x94"});
}
inline std::string global(const std::string& module, const std::string& name) {
  return joined({text(module), text(name), "\x93\x94"});
}
inline std::string tuple(const std::vector<std::string>& values) {
  return joined({"(", joined(values), "t\x94"});
}
inline std::string list(const std::vector<std::string>& values) {
  return joined({"]\x94(", joined(values), "e"});
}
inline std::string set(const std::vector<std::string>& values) {
  return joined({"\x8f\x94(", joined(values), "\x90"});
}
/// Keys are pieces too.
using Entries = std::vector<std::pair<std::string, std::string>>;
inline std::string entries(const Entries& pairs) {
  std::string result = "(";
  for (const auto& [key, value] : pairs) result += key + value;
  return result + "u";
}
inline std::string dict(const Entries& pairs) { return joined({"}\x94", entries(pairs)}); }
inline std::string ordered_dict(const Entries& pairs) {
  return joined({global("collections", "OrderedDict"), ")R\x94", entries(pairs)});
}
/// A NumPy number of `type`, such as "f8", from its bytes.
inline std::string scalar(const std::string& type, const std::string& data, const std::string& order = "<") {
  const std::string state =
      tuple({integer(3), text(order), "N", "N", "N", integer(-1), integer(-1), integer(0)});
  const std::string dtype =
      joined({global("numpy", "dtype"), tuple({text(type), "\x89", "\x88"}), "R\x94", state, "b"});
  return joined({global("numpy.core.multiarray", "scalar"), tuple({dtype, bytes(data)}), "R\x94"});
}
inline std::string pickle(const std::string& body) {
  return joined({"\x80\x04\x95", little_endian(body.size() + 1, 8), body, "."});
}

// ---- Compression

inline std::string bzip2(std::string data) {
  std::string result(data.size() + data.size() / 100 + 600, '\0');  // bzip2's own bound
  auto size = static_cast<unsigned>(result.size());
  const int status = BZ2_bzBuffToBuffCompress(result.data(), &size, data.data(),
                                              static_cast<unsigned>(data.size()), 9, 0, 0);
  result.resize(status == BZ_OK ? size : 0);
  return result;
}

}  // namespace ptnas::testing_values
