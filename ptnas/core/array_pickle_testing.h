#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ptnas/core/value_pickle_testing.h"

namespace ptnas::testing_arrays {

// For tests: pickles of NumPy's arrays as protocol 2 (of Python 2 or 3) and 4 have them. Pieces are those of
// testing_values; each leaves one value on the stack.

/// Who writes: the protocol, and how bytes stand in it.
enum class Writer { kPython2, kProtocol2, kProtocol3, kProtocol4 };

inline std::string text(Writer writer, std::string_view value) {
  const std::string size = testing_values::little_endian(value.size(), 4);
  return (writer == Writer::kPython2 ? "T" : "X") + size + std::string(value);
}
inline std::string global(Writer writer, const std::string& module, const std::string& name) {
  if (writer == Writer::kProtocol4) return text(writer, module) + text(writer, name) + "\x93";
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::string>& values) {
  return testing_values::joined({"(", testing_values::joined(values), "t"});
}
inline std::string list(const std::vector<std::string>& values) {
  return testing_values::joined({"](", testing_values::joined(values), "e"});
}
inline std::string integers(const std::vector<int>& values) {
  std::vector<std::string> pieces;
  for (const int value : values) pieces.push_back(testing_values::integer(value));
  return testing_values::joined(pieces);
}
/// Latin-1 as UTF-8.
inline std::string utf8(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    if (value < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xC0 | value >> 6);
      result += static_cast<char>(0x80 | (value & 0x3F));
    }
  }
  return result;
}
inline std::string bytes(Writer writer, std::string_view value) {
  if (writer == Writer::kPython2) return text(writer, value);
  if (writer == Writer::kProtocol2) {
    return global(writer, "_codecs", "encode") + tuple({text(writer, utf8(value)), text(writer, "latin1")}) +
           "R";
  }
  return testing_values::joined({"B", testing_values::little_endian(value.size(), 4), std::string(value)});
}
inline std::string dtype(Writer writer, const std::string& type, const std::string& order = "|") {
  const std::string state =
      tuple({testing_values::integer(3), text(writer, order), "N", "N", "N", testing_values::integer(-1),
             testing_values::integer(-1), testing_values::integer(0)});
  return global(writer, "numpy", "dtype") + tuple({text(writer, type), "\x89", "\x88"}) + "R" + state + "b";
}
inline std::string array(Writer writer, const std::string& type, const std::vector<int>& shape,
                         std::string_view data, bool fortran = false, const std::string& order = "|") {
  const std::string empty =
      global(writer, "numpy.core.multiarray", "_reconstruct") +
      tuple({global(writer, "numpy", "ndarray"), tuple({integers({0})}), bytes(writer, "b")}) + "R";
  const std::string state =
      tuple({testing_values::integer(1), tuple({integers(shape)}), dtype(writer, type, order),
             fortran ? "\x88" : "\x89", bytes(writer, data)});
  return empty + state + "b";
}
struct Entry {
  std::string key, value;  ///< the key as text, the value as a piece
};
inline std::string dict(Writer writer, const std::vector<Entry>& entries) {
  std::string result = "}(";
  for (const Entry& entry : entries) result += text(writer, entry.key) + entry.value;
  return result + "u";
}
inline std::string pickle(Writer writer, const std::string& body) {
  const char protocol = writer == Writer::kProtocol4 ? 4 : writer == Writer::kProtocol3 ? 3 : 2;
  std::string result = "\x80";
  result += protocol;
  return result + body + ".";
}

}  // namespace ptnas::testing_arrays
