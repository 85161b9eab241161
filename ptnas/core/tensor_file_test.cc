#include "ptnas/core/tensor_file.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ptnas/core/files.h"
#include "ptnas/core/json.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

TensorFile sample() {
  TensorFile file;
  file.metadata = {{"format", "ptnas-x"}, {"state", R"({"a": "\"quoted\""})"}};
  file.tensors["weight"] = {"F32", {2, 3}, bytes_of({1, 2, 3, 4, 5, 6})};
  file.tensors["a scalar"] = {"I64", {}, std::string(8, '\1')};
  file.tensors["empty"] = {"F64", {0, 4}, ""};
  file.tensors["mask"] = {"U8", {3}, std::string("\0\1\2", 3)};
  return file;
}

// A file with this header and `data_size` bytes of data.
std::string raw(const std::string& header, std::size_t data_size, std::int64_t length = -1) {
  const std::uint64_t size = length < 0 ? header.size() : static_cast<std::uint64_t>(length);
  return std::string(reinterpret_cast<const char*>(&size), 8) + header + std::string(data_size, 'd');
}

std::string entry(const std::string& name, int begin, int end, const std::string& shape = "[2]",
                  const std::string& type = "F32") {
  return fmt::format(R"("{}": {{"dtype": "{}", "shape": {}, "data_offsets": [{}, {}]}})", name, type, shape,
                     begin, end);
}

TEST(TensorFileTest, WrittenTensorsReadBack) {
  const ScratchDirectory scratch;
  const TensorFile file = sample();
  write_tensor_file(scratch / "x", file);
  const TensorFile read = read_tensor_file(scratch / "x");
  EXPECT_EQ(read.metadata, file.metadata);
  ASSERT_EQ(read.tensors.size(), file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    EXPECT_EQ(read.tensors.at(name).dtype, tensor.dtype);
    EXPECT_EQ(read.tensors.at(name).shape, tensor.shape);
    EXPECT_EQ(read.tensors.at(name).data, tensor.data);
  }
  write_tensor_file(scratch / "y", read);
  EXPECT_EQ(read_file(scratch / "x"), read_file(scratch / "y"));
}

TEST(TensorFileTest, TheLayoutIsThatOfSafetensors) {
  const ScratchDirectory scratch;
  write_tensor_file(scratch / "x", sample());
  const std::string content = read_file(scratch / "x");
  std::uint64_t length;
  std::memcpy(&length, content.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  ASSERT_LE(length, content.size() - 8);
  const Json header = parse_json(content.substr(8, length), "header");
  EXPECT_EQ(header["__metadata__"]["format"], "ptnas-x");
  EXPECT_EQ(header["weight"]["dtype"], "F32");
  EXPECT_EQ(header["weight"]["shape"], (Json{2, 3}));
  const auto begin = header["weight"]["data_offsets"][0].get<std::size_t>();
  EXPECT_EQ(content.substr(8 + length + begin, 24), sample().tensors["weight"].data);
}

TEST(TensorFileTest, AFileWithoutTensorsIsOne) {
  const ScratchDirectory scratch;
  write_tensor_file(scratch / "x", {});
  EXPECT_TRUE(read_tensor_file(scratch / "x").tensors.empty());
}

TEST(TensorFileTest, AnyTruncationIsNoticed) {
  const ScratchDirectory scratch;
  write_tensor_file(scratch / "x", sample());
  const std::string content = read_file(scratch / "x");
  for (std::size_t size = 0; size < content.size(); size += size < 16 ? 1 : 7) {
    write_file(scratch / "cut", content.substr(0, size));
    expect_error([&] { read_tensor_file(scratch / "cut"); }, {"cut"});
  }
  write_file(scratch / "longer", content + "x");
  expect_error([&] { read_tensor_file(scratch / "longer"); }, {"belong to no tensor"});
}

TEST(TensorFileTest, HostileHeadersAreRefusedWithAReason) {
  const std::string a = entry("a", 0, 8), deep(300000, '[');
  const std::vector<std::pair<std::string, std::string>> bad = {
      {raw("{}", 0, std::numeric_limits<std::int64_t>::max()), "longer than the file"},
      {raw("{}", 0, 3), "longer than the file"},
      {std::string(8, '\xff') + "{}", "longer than the file"},
      {raw("", 0), "not valid JSON"},
      {raw("{" + a, 8), "not valid JSON"},
      {raw("{\"\xff\": 1}", 8), "not valid JSON"},
      {raw(deep, 8), "not valid JSON"},
      {raw("[1]", 8), "no object"},
      {raw("{" + a + ", " + entry("a", 8, 16) + "}", 16), "key \"a\" stands twice"},
      {raw("{" + a + ", " + a + "}", 8), "key \"a\" stands twice"},
      {raw(R"({"__metadata__": {"k": "1", "k": "2"}})", 0), "\"k\" stands twice"},
      {raw(R"({"__metadata__": {"k": 1}})", 0), "__metadata__"},
      {raw(R"({"__metadata__": "text"})", 0), "__metadata__"},
      {raw("{" + a + "}", 7), "outside"},
      {raw("{" + entry("a", 8, 0) + "}", 8), "outside"},
      {raw("{" + entry("a", -8, 0) + "}", 8), "data_offsets"},
      {raw(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 18446744073709551615]}})", 8),
       "data_offsets"},
      {raw(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8.5]}})", 8), "data_offsets"},
      {raw(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0]}})", 8), "outside"},
      {raw(R"({"a": {"dtype": "F32", "shape": [2]}})", 8), "data_offsets"},
      {raw(R"({"a": {"shape": [2], "data_offsets": [0, 8]}})", 8), "dtype"},
      {raw(R"({"a": 5})", 8), "shape"},
      {raw("{" + entry("a", 0, 8, "[3]") + "}", 8), "8 bytes"},
      {raw("{" + entry("a", 0, 8, "[-2]") + "}", 8), "shape"},
      {raw("{" + entry("a", 0, 8, "[2.0]") + "}", 8), "shape"},
      {raw("{" + entry("a", 0, 8, "[4294967296, 4294967296, 2]") + "}", 8), "impossible shape"},
      {raw("{" + entry("a", 0, 8, "[18446744073709551615]") + "}", 8), "shape"},
      {raw("{" + entry("a", 0, 8, deep + std::string(deep.size(), ']')) + "}", 8), "nested deeper"},
      {raw("{" + entry("a", 0, 8, "[2]", "Q4") + "}", 8), "unknown type Q4"},
      {raw("{" + a + ", " + entry("b", 4, 12) + "}", 12), "overlaps"},
      {raw("{" + a + ", " + entry("b", 0, 8) + "}", 16), "overlaps"},
      {raw("{" + a + ", " + entry("b", 12, 20) + "}", 20), "belong to no tensor"},
      {raw("{" + a + "}", 12), "belong to no tensor"},
      {raw("{}", 4), "belong to no tensor"},
      {"PK\x03\x04 a zip archive, say", "longer than the file"},
  };
  const ScratchDirectory scratch;
  for (const auto& [content, says] : bad) {
    write_file(scratch / "bad", content);
    expect_error([&] { read_tensor_file(scratch / "bad"); }, {(scratch / "bad").string(), says});
  }
}

TEST(TensorFileTest, MissingFilesAndDirectoriesAreNamed) {
  const ScratchDirectory scratch;
  expect_error([&] { read_tensor_file(scratch / "absent"); }, {"absent", "No such file"});
  expect_error([&] { read_tensor_file(scratch.path()); }, {scratch.path().string(), "directory"});
}

TEST(TensorFileTest, WhatCannotBeReadIsNotWritten) {
  const ScratchDirectory scratch;
  const auto write = [&](const std::string& name, const TensorFile::Entry& tensor) {
    write_tensor_file(scratch / "x", {{}, {{name, tensor}}});
  };
  expect_error([&] { write("a", {"F32", {2}, "1234"}); }, {"a has 4 bytes"});
  expect_error([&] { write("a", {"F31", {1}, "1234"}); }, {"unknown type F31"});
  expect_error([&] { write("__metadata__", {"U8", {1}, "1"}); }, {"__metadata__"});
  expect_error([&] { write("a\xff", {"U8", {1}, "1"}); }, {"UTF-8"});
  EXPECT_FALSE(std::filesystem::exists(scratch / "x"));
}

}  // namespace
}  // namespace ptnas
