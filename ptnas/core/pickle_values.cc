// Pickles of plain values, as NATS-Bench stores its results.

#include <bit>

#include "ptnas/core/error.h"
#include "ptnas/core/pickle_machine.h"

namespace ptnas {

namespace {

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kDtype = "numpy dtype";
constexpr std::string_view kScalar = "numpy.core.multiarray scalar";

// The number in little-endian bytes.
std::uint64_t bits_of(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

class ValuePickleReader final : public PickleMachine {
 public:
  ValuePickleReader(std::string_view bytes, const std::string& what)
      : PickleMachine(bytes, what, {4, 4}, "NATS-Bench") {}

 private:
  bool is_known(std::string_view global) const override {
    return global == kOrderedDict || global == kDtype || global == kScalar;
  }

  void call(const PickleValue& function, const std::vector<const PickleValue*>& items) override {
    if (function.text == kOrderedDict && items.empty()) {
      push(Kind::kDict);
    } else if (function.text == kDtype && !items.empty() && items[0]->kind == Kind::kText) {
      push(Kind::kDtype).text = items[0]->text;  // the others are NumPy's align and copy
    } else if (function.text == kScalar && items.size() == 2 && items[0]->kind == Kind::kDtype &&
               items[1]->kind == Kind::kBytes) {
      push_scalar(items[0]->text, items[1]->text);
    } else {
      fail_call(function);
    }
  }

  // A dtype's state is (version, byte order, ...).
  void build(PickleValue& value, const PickleValue& state) override {
    if (value.kind != Kind::kDtype) return PickleMachine::build(value, state);
    const auto& items = state.items;
    if (state.kind != Kind::kTuple || items.size() < 2 || items[1]->kind != Kind::kText) damaged();
    if (items[1]->text != "<" && items[1]->text != "|") {
      fail(
          "{}: expected NumPy numbers with the lowest byte first, found byte order `{}`; save them on a "
          "little-endian machine",
          what(), items[1]->text);
    }
  }

  void push_scalar(const std::string& type, const std::string& bytes) {
    const std::size_t size = type == "f8" || type == "i8" ? 8 : type == "f4" || type == "i4" ? 4 : 0;
    if (size == 0) {
      fail("{}: expected a NumPy number of type f8, f4, i8 or i4, found `{}`; save it as a Python number",
           what(), type);
    }
    if (bytes.size() != size) damaged();
    const std::uint64_t bits = bits_of(bytes);
    const auto low = static_cast<std::uint32_t>(bits);
    if (type[0] == 'f') {
      push(Kind::kFloat).real =
          size == 8 ? std::bit_cast<double>(bits) : static_cast<double>(std::bit_cast<float>(low));
    } else {
      push(Kind::kInteger).integer =
          size == 8 ? static_cast<std::int64_t>(bits) : std::int64_t{static_cast<std::int32_t>(low)};
    }
  }
};

}  // namespace

Pickle read_value_pickle(std::string_view bytes, const std::string& what) {
  return ValuePickleReader(bytes, what).read();
}

}  // namespace ptnas
