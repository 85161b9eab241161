// Pickles of NumPy's arrays, as downsampled ImageNet is stored.

#include <algorithm>
#include <array>

#include "ptnas/core/error.h"
#include "ptnas/core/pickle_machine.h"

namespace ptnas {

namespace {

constexpr std::string_view kNdarray = "numpy ndarray";
constexpr std::string_view kDtype = "numpy dtype";
constexpr std::string_view kEncode = "_codecs encode";
// By NumPy 1 and NumPy 2.
constexpr std::array<std::string_view, 2> kReconstruct = {"numpy.core.multiarray _reconstruct",
                                                          "numpy._core.multiarray _reconstruct"};
constexpr std::size_t kMostDimensions = 16;

bool is_reconstruct(std::string_view global) {
  return std::find(kReconstruct.begin(), kReconstruct.end(), global) != kReconstruct.end();
}

// Bytes of an element of NumPy's type, such as "u1"; 0 for a type that is no plain number.
std::int64_t element_size(const std::string& type) {
  if (type.size() != 2 || std::string_view("uif").find(type[0]) == std::string_view::npos) return 0;
  const int size = type[1] - '0';
  const bool known = size == 8 || size == 4 || size == 2 || size == 1;
  return known && (type[0] != 'f' || size > 1) ? size : 0;
}

class ArrayPickleReader final : public PickleMachine {
 public:
  ArrayPickleReader(std::string_view bytes, const std::string& what)
      : PickleMachine(bytes, what, {2, 4}, "NumPy") {}

 private:
  bool is_known(std::string_view global) const override {
    return global == kNdarray || global == kDtype || global == kEncode || is_reconstruct(global);
  }

  void call(const PickleValue& function, const std::vector<const PickleValue*>& items) override {
    if (is_reconstruct(function.text) && !items.empty() && items[0]->kind == Kind::kGlobal &&
        items[0]->text == kNdarray) {
      push(Kind::kArray);  // empty: its state tells the rest
    } else if (function.text == kDtype && !items.empty() && items[0]->kind == Kind::kText) {
      push(Kind::kDtype).text = items[0]->text;  // the others are NumPy's align and copy
    } else if (function.text == kEncode && items.size() == 2 && items[0]->kind == Kind::kText &&
               items[1]->kind == Kind::kText && items[1]->text == "latin1") {
      push_encoded(items[0]->text);
    } else {
      fail_call(function);
    }
  }

  void build(PickleValue& value, const PickleValue& state) override {
    if (state.kind != Kind::kTuple) damaged();
    if (value.kind == Kind::kDtype) {
      check_byte_order(state.items);
    } else if (value.kind == Kind::kArray) {
      build_array(value, state.items);
    } else {
      damaged();
    }
  }

  // A dtype's state is (version, byte order, ...).
  void check_byte_order(const std::vector<const PickleValue*>& items) const {
    if (items.size() < 2 || items[1]->kind != Kind::kText) damaged();
    if (items[1]->text != "<" && items[1]->text != "|") {
      fail("{}: expected arrays with the lowest byte first, found byte order `{}`; save them as such", what(),
           items[1]->text);
    }
  }

  // An array's state is (version, shape, dtype, Fortran's order, bytes).
  void build_array(PickleValue& array, const std::vector<const PickleValue*>& items) const {
    if (items.size() != 5 || items[1]->kind != Kind::kTuple || items[2]->kind != Kind::kDtype ||
        items[1]->items.size() > kMostDimensions) {
      damaged();
    }
    const PickleValue& data = *items[4];
    const std::int64_t size = element_size(items[2]->text);
    if (size == 0) {
      fail("{}: expected an array of plain numbers, found NumPy's type `{}`; save it as numbers", what(),
           items[2]->text);
    }
    // Python 2 has its bytes as text.
    if (data.kind != Kind::kBytes && data.kind != Kind::kText) damaged();
    std::vector<std::int64_t> shape;
    std::int64_t expected = size;
    for (const PickleValue* length : items[1]->items) {
      if (length->kind != Kind::kInteger || length->integer < 0 ||
          __builtin_mul_overflow(expected, length->integer, &expected)) {
        damaged();
      }
      shape.push_back(length->integer);
    }
    if (items[3]->integer != 0 && shape.size() > 1) {
      fail("{}: expected arrays in C's order, found one in Fortran's; save it by numpy.ascontiguousarray",
           what());
    }
    if (static_cast<std::uint64_t>(expected) != data.text.size()) damaged();
    array.text = items[2]->text;
    array.shape = std::move(shape);
    array.storage = &data;
  }

  // UTF-8 of characters below 256, each of which is a byte.
  void push_encoded(const std::string& text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto first = static_cast<unsigned char>(text[i]);
      if (first < 0x80) {
        bytes += text[i];
        continue;
      }
      if (i + 1 == text.size() || first < 0xC2 || first > 0xC3) damaged();
      const auto second = static_cast<unsigned char>(text[++i]);
      if (second < 0x80 || second > 0xBF) damaged();
      bytes += static_cast<char>((first & 0x03) << 6 | (second & 0x3F));
    }
    push(Kind::kBytes).text = std::move(bytes);
  }
};

}  // namespace

Pickle read_array_pickle(std::string_view bytes, const std::string& what) {
  return ArrayPickleReader(bytes, what).read();
}

}  // namespace ptnas
