#include "ptnas/core/pickle.h"

#include <algorithm>
#include <bit>

#include "ptnas/core/error.h"
#include "ptnas/core/pickle_machine.h"

namespace ptnas {

namespace {

// Far above what checkpoints of any network and tables of results hold, far below what fills a memory.
constexpr int kMostNesting = 64;
constexpr std::size_t kMostMarks = 1000, kMostLongBytes = 16;
constexpr std::size_t kMostValues = 1 << 21;

}  // namespace

const PickleValue* PickleValue::find(std::string_view name) const {
  for (const auto& [key, value] : entries) {
    if (key->kind == Kind::kText && key->text == name) return value;
  }
  return nullptr;
}

const PickleValue* PickleValue::find(std::int64_t number) const {
  for (const auto& [key, value] : entries) {
    if (key->kind == Kind::kInteger && key->integer == number) return value;
  }
  return nullptr;
}

Pickle PickleMachine::read() {
  protocol_ = byte() == 0x80 ? byte() : 0;
  if (protocol_ < protocols_.first || protocol_ > protocols_.last) refuse_protocol();
  for (unsigned code = byte(); code != '.'; code = byte()) {
    if (!do_plain(code) && !do_container(code) && !do_memo(code) && !do_object(code) && !do_bytes(code) &&
        !do_protocol_4(code) && !do_special(code)) {
      fail("{}: pickle instruction {:#x} is not one that {} writes; nothing was executed", what_, code,
           writer_);
    }
  }
  pickle_.root_ = pop();
  pickle_.size_ = position_;
  std::unordered_map<const PickleValue*, int> done;
  std::unordered_set<const PickleValue*> open;
  check_nesting(*pickle_.root_, 0, done, open);
  return std::move(pickle_);
}

void PickleMachine::refuse_protocol() const {
  const auto [first, last] = protocols_;
  if (first == last)
    fail("{}: expected a pickle of protocol {}, the one that {} writes", what_, first, writer_);
  fail("{}: expected a pickle of protocol {} to {}, as {} writes them", what_, first, last, writer_);
}

void PickleMachine::damaged() const {
  fail("{}: a truncated or damaged pickle (at byte {})", what_, position_);
}

void PickleMachine::fail_call(const PickleValue& function) const {
  fail("{}: the pickle calls `{}` in an unknown way; nothing was executed", what_, function.text);
}

// ---- Bytes

std::string_view PickleMachine::take(std::size_t count) {
  if (count > bytes_.size() - position_) damaged();
  const std::string_view result = bytes_.substr(position_, count);
  position_ += count;
  return result;
}

unsigned PickleMachine::byte() { return static_cast<unsigned char>(take(1)[0]); }

std::uint64_t PickleMachine::number(std::size_t count) {
  const std::string_view text = take(count);
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(text[i]);
  return value;
}

std::string PickleMachine::line() {
  const std::size_t end = bytes_.find('\n', position_);
  if (end == std::string_view::npos) damaged();
  std::string result(bytes_.substr(position_, end - position_));
  position_ = end + 1;
  return result;
}

// ---- The stack

PickleValue& PickleMachine::push(Kind kind) {
  if (pickle_.values_.size() >= kMostValues)
    fail("{}: the pickle has more than {} values; {} writes no such file", what_, kMostValues, writer_);
  PickleValue& value = pickle_.values_.emplace_back();
  value.kind = kind;
  stack_.push_back(&value);
  return value;
}

PickleValue* PickleMachine::pop() {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) damaged();
  PickleValue* value = stack_.back();
  stack_.pop_back();
  return value;
}

std::vector<PickleValue*> PickleMachine::pop_to_mark() {
  if (marks_.empty() || marks_.back() > stack_.size()) damaged();
  const auto mark = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleValue*> values(mark, stack_.end());
  stack_.erase(mark, stack_.end());
  marks_.pop_back();
  return values;
}

std::vector<PickleValue*> PickleMachine::pop_many(std::size_t count) {
  std::vector<PickleValue*> values(count);
  for (std::size_t i = count; i-- > 0;) values[i] = pop();
  return values;
}

PickleValue& PickleMachine::top() {
  if (stack_.empty()) damaged();
  return *stack_.back();
}

PickleValue& PickleMachine::top(Kind kind) {
  if (top().kind != kind) damaged();
  return top();
}

// ---- Plain values

bool PickleMachine::do_plain(unsigned code) {
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
      push_text(Kind::kText, number(1));
      return true;
    case 'T':
    case 'X':
      push_text(Kind::kText, number(4));
      return true;
    default:
      return false;
  }
}

// Torch's magic number takes ten bytes; of longer ones the lowest 64 bits count.
void PickleMachine::push_long(std::size_t count) {
  const std::string_view text = take(count);
  if (count > kMostLongBytes) damaged();
  std::uint64_t value = !text.empty() && (text.back() & 0x80) ? ~std::uint64_t{0} : 0;
  for (std::size_t i = std::min<std::size_t>(text.size(), 8); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(text[i]);
  PickleValue& integer = push(Kind::kInteger);
  integer.integer = static_cast<std::int64_t>(value);
  integer.text = text;
}

void PickleMachine::push_double() {
  std::uint64_t bits = 0;
  for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
  push(Kind::kFloat).real = std::bit_cast<double>(bits);
}

void PickleMachine::push_text(Kind kind, std::size_t size) {
  const std::string_view text = take(size);
  push(kind).text = text;
}

// ---- Containers

bool PickleMachine::do_container(unsigned code) {
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
      append(Kind::kList, pop_many(1));
      return true;
    case 'e':
      append(Kind::kList, pop_to_mark());
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

void PickleMachine::push_tuple(const std::vector<PickleValue*>& values) {
  push(Kind::kTuple).items.assign(values.begin(), values.end());
}

void PickleMachine::append(Kind kind, const std::vector<PickleValue*>& values) {
  PickleValue& container = top(kind);
  container.items.insert(container.items.end(), values.begin(), values.end());
}

void PickleMachine::set_items(const std::vector<PickleValue*>& values) {
  if (values.size() % 2 != 0) damaged();
  PickleValue& dict = top(Kind::kDict);
  for (std::size_t i = 0; i < values.size(); i += 2) dict.entries.emplace_back(values[i], values[i + 1]);
}

// ---- The memo

bool PickleMachine::do_memo(unsigned code) {
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

void PickleMachine::memorise(std::uint64_t index) {
  if (memo_.size() >= kMostValues) damaged();
  memo_[index] = &top();
}

void PickleMachine::recall(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) damaged();
  stack_.push_back(found->second);
}

// ---- Objects

bool PickleMachine::do_object(unsigned code) {
  switch (code) {
    case 'c': {
      const std::string module = line(), name = line();
      push_global(module, name);
      return true;
    }
    case 'R':
      reduce();
      return true;
    case 'b': {
      const PickleValue& state = *pop();
      build(top(), state);
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::push_global(const std::string& module, const std::string& name) {
  const std::string global = module + " " + name;
  if (!is_known(global))
    fail("{}: the pickle asks for `{}.{}`, which is not allowed; nothing was executed", what_, module, name);
  push(Kind::kGlobal).text = global;
}

void PickleMachine::reduce() {
  const PickleValue& arguments = *pop();
  const PickleValue& function = *pop();
  if (function.kind != Kind::kGlobal || arguments.kind != Kind::kTuple) damaged();
  call(function, arguments.items);
}

void PickleMachine::build(PickleValue& value, const PickleValue& state) {
  if (state.kind != Kind::kDict || value.kind != Kind::kDict)
    fail("{}: the pickle builds an object that is not an OrderedDict; nothing was executed", what_);
}

// ---- What protocols 3 and 4 (PEP 3154) add

bool PickleMachine::do_bytes(unsigned code) {
  if (protocol_ < 3 || (code != 'C' && code != 'B')) return false;
  push_text(Kind::kBytes, number(code == 'C' ? 1 : 4));
  return true;
}

bool PickleMachine::do_protocol_4(unsigned code) {
  if (protocol_ < 4) return false;
  switch (code) {
    case 0x95:
      skip_frame();
      return true;
    case 0x8c:
      push_text(Kind::kText, number(1));
      return true;
    case 0x8f:
      push(Kind::kSet);
      return true;
    case 0x90:
      append(Kind::kSet, pop_to_mark());
      return true;
    case 0x94:
      memorise(memo_.size());
      return true;
    case 0x93:
      push_stack_global();
      return true;
    default:
      return false;
  }
}

// A frame only says how many bytes to fetch at once; they are all here.
void PickleMachine::skip_frame() {
  if (number(8) > bytes_.size() - position_) damaged();
}

void PickleMachine::push_stack_global() {
  const PickleValue& name = *pop();
  const PickleValue& module = *pop();
  if (name.kind != Kind::kText || module.kind != Kind::kText) damaged();
  push_global(module.text, name.text);
}

// Refuses values that hold themselves or lie too deep. `done` has the depth at which a value was checked.
void PickleMachine::check_nesting(const PickleValue& value, int depth,
                                  std::unordered_map<const PickleValue*, int>& done,
                                  std::unordered_set<const PickleValue*>& open) const {
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

}  // namespace ptnas
