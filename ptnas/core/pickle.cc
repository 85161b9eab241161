#include "ptnas/core/pickle.h"

#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

using Kind = PickleValue::Kind;
using Pointer = PickleValue::Pointer;

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::array<std::string_view, 9> kStorages = {
    "torch FloatStorage",    "torch DoubleStorage", "torch HalfStorage",
    "torch BFloat16Storage", "torch LongStorage",   "torch IntStorage",
    "torch ShortStorage",    "torch ByteStorage",   "torch BoolStorage"};
constexpr int kMostNesting = 64;

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& what) : bytes_(bytes), what_(what) {}

  // A damaged pickle may hold itself: its values are taken apart so that they are freed.
  ~Reader() {
    if (good_) return;
    for (const std::weak_ptr<PickleValue>& weak : containers_) {
      if (const Pointer value = weak.lock()) {
        value->items.clear();
        value->entries.clear();
      }
    }
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Pointer read() {
    if (byte() != 0x80 || byte() != 2) fail("{}: expected a pickle of protocol 2", what_);
    while (step()) {
    }
    Pointer result = pop();
    check_nesting(result);
    good_ = true;
    return result;
  }
  std::size_t position() const { return position_; }

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
  Pointer make(Kind kind) {
    auto value = std::make_shared<PickleValue>();
    value->kind = kind;
    if (kind == Kind::kList || kind == Kind::kDict || kind == Kind::kTuple) containers_.push_back(value);
    return value;
  }
  void push(Pointer value) { stack_.push_back(std::move(value)); }
  void push_integer(std::int64_t integer, Kind kind = Kind::kInteger) {
    Pointer value = make(kind);
    value->integer = integer;
    push(std::move(value));
  }
  void push_text(std::string_view text) {
    Pointer value = make(Kind::kText);
    value->text = text;
    push(std::move(value));
  }
  Pointer pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) damaged();
    Pointer value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  std::vector<Pointer> pop_to_mark() {
    if (marks_.empty()) damaged();
    std::vector<Pointer> values(
        std::make_move_iterator(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back())),
        std::make_move_iterator(stack_.end()));
    stack_.resize(marks_.back());
    marks_.pop_back();
    return values;
  }
  PickleValue& top(Kind kind) {
    if (stack_.empty() || stack_.back()->kind != kind) damaged();
    return *stack_.back();
  }
  void push_tuple(std::size_t count) {
    Pointer tuple = make(Kind::kTuple);
    tuple->items.resize(count);
    for (std::size_t i = count; i-- > 0;) tuple->items[i] = pop();
    push(std::move(tuple));
  }
  void set_items(const std::vector<Pointer>& values) {
    if (values.size() % 2 != 0) damaged();
    PickleValue& dict = top(Kind::kDict);
    for (std::size_t i = 0; i < values.size(); i += 2) dict.entries.emplace_back(values[i], values[i + 1]);
  }

  // ---- Instructions; false after STOP
  bool step() {
    const unsigned code = byte();
    switch (code) {
      case '.':
        return false;
      case '(':
        marks_.push_back(stack_.size());
        break;
      case 'N':
        push(make(Kind::kNone));
        break;
      case 0x88:
        push_integer(1, Kind::kBool);
        break;
      case 0x89:
        push_integer(0, Kind::kBool);
        break;
      case 'J':
        push_integer(static_cast<std::int32_t>(number(4)));
        break;
      case 'K':
        push_integer(static_cast<std::int64_t>(number(1)));
        break;
      case 'M':
        push_integer(static_cast<std::int64_t>(number(2)));
        break;
      case 0x8a:
        push_long(number(1));
        break;
      case 'G':
        push_double();
        break;
      case 'X':
        push_text(take(number(4)));
        break;
      case 'U':
        push_text(take(number(1)));
        break;
      case 'T':
        push_text(take(number(4)));
        break;
      case '}':
        push(make(Kind::kDict));
        break;
      case ']':
        push(make(Kind::kList));
        break;
      case ')':
        push(make(Kind::kTuple));
        break;
      case 0x85:
        push_tuple(1);
        break;
      case 0x86:
        push_tuple(2);
        break;
      case 0x87:
        push_tuple(3);
        break;
      case 't': {
        Pointer tuple = make(Kind::kTuple);
        tuple->items = pop_to_mark();
        push(std::move(tuple));
        break;
      }
      case 'a': {
        Pointer value = pop();
        top(Kind::kList).items.push_back(std::move(value));
        break;
      }
      case 'e': {
        std::vector<Pointer> values = pop_to_mark();
        PickleValue& list = top(Kind::kList);
        list.items.insert(list.items.end(), values.begin(), values.end());
        break;
      }
      case 's': {
        Pointer value = pop(), key = pop();
        top(Kind::kDict).entries.emplace_back(std::move(key), std::move(value));
        break;
      }
      case 'u':
        set_items(pop_to_mark());
        break;
      case 'q':
        memo_[number(1)] = peek();
        break;
      case 'r':
        memo_[number(4)] = peek();
        break;
      case 'h':
        push(recall(number(1)));
        break;
      case 'j':
        push(recall(number(4)));
        break;
      case 'c':
        push_global();
        break;
      case 'Q':
        push_storage(pop());
        break;
      case 'R':
        reduce();
        break;
      case 'b':
        build();
        break;
      default:
        fail("{}: pickle instruction {:#x} is not one that torch.save writes; nothing was executed", what_,
             code);
    }
    return true;
  }

  Pointer peek() {
    if (stack_.empty()) damaged();
    return stack_.back();
  }
  Pointer recall(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) damaged();
    return found->second;
  }
  void push_long(std::uint64_t count) {
    const std::string_view text = take(count);
    // torch.save writes longs for seeds and its magic number; ten bytes hold those, and no more is kept than
    // 64 bits.
    if (count > 16) damaged();
    std::uint64_t value = !text.empty() && (text.back() & 0x80) ? ~std::uint64_t{0} : 0;
    for (std::size_t i = std::min<std::size_t>(text.size(), 8); i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(text[i]);
    Pointer integer = make(Kind::kInteger);
    integer->integer = static_cast<std::int64_t>(value);
    integer->text = text;  // all its bytes, for the magic number
    push(std::move(integer));
  }
  void push_double() {
    const std::string_view text = take(8);
    std::uint64_t bits = 0;
    for (const char c : text) bits = bits << 8 | static_cast<unsigned char>(c);
    Pointer value = make(Kind::kFloat);
    value->real = std::bit_cast<double>(bits);
    push(std::move(value));
  }
  void push_global() {
    const std::string module = line(), name = line();
    const std::string global = module + " " + name;
    bool known = global == kOrderedDict || global == kRebuildTensor || global == kRebuildParameter;
    for (const std::string_view storage : kStorages) known = known || global == storage;
    if (!known)
      fail("{}: the pickle asks for `{}.{}`, which is not allowed; nothing was executed", what_, module,
           name);
    Pointer value = make(Kind::kGlobal);
    value->text = global;
    push(std::move(value));
  }
  // ('storage', type, key, device, elements[, view]); any device.
  void push_storage(const Pointer& id) {
    const auto& items = id->items;
    const bool shaped = id->kind == Kind::kTuple && items.size() >= 5 && items[0]->text == "storage" &&
                        items[1]->kind == Kind::kGlobal && items[1]->text.ends_with("Storage") &&
                        items[2]->kind == Kind::kText && items[4]->kind == Kind::kInteger;
    if (!shaped || (items.size() > 5 && items[5]->kind != Kind::kNone))
      fail("{}: a storage is described in an unknown way", what_);
    Pointer storage = make(Kind::kStorage);
    storage->text = items[1]->text.substr(std::strlen("torch "));
    storage->key = items[2]->text;
    storage->integer = items[4]->integer;
    if (storage->integer < 0) damaged();
    push(std::move(storage));
  }
  std::vector<std::int64_t> integers(const Pointer& tuple) const {
    if (tuple->kind != Kind::kTuple || tuple->items.size() > 16) damaged();
    std::vector<std::int64_t> result;
    for (const Pointer& item : tuple->items) {
      if (item->kind != Kind::kInteger || item->integer < 0) damaged();
      result.push_back(item->integer);
    }
    return result;
  }
  void reduce() {
    const Pointer arguments = pop(), function = pop();
    if (function->kind != Kind::kGlobal || arguments->kind != Kind::kTuple) damaged();
    const auto& items = arguments->items;
    if (function->text == kOrderedDict && items.empty()) {
      push(make(Kind::kDict));
    } else if (function->text == kRebuildTensor && items.size() >= 4 && items[0]->kind == Kind::kStorage &&
               items[1]->kind == Kind::kInteger) {
      Pointer tensor = make(Kind::kTensor);
      tensor->storage = items[0];
      tensor->integer = items[1]->integer;
      tensor->shape = integers(items[2]);
      tensor->strides = integers(items[3]);
      if (tensor->integer < 0 || tensor->shape.size() != tensor->strides.size()) damaged();
      push(std::move(tensor));
    } else if (function->text == kRebuildParameter && !items.empty() && items[0]->kind == Kind::kTensor) {
      push(items[0]);
    } else {
      fail("{}: the pickle calls `{}` in an unknown way; nothing was executed", what_, function->text);
    }
  }
  // torch.save's OrderedDicts carry attributes (_metadata), which are of no use here.
  void build() {
    const Pointer attributes = pop();
    if (attributes->kind != Kind::kDict || stack_.empty() || stack_.back()->kind != Kind::kDict) {
      fail("{}: the pickle builds an object that is not an OrderedDict; nothing was executed", what_);
    }
  }

  // Refuses values that hold themselves or lie too deep: users may walk them without care.
  void check_nesting(const Pointer& root) {
    std::unordered_map<const PickleValue*, int> done;
    std::unordered_set<const PickleValue*> open;
    depth_of(root.get(), 0, done, open);
  }
  int depth_of(const PickleValue* value, int depth, std::unordered_map<const PickleValue*, int>& done,
               std::unordered_set<const PickleValue*>& open) {
    if (value->items.empty() && value->entries.empty()) return depth;
    if (const auto found = done.find(value); found != done.end() && found->second >= depth) return depth;
    if (depth > kMostNesting || !open.insert(value).second)
      fail("{}: the pickle is nested too deeply or holds itself", what_);
    for (const Pointer& item : value->items) depth_of(item.get(), depth + 1, done, open);
    for (const auto& [key, item] : value->entries) {
      depth_of(key.get(), depth + 1, done, open);
      depth_of(item.get(), depth + 1, done, open);
    }
    open.erase(value);
    done[value] = depth;
    return depth;
  }

  std::string_view bytes_;
  const std::string& what_;
  std::size_t position_ = 0;
  std::vector<Pointer> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Pointer> memo_;
  std::vector<std::weak_ptr<PickleValue>> containers_;
  bool good_ = false;
};

}  // namespace

const PickleValue* PickleValue::find(std::string_view name) const {
  for (const auto& [key, value] : entries) {
    if (key->kind == Kind::kText && key->text == name) return value.get();
  }
  return nullptr;
}

Pointer read_pickle(std::string_view bytes, const std::string& what, std::size_t* consumed) {
  Reader reader(bytes, what);
  Pointer value = reader.read();
  if (consumed != nullptr) *consumed = reader.position();
  return value;
}

}  // namespace ptnas
