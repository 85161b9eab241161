#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ptnas {

/// A value read from a pickle: plain values, and the tensors of torch.save as descriptions of storages.
/// Nothing is ever executed.
struct PickleValue {
  enum class Kind { kNone, kBool, kInteger, kFloat, kText, kList, kTuple, kDict, kGlobal, kStorage, kTensor };
  using Pointer = std::shared_ptr<PickleValue>;

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;  ///< kBool, kInteger; kStorage: number of elements; kTensor: offset in elements
  double real = 0;           ///< kFloat
  std::string text;  ///< kText; kGlobal: "module name"; kStorage: element type, such as "FloatStorage"
  std::string key;   ///< kStorage: its key in the file
  std::vector<Pointer> items;                        ///< kList, kTuple
  std::vector<std::pair<Pointer, Pointer>> entries;  ///< kDict (OrderedDict too)
  Pointer storage;                                   ///< kTensor
  std::vector<std::int64_t> shape, strides;          ///< kTensor, in elements

  /// The value of a text key in a dict; null where there is none.
  const PickleValue* find(std::string_view name) const;
};

/// Reads one pickle of protocol 2 from the front of `bytes` and says in `consumed` how long it was. Of
/// globals only those that torch.save writes for tensors and collections.OrderedDict are known; any other is
/// refused by name. Throws Error naming `what`.
PickleValue::Pointer read_pickle(std::string_view bytes, const std::string& what,
                                 std::size_t* consumed = nullptr);

}  // namespace ptnas
