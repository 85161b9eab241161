#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ptnas {

/// A value read from a pickle: plain values, and the tensors of torch.save as descriptions of storages.
struct PickleValue {
  enum class Kind {
    kNone,
    kBool,
    kInteger,
    kFloat,
    kText,
    kBytes,
    kList,
    kTuple,
    kSet,
    kDict,
    kGlobal,
    kDtype,
    kStorage,
    kTensor,
    kArray
  };

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;  ///< kBool, kInteger; kStorage: number of elements; kTensor: offset in elements
  double real = 0;           ///< kFloat
  std::string text;  ///< kText, kBytes; kGlobal: "module name"; kDtype, kArray: NumPy's "f8"; kStorage:
                     ///< "FloatStorage"
  std::string key;   ///< kStorage: its key in the file
  std::int64_t view_offset = 0;           ///< kStorage: where it begins in the data of that key, in elements
  std::vector<const PickleValue*> items;  ///< kList, kTuple, kSet
  std::vector<std::pair<const PickleValue*, const PickleValue*>> entries;  ///< kDict (OrderedDict too)
  const PickleValue* storage = nullptr;  ///< kTensor; kArray: kBytes, all elements, the last index fastest
  std::vector<std::int64_t> shape, strides;  ///< kTensor, in elements; kArray: shape

  /// The value of a text key in a dict; null where there is none.
  const PickleValue* find(std::string_view name) const;
  /// The same of an integer key.
  const PickleValue* find(std::int64_t number) const;
};

/// A pickle that was read: it owns its values, which point at each other. Nested 64 deep at most and never
/// within themselves, though one value may stand in many places.
class Pickle {
 public:
  Pickle() = default;
  Pickle(Pickle&&) = default;
  Pickle& operator=(Pickle&&) = default;
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return *root_; }
  /// Every value that was read, whether the root holds it or not.
  const std::deque<PickleValue>& values() const { return values_; }
  /// Length in bytes.
  std::size_t size() const { return size_; }

 private:
  friend class PickleMachine;
  std::deque<PickleValue> values_;
  const PickleValue* root_ = nullptr;
  std::size_t size_ = 0;
};

/// Reads one pickle of protocol 2 from the front of `bytes`. Of globals only those that torch.save writes for
/// tensors and collections.OrderedDict are known; any other is refused by name, and nothing is ever executed.
/// Depth, number of values and of memo entries are limited. Throws Error naming `what`.
Pickle read_pickle(std::string_view bytes, const std::string& what);

/// The same of protocol 4, for results of experiments in plain values: numbers, texts, bytes, containers. The
/// globals known are collections.OrderedDict (a dict) and, for NumPy's scalars (plain numbers), numpy.dtype
/// and numpy.core.multiarray.scalar: those of NATS-Bench's files.
Pickle read_value_pickle(std::string_view bytes, const std::string& what);

/// The same of protocol 2 to 4, with NumPy's arrays of whole or real numbers (kArray) and nothing else of
/// NumPy: numpy.ndarray, numpy.dtype, numpy.core.multiarray._reconstruct (by NumPy 2's name of it too) and
/// _codecs.encode, in which protocol 2 puts bytes. An array has as many bytes as its shape and type say.
Pickle read_array_pickle(std::string_view bytes, const std::string& what);

}  // namespace ptnas
