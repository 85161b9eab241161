#include "ptnas/core/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::array<std::string_view, 9> kStorages = {
    "torch FloatStorage",    "torch DoubleStorage", "torch HalfStorage",
    "torch BFloat16Storage", "torch LongStorage",   "torch IntStorage",
    "torch ShortStorage",    "torch ByteStorage",   "torch BoolStorage"};

// Far above what checkpoints of any network here hold, far below what fills a memory.
constexpr int kMostNesting = 64;
constexpr std::size_t kMostMarks = 1000, kMostDimensions = 16, kMostLongBytes = 16;
constexpr std::size_t kMostValues = 1 << 21;

bool is_known(std::string_view global) {
  return global == kOrderedDict || global == kRebuildTensor || global == kRebuildParameter ||
         std::find(kStorages.begin(), kStorages.end(), global) != kStorages.end();
}

}  // namespace

// The machine of the pickle: a stack, marks in it, and a memo.
class PickleReader {
 public:
  PickleReader(std::string_view bytes, const std::string& what) : bytes_(bytes), what_(what) {}

  Pickle read() {
    const unsigned protocol = byte() == 0x80 ? byte() : 0;
    if (protocol != 2) fail("{}: expected a pickle of protocol 2, the one that torch.save writes", what_);
    for (unsigned code = byte(); code != '.'; code = byte()) {
      if (!do_plain(code) && !do_container(code) && !do_memo(code) && !do_object(code)) {
        fail("{}: pickle instruction {:#x} is not one that torch.save writes; nothing was executed", what_,
             code);
      }
    }
    pickle_.root_ = pop();
    pickle_.size_ = position_;
    std::unordered_map<const PickleValue*, int> done;
    std::unordered_set<const PickleValue*> open;
    check_nesting(*pickle_.root_, 0, done, open);
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void damaged() const {
    fail("{}: a truncated or damaged pickle (at byte {})", what_, position_);
  }

  // ---- Bytes
  std::string_view take(std::size_t count) {
    if (count > bytes_.size() - position_) damaged();
    const std::string_view result = bytes_.substr(position_, count);
    position_ += count;
    return result;
  }
  unsigned byte() { return static_cast<unsigned char>(take(1)[0]); }
  std::uint64_t number(std::size_t count) {
    const std::string_view text = take(count);
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(text[i]);
    return value;
  }
  std::string line() {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) damaged();
    std::string result(bytes_.substr(position_, end - position_));
    position_ = end + 1;
    return result;
  }

  // ---- The stack
  PickleValue& push(Kind kind) {
    if (pickle_.values_.size() >= kMostValues)
      fail("{}: the pickle has more than {} values; that is no checkpoint", what_, kMostValues);
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    stack_.push_back(&value);
    return value;
  }
  PickleValue* pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) damaged();
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  std::vector<PickleValue*> pop_to_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) damaged();
    const auto mark = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleValue*> values(mark, stack_.end());
    stack_.erase(mark, stack_.end());
    marks_.pop_back();
    return values;
  }
  PickleValue& top() {
    if (stack_.empty()) damaged();
    return *stack_.back();
  }
  PickleValue& top(Kind kind) {
    if (top().kind != kind) damaged();
    return top();
  }

  // ---- Instructions by group; false for one of another group
  bool do_plain(unsigned code) {
    switch (code) {
      case 'N':
        push(Kind::kNone);
        return true;
      case 0x88:
      case 0x89:
        push(Kind::kBool).integer = code == 0x88 ? 1 : 0;
        return true;
      case 'J':
        push(Kind::kInteger).integer = static_cast<std::int32_t>(number(4));
        return true;
      case 'K':
        push(Kind::kInteger).integer = static_cast<std::int64_t>(number(1));
        return true;
      case 'M':
        push(Kind::kInteger).integer = static_cast<std::int64_t>(number(2));
        return true;
      case 0x8a:
        push_long(number(1));
        return true;
      case 'G':
        push_double();
        return true;
      case 'U':
        push(Kind::kText).text = take(number(1));
        return true;
      case 'T':
      case 'X':
        push(Kind::kText).text = take(number(4));
        return true;
      default:
        return false;
    }
  }
  // Torch's magic number takes ten bytes; of longer ones the lowest 64 bits count.
  void push_long(std::size_t count) {
    const std::string_view text = take(count);
    if (count > kMostLongBytes) damaged();
    std::uint64_t value = !text.empty() && (text.back() & 0x80) ? ~std::uint64_t{0} : 0;
    for (std::size_t i = std::min<std::size_t>(text.size(), 8); i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(text[i]);
    PickleValue& integer = push(Kind::kInteger);
    integer.integer = static_cast<std::int64_t>(value);
    integer.text = text;
  }
  void push_double() {
    std::uint64_t bits = 0;
    for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
    push(Kind::kFloat).real = std::bit_cast<double>(bits);
  }

  bool do_container(unsigned code) {
    switch (code) {
      case '(':
        if (marks_.size() >= kMostMarks) damaged();
        marks_.push_back(stack_.size());
        return true;
      case '}':
        push(Kind::kDict);
        return true;
      case ']':
        push(Kind::kList);
        return true;
      case ')':
        push(Kind::kTuple);
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push_tuple(pop_many(code - 0x84));
        return true;
      case 't':
        push_tuple(pop_to_mark());
        return true;
      case 'a':
        append(pop_many(1));
        return true;
      case 'e':
        append(pop_to_mark());
        return true;
      case 's':
        set_items(pop_many(2));
        return true;
      case 'u':
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }
  std::vector<PickleValue*> pop_many(std::size_t count) {
    std::vector<PickleValue*> values(count);
    for (std::size_t i = count; i-- > 0;) values[i] = pop();
    return values;
  }
  void push_tuple(const std::vector<PickleValue*>& values) {
    push(Kind::kTuple).items.assign(values.begin(), values.end());
  }
  void append(const std::vector<PickleValue*>& values) {
    PickleValue& list = top(Kind::kList);
    list.items.insert(list.items.end(), values.begin(), values.end());
  }
  void set_items(const std::vector<PickleValue*>& values) {
    if (values.size() % 2 != 0) damaged();
    PickleValue& dict = top(Kind::kDict);
    for (std::size_t i = 0; i < values.size(); i += 2) dict.entries.emplace_back(values[i], values[i + 1]);
  }

  bool do_memo(unsigned code) {
    switch (code) {
      case 'q':
        memorise(number(1));
        return true;
      case 'r':
        memorise(number(4));
        return true;
      case 'h':
        recall(number(1));
        return true;
      case 'j':
        recall(number(4));
        return true;
      default:
        return false;
    }
  }
  void memorise(std::uint64_t index) {
    if (memo_.size() >= kMostValues) damaged();
    memo_[index] = &top();
  }
  void recall(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) damaged();
    stack_.push_back(found->second);
  }

  bool do_object(unsigned code) {
    switch (code) {
      case 'c':
        push_global();
        return true;
      case 'Q':
        push_storage(*pop());
        return true;
      case 'R':
        reduce();
        return true;
      case 'b':
        build();
        return true;
      default:
        return false;
    }
  }
  void push_global() {
    const std::string module = line(), name = line();
    const std::string global = module + " " + name;
    if (!is_known(global)) {
      fail("{}: the pickle asks for `{}.{}`, which is not allowed; nothing was executed", what_, module,
           name);
    }
    push(Kind::kGlobal).text = global;
  }
  // ('storage', type, key, device, elements[, view]) on any device; a view, of old files, is None or
  // (key, offset, elements).
  void push_storage(const PickleValue& id) {
    const auto& items = id.items;
    const bool shaped = id.kind == Kind::kTuple && (items.size() == 5 || items.size() == 6) &&
                        items[0]->text == "storage" && items[1]->kind == Kind::kGlobal &&
                        items[1]->text.ends_with("Storage") && items[2]->kind == Kind::kText &&
                        items[4]->kind == Kind::kInteger && items[4]->integer >= 0;
    if (!shaped) fail("{}: a storage is described in an unknown way", what_);
    PickleValue& storage = push(Kind::kStorage);
    storage.text = items[1]->text.substr(std::strlen("torch "));
    storage.key = items[2]->text;
    storage.integer = items[4]->integer;
    if (items.size() == 5 || items[5]->kind == Kind::kNone) return;
    const auto& view = items[5]->items;
    if (view.size() != 3 || view[1]->kind != Kind::kInteger || view[1]->integer < 0 ||
        view[1]->integer > storage.integer) {
      fail("{}: a view of storage {} is described in an unknown way", what_, storage.key);
    }
    storage.view_offset = view[1]->integer;
  }
  void reduce() {
    const PickleValue& arguments = *pop();
    const PickleValue& function = *pop();
    if (function.kind != Kind::kGlobal || arguments.kind != Kind::kTuple) damaged();
    const auto& items = arguments.items;
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
      fail("{}: the pickle calls `{}` in an unknown way; nothing was executed", what_, function.text);
    }
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
  // torch.save's OrderedDicts carry attributes (_metadata), which are of no use here.
  void build() {
    const PickleValue& attributes = *pop();
    if (attributes.kind != Kind::kDict || top().kind != Kind::kDict) {
      fail("{}: the pickle builds an object that is not an OrderedDict; nothing was executed", what_);
    }
  }

  // Refuses values that hold themselves or lie too deep. `done` has the depth at which a value was checked.
  void check_nesting(const PickleValue& value, int depth, std::unordered_map<const PickleValue*, int>& done,
                     std::unordered_set<const PickleValue*>& open) {
    if (value.items.empty() && value.entries.empty()) return;
    if (const auto found = done.find(&value); found != done.end() && found->second >= depth) return;
    if (depth > kMostNesting || !open.insert(&value).second)
      fail("{}: the pickle is nested too deeply or holds itself", what_);
    for (const PickleValue* item : value.items) check_nesting(*item, depth + 1, done, open);
    for (const auto& [key, item] : value.entries) {
      check_nesting(*key, depth + 1, done, open);
      check_nesting(*item, depth + 1, done, open);
    }
    open.erase(&value);
    done[&value] = depth;
  }

  std::string_view bytes_;
  const std::string& what_;
  std::size_t position_ = 0;
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
};

const PickleValue* PickleValue::find(std::string_view name) const {
  for (const auto& [key, value] : entries) {
    if (key->kind == Kind::kText && key->text == name) return value;
  }
  return nullptr;
}

Pickle read_pickle(std::string_view bytes, const std::string& what) {
  return PickleReader(bytes, what).read();
}

}  // namespace ptnas
