// The pickles of torch.save: tensors as descriptions of storages.

#include <algorithm>
#include <array>
#include <cstring>

#include "ptnas/core/error.h"
#include "ptnas/core/pickle_machine.h"

namespace ptnas {

namespace {

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::array<std::string_view, 9> kStorages = {
    "torch FloatStorage",    "torch DoubleStorage", "torch HalfStorage",
    "torch BFloat16Storage", "torch LongStorage",   "torch IntStorage",
    "torch ShortStorage",    "torch ByteStorage",   "torch BoolStorage"};
constexpr std::size_t kMostDimensions = 16;

class TorchPickleReader final : public PickleMachine {
 public:
  TorchPickleReader(std::string_view bytes, const std::string& what)
      : PickleMachine(bytes, what, {2, 2}, "torch.save") {}

 private:
  bool is_known(std::string_view global) const override {
    return global == kOrderedDict || global == kRebuildTensor || global == kRebuildParameter ||
           std::find(kStorages.begin(), kStorages.end(), global) != kStorages.end();
  }

  void call(const PickleValue& function, const std::vector<const PickleValue*>& items) override {
    if (function.text == kOrderedDict && items.empty()) {
      push(Kind::kDict);
    } else if (function.text == kRebuildTensor && items.size() >= 4 && items[0]->kind == Kind::kStorage &&
               items[1]->kind == Kind::kInteger) {
      push_tensor(*items[0], items[1]->integer, integers(*items[2]), integers(*items[3]));
    } else if (function.text == kRebuildParameter && !items.empty() && items[0]->kind == Kind::kTensor) {
      const PickleValue& tensor = *items[0];
      push_tensor(*tensor.storage, tensor.integer - tensor.storage->view_offset, tensor.shape,
                  tensor.strides);
    } else {
      fail_call(function);
    }
  }

  bool do_special(unsigned code) override {
    if (code != 'Q') return false;
    push_storage(*pop());
    return true;
  }
  // ('storage', type, key, device, elements[, view]) on any device; a view, of old files, is None or
  // (key, offset, elements).
  void push_storage(const PickleValue& id) {
    const auto& items = id.items;
    const bool shaped = id.kind == Kind::kTuple && (items.size() == 5 || items.size() == 6) &&
                        items[0]->text == "storage" && items[1]->kind == Kind::kGlobal &&
                        items[1]->text.ends_with("Storage") && items[2]->kind == Kind::kText &&
                        items[4]->kind == Kind::kInteger && items[4]->integer >= 0;
    if (!shaped) fail("{}: a storage is described in an unknown way", what());
    PickleValue& storage = push(Kind::kStorage);
    storage.text = items[1]->text.substr(std::strlen("torch "));
    storage.key = items[2]->text;
    storage.integer = items[4]->integer;
    if (items.size() == 5 || items[5]->kind == Kind::kNone) return;
    const auto& view = items[5]->items;
    if (view.size() != 3 || view[1]->kind != Kind::kInteger || view[1]->integer < 0 ||
        view[1]->integer > storage.integer) {
      fail("{}: a view of storage {} is described in an unknown way", what(), storage.key);
    }
    storage.view_offset = view[1]->integer;
  }

  std::vector<std::int64_t> integers(const PickleValue& tuple) const {
    if (tuple.kind != Kind::kTuple || tuple.items.size() > kMostDimensions) damaged();
    std::vector<std::int64_t> result;
    for (const PickleValue* item : tuple.items) {
      if (item->kind != Kind::kInteger || item->integer < 0) damaged();
      result.push_back(item->integer);
    }
    return result;
  }
  void push_tensor(const PickleValue& storage, std::int64_t offset, const std::vector<std::int64_t>& shape,
                   const std::vector<std::int64_t>& strides) {
    if (offset < 0 || offset > storage.integer || shape.size() != strides.size()) damaged();
    PickleValue& tensor = push(Kind::kTensor);
    tensor.storage = &storage;
    tensor.integer = storage.view_offset + offset;
    tensor.shape = shape;
    tensor.strides = strides;
  }
};

}  // namespace

Pickle read_pickle(std::string_view bytes, const std::string& what) {
  return TorchPickleReader(bytes, what).read();
}

}  // namespace ptnas
