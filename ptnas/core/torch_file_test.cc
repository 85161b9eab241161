#include "ptnas/core/torch_file.h"

#include <cstring>

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"
#include "ptnas/core/torch_file_testing.h"

namespace ptnas {
namespace {

using namespace testing_torch;

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class TorchFileTest : public testing::Test {
 protected:
  TorchFile read(const std::string& content) {
    write_file(path_, content);
    return read_torch_file(path_);
  }
  void expect_refused(const std::string& content, const std::vector<std::string>& says) {
    expect_error([&] { read(content); }, says);
  }

  ScratchDirectory scratch_;
  std::filesystem::path path_ = scratch_ / "x.pt";
};

// A 2 x 3 matrix, its transpose by strides, and a long, in two storages.
std::string body(const std::string& device = "cpu") {
  const std::string matrix = storage("FloatStorage", "0", 7, device);
  return dict({{"matrix", tensor(matrix, {2, 3}, {3, 1}, 1)},
               {"transposed", tensor(matrix, {3, 2}, {1, 3}, 1)},
               {"none", tensor(matrix, {0, 3}, {3, 1})},
               {"count", tensor(storage("LongStorage", "1", 1, device), {}, {})}});
}
Named storages() { return {{"0", floats({9, 1, 2, 3, 4, 5, 6})}, {"1", little_endian(42, 8)}}; }

void expect_values(const TorchFile& file) {
  const auto read_entry = [&](const char* name) { return read_tensor(file, *file.root().find(name), name); };
  EXPECT_EQ(read_entry("matrix").data, floats({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(read_entry("matrix").dtype, "F32");
  EXPECT_EQ(read_entry("matrix").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(read_entry("transposed").data, floats({1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(read_entry("none").data, "");
}

TEST_F(TorchFileTest, ReadsTheZipLayout) {
  const TorchFile file = read(zip_layout(body(), storages()));
  expect_values(file);
  const TensorFile::Entry count = read_tensor(file, *file.root().find("count"), "count");
  EXPECT_EQ(count.dtype, "I64");
  EXPECT_TRUE(count.shape.empty());
  EXPECT_EQ(count.data, little_endian(42, 8));
}

TEST_F(TorchFileTest, ReadsTheOlderLayoutWithStoragesOfAnotherDevice) {
  const std::string content =
      older_layout(dict({{"matrix", tensor(storage("FloatStorage", "0", 7, "cuda:1"), {2, 3}, {3, 1}, 1)},
                         {"transposed", tensor(storage("FloatStorage", "0", 7, "cuda:1"), {3, 2}, {1, 3}, 1)},
                         {"none", tensor(storage("FloatStorage", "0", 7, "cuda:1"), {0, 3}, {3, 1})}}),
                   {{"0", floats({9, 1, 2, 3, 4, 5, 6})}}, 4);
  expect_values(read(content));
  for (std::size_t size = 0; size < content.size(); size += 7)
    expect_refused(content.substr(0, size), {"x.pt"});
  expect_refused(content + "x", {"x.pt", "follow its last storage"});
}

TEST_F(TorchFileTest, ReadsEveryElementType) {
  const std::vector<std::tuple<std::string, std::string, int>> types = {
      {"FloatStorage", "F32", 4}, {"DoubleStorage", "F64", 8}, {"LongStorage", "I64", 8},
      {"IntStorage", "I32", 4},   {"ByteStorage", "U8", 1},    {"BoolStorage", "U8", 1}};
  for (const auto& [type, dtype, size] : types) {
    const TorchFile file =
        read(zip_layout(tensor(storage(type, "0", 2), {2}, {1}), {{"0", std::string(2 * size, '\1')}}));
    EXPECT_EQ(read_tensor(file, file.root(), "t").dtype, dtype);
  }
  const TorchFile half =
      read(zip_layout(tensor(storage("HalfStorage", "0", 2), {2}, {1}), {{"0", std::string(4, '\1')}}));
  expect_error([&] { read_tensor(half, half.root(), "t"); }, {"t", "HalfStorage", "float"});
}

TEST_F(TorchFileTest, TensorsOutsideTheirStorageAreRefused) {
  const std::int64_t large = std::int64_t{1} << 62;
  const std::vector<std::tuple<std::vector<std::int64_t>, std::vector<std::int64_t>, std::int64_t>> wrong = {
      {{5}, {1}, 0},
      {{4}, {1}, 1},
      {{2, 3}, {3, 1}, 0},
      {{2}, {4}, 0},
      {{}, {}, 4},
      {{large, large}, {1, 1}, 0},
      {{large}, {0}, 0},
      {{2, 2}, {large, large}, 0},
      {{3, 3}, {1, large}, 0},
      {{0, large, large, large}, {1, 1, 1, 1}, 0}};
  for (const auto& [sizes, strides, offset] : wrong) {
    const TorchFile file = read(zip_layout(tensor(storage("FloatStorage", "0", 4), sizes, strides, offset),
                                           {{"0", floats({1, 2, 3, 4})}}));
    expect_error([&] { read_tensor(file, file.root(), "weight"); }, {"weight", "outside its data"});
  }
}

TEST_F(TorchFileTest, StoragesOfAnotherLengthOrNoneAreRefused) {
  const std::string value = tensor(storage("FloatStorage", "0", 4), {2}, {1});
  for (const std::string& data : {floats({1, 2}), floats({1, 2, 3, 4, 5}), std::string("abc")}) {
    const TorchFile file = read(zip_layout(value, {{"0", data}}));
    expect_error([&] { read_tensor(file, file.root(), "weight"); }, {"weight", "truncated or damaged"});
  }
  const TorchFile file = read(zip_layout(value, {{"1", floats({1, 2, 3, 4})}}));
  expect_error([&] { read_tensor(file, file.root(), "weight"); }, {"weight", "no data"});
  expect_error([&] { read_tensor(file, *file.root().storage, "weight"); }, {"weight", "tensor"});
}

TEST_F(TorchFileTest, ForeignFilesAreRefused) {
  expect_refused("", {"x.pt", "empty"});
  expect_refused("hello, world", {"x.pt", "not a file of torch.save"});
  expect_refused(zip({{"readme.txt", "hello"}}), {"x.pt", "no data.pkl"});
  expect_refused(zip({{"a/data.pkl", pickle(dict({}))}, {"a/byteorder", "big"}}), {"x.pt", "big-endian"});
  expect_refused(zip_layout(global("os", "system"), {}), {"x.pt", "os.system"});
  expect_refused(pickle(dict({})), {"x.pt", "not a file of torch.save"});
  expect_error([&] { read_torch_file(scratch_ / "absent.pt"); }, {"absent.pt"});
}

TEST_F(TorchFileTest, TheOlderLayoutsDamageIsRefused) {
  const std::string magic = pickle(std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12));
  const std::string protocol = pickle(integer(1001)), system = pickle(dict({}));
  expect_refused(magic + pickle(integer(1000)), {"x.pt", "protocol 1001"});
  expect_refused(magic + protocol + pickle(dict({{"little_endian", "\x89"}})), {"x.pt", "big-endian"});
  const std::string value = pickle(tensor(storage("FloatStorage", "0", 4), {2}, {1}));
  const std::string front = magic + protocol + system + value;
  expect_refused(front + pickle(list({text("0")})) + little_endian(~std::uint64_t{0}, 8),
                 {"x.pt", "truncated"});
  expect_refused(front + pickle(list({text("other")})) + little_endian(0, 8), {"x.pt", "other"});
  const std::string empty = little_endian(0, 8);
  expect_refused(front + pickle(list({text("0"), text("0")})) + empty + empty, {"x.pt", "twice"});
}

}  // namespace
}  // namespace ptnas
