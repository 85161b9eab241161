// SVHN's cropped digits (Netzer et al., 2011): train_32x32.mat and test_32x32.mat with X [32, 32, 3, N]
// bytes, the first index fastest, and y [N, 1], where 10 is the digit 0. The part `extra` is not used, as in
// the authors' program.

#include <matio.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSvhnSide = 32, kSvhnPlane = kSvhnSide * kSvhnSide, kSvhnPixels = 3 * kSvhnPlane;

using MatFile = std::unique_ptr<mat_t, decltype(&Mat_Close)>;
using MatVariable = std::unique_ptr<matvar_t, decltype(&Mat_VarFree)>;

std::uint32_t little_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// A compressed element ends with a checksum of its data.
bool inflates(std::istream& stream, std::uint64_t length) {
  constexpr std::size_t kPiece = 1 << 16;
  std::vector<unsigned char> in(kPiece), out(kPiece);
  z_stream z = {};
  if (inflateInit(&z) != Z_OK) return false;
  int status = Z_OK;
  while (status == Z_OK && length > 0) {
    const auto count = std::min<std::uint64_t>(length, kPiece);
    if (!stream.read(reinterpret_cast<char*>(in.data()), static_cast<std::streamsize>(count))) break;
    length -= count;
    z.next_in = in.data();
    z.avail_in = static_cast<unsigned>(count);
    do {
      z.next_out = out.data();
      z.avail_out = kPiece;
      status = inflate(&z, Z_NO_FLUSH);
    } while (status == Z_OK && z.avail_out == 0);
    if (status == Z_BUF_ERROR) status = Z_OK;  // wants more input
  }
  inflateEnd(&z);
  return status == Z_STREAM_END;
}

// libmatio makes do with what is left of a truncated or damaged file. The elements of a MAT-file of level 5
// (a header of 128 bytes, then type, length and data of each) must lie within it and compressed ones be
// whole.
void check_whole(const fs::path& file) {
  constexpr std::uint64_t kHeader = 128, kTag = 8;
  constexpr std::uint32_t kCompressed = 15;
  const std::uint64_t size = file_size_or_zero(file);
  std::ifstream stream(file, std::ios::binary);
  char header[kHeader] = {}, tag[kTag] = {};
  stream.read(header, kHeader);
  const bool level_5 = header[124] == 0 && header[125] == 1 && header[126] == 'I' && header[127] == 'M';
  if (!level_5) return;
  for (std::uint64_t at = kHeader; at < size;) {
    stream.seekg(static_cast<std::streamoff>(at));
    const bool has_tag = static_cast<bool>(stream.read(tag, kTag));
    const std::uint32_t length = little_endian(tag + 4);
    at += kTag + length;
    if (!has_tag || at > size)
      fail("{} is truncated: it has {} bytes, its last variable goes beyond them", file.string(), size);
    if (little_endian(tag) == kCompressed && !inflates(stream, length))
      fail("{} is damaged: the variable that ends at byte {} does not inflate", file.string(), at);
  }
}

// The variable with its data, of which `fits` tells whether it is the one expected.
template <typename Fits>
MatVariable read_variable(mat_t* mat, const std::string& file, const char* name, const char* expected,
                          const Fits& fits) {
  MatVariable variable(Mat_VarReadInfo(mat, name), Mat_VarFree);
  if (!variable) fail("{}: expected the variable {} ({}), found none of that name", file, name, expected);
  if (variable->isComplex || variable->rank < 1 || !fits(*variable)) {
    std::string sizes;
    for (int d = 0; d < variable->rank; ++d) {
      if (d > 0) sizes += ", ";
      sizes += std::to_string(variable->dims[d]);
    }
    fail("{}: expected {} to be {}, found sizes [{}] of another kind or shape", file, name, expected, sizes);
  }
  if (Mat_VarReadDataAll(mat, variable.get()) != 0 || variable->data == nullptr)
    fail("{} is truncated or damaged: the data of {} cannot be read", file, name);
  return variable;
}

template <typename Number>
std::vector<double> numbers_of(const matvar_t& variable, std::size_t count) {
  const auto* first = static_cast<const Number*>(variable.data);
  return std::vector<double>(first, first + count);
}

// What MATLAB and SciPy write.
bool is_label_class(matio_classes type) {
  return type == MAT_C_UINT8 || type == MAT_C_DOUBLE || type == MAT_C_INT32 || type == MAT_C_INT64;
}

std::vector<int> read_labels(mat_t* mat, const std::string& file, std::size_t count) {
  const MatVariable y =
      read_variable(mat, file, "y", "a label for each image", [count](const matvar_t& variable) {
        std::size_t elements = 1;
        for (int d = 0; d < variable.rank; ++d) elements *= variable.dims[d];
        return variable.rank <= 2 && elements == count && is_label_class(variable.class_type);
      });
  const std::vector<double> numbers = y->class_type == MAT_C_UINT8    ? numbers_of<std::uint8_t>(*y, count)
                                      : y->class_type == MAT_C_DOUBLE ? numbers_of<double>(*y, count)
                                      : y->class_type == MAT_C_INT32  ? numbers_of<std::int32_t>(*y, count)
                                                                      : numbers_of<std::int64_t>(*y, count);
  std::vector<int> labels;
  for (std::size_t i = 0; i < count; ++i) {
    if (!(numbers[i] >= 1 && numbers[i] <= 10) || numbers[i] != std::floor(numbers[i]))
      fail("{}: image {} has label {}, expected 1 to 10", file, i, numbers[i]);
    labels.push_back(static_cast<int>(numbers[i]) % 10);
  }
  return labels;
}

// [32, 32, 3, N] with the row fastest, to [N, 3, 32, 32] with the column fastest.
std::string planes_of(const matvar_t& x, std::size_t count) {
  const auto* from = static_cast<const std::uint8_t*>(x.data);
  std::string pixels(count * kSvhnPixels, '\0');
  for (std::size_t plane = 0; plane < 3 * count; ++plane, from += kSvhnPlane) {
    char* to = pixels.data() + plane * kSvhnPlane;
    for (std::size_t row = 0; row < kSvhnSide; ++row) {
      for (std::size_t column = 0; column < kSvhnSide; ++column)
        *to++ = static_cast<char>(from[column * kSvhnSide + row]);
    }
  }
  return pixels;
}

MemoryPart read_svhn_part(const fs::path& directory, const std::string& name) {
  const fs::path path = directory / name;
  const std::string file = path.string();
  std::error_code none;
  if (!fs::exists(path, none)) {
    fail(
        "expected SVHN's cropped digits (train_32x32.mat, test_32x32.mat) in {}, found no {}; name the "
        "directory that has them",
        directory.string(), name);
  }
  check_whole(path);
  const MatFile mat(Mat_Open(file.c_str(), MAT_ACC_RDONLY), Mat_Close);
  if (!mat) fail("{} is no MAT-file, or is damaged; expected SVHN's own {}", file, name);
  const MatVariable x =
      read_variable(mat.get(), file, "X", "bytes [32, 32, 3, images]", [](const matvar_t& variable) {
        return variable.class_type == MAT_C_UINT8 && variable.rank == 4 && variable.dims[0] == kSvhnSide &&
               variable.dims[1] == kSvhnSide && variable.dims[2] == 3 && variable.dims[3] > 0;
      });
  const std::size_t count = x->dims[3];
  MemoryPart part;
  part.labels = read_labels(mat.get(), file, count);
  part.pixels = planes_of(*x, count);
  return part;
}

}  // namespace

std::unique_ptr<Dataset> open_svhn(const std::string& path, const DataOptions&) {
  const fs::path directory = path;
  std::array<MemoryPart, 2> parts = {read_svhn_part(directory, "train_32x32.mat"),
                                     read_svhn_part(directory, "test_32x32.mat")};
  DatasetInfo info;
  info.name = "svhn";
  for (int digit = 0; digit < 10; ++digit) info.classes.push_back(std::to_string(digit));
  info.channels = 3;
  info.height = info.width = static_cast<int>(kSvhnSide);
  // The published constants.
  info.mean = {0.4377, 0.4438, 0.4728};
  info.deviation = {0.1980, 0.2010, 0.1970};
  return std::make_unique<MemoryDataset>(std::move(info), std::move(parts), directory.string());
}

}  // namespace ptnas
