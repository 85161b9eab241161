#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ptnas/core/pickle.h"

namespace ptnas {

/// The machine of a pickle: a stack, marks in it, and a memo (CPython's pickletools.py describes the
/// instructions). It knows plain values and containers; what objects there may be is for the reader that
/// derives from it. For the readers in core only: all else calls read_pickle and read_value_pickle. One
/// object reads one pickle, on one thread.
class PickleMachine {
 public:
  /// The protocols that a reader takes.
  struct Protocols {
    unsigned first, last;
  };
  /// Of these protocols (2 to 4) only, with the instructions that `writer` uses, whom errors name; `what`
  /// names the file. Bytes and names outlive the object.
  PickleMachine(std::string_view bytes, const std::string& what, Protocols protocols, std::string_view writer)
      : bytes_(bytes), what_(what), protocols_(protocols), writer_(writer) {}
  virtual ~PickleMachine() = default;
  PickleMachine(const PickleMachine&) = delete;
  PickleMachine& operator=(const PickleMachine&) = delete;

  /// Throws Error naming the file.
  Pickle read();

 protected:
  using Kind = PickleValue::Kind;

  /// Whether a pickle may name this global, "module name".
  virtual bool is_known(std::string_view global) const = 0;
  /// Pushes the value that stands for `function` (a kGlobal) called with `arguments`; fail_call where there
  /// is none.
  virtual void call(const PickleValue& function, const std::vector<const PickleValue*>& arguments) = 0;
  /// Gives the value on top its `state`; by default an OrderedDict's attributes, which are of no use.
  virtual void build(PickleValue& value, const PickleValue& state);
  /// An instruction of this writer only; false for one that it does not use either.
  virtual bool do_special(unsigned code) {
    (void)code;
    return false;
  }

  [[noreturn]] void refuse_protocol() const;
  [[noreturn]] void damaged() const;
  [[noreturn]] void fail_call(const PickleValue& function) const;
  const std::string& what() const { return what_; }

  PickleValue& push(Kind kind);
  PickleValue* pop();

 private:
  // Bytes
  std::string_view take(std::size_t count);
  unsigned byte();
  std::uint64_t number(std::size_t count);
  std::string line();
  // The stack
  std::vector<PickleValue*> pop_to_mark();
  std::vector<PickleValue*> pop_many(std::size_t count);
  PickleValue& top();
  PickleValue& top(Kind kind);
  // Instructions by group; false for one of another group
  bool do_plain(unsigned code);
  bool do_container(unsigned code);
  bool do_memo(unsigned code);
  bool do_object(unsigned code);
  bool do_bytes(unsigned code);
  bool do_protocol_4(unsigned code);

  void push_long(std::size_t count);
  void push_double();
  void push_text(Kind kind, std::size_t size);
  void push_tuple(const std::vector<PickleValue*>& values);
  void append(Kind kind, const std::vector<PickleValue*>& values);
  void set_items(const std::vector<PickleValue*>& values);
  void memorise(std::uint64_t index);
  void recall(std::uint64_t index);
  void push_global(const std::string& module, const std::string& name);
  void push_stack_global();
  void skip_frame();
  void reduce();
  void check_nesting(const PickleValue& value, int depth, std::unordered_map<const PickleValue*, int>& done,
                     std::unordered_set<const PickleValue*>& open) const;

  std::string_view bytes_;
  const std::string& what_;
  Protocols protocols_;
  unsigned protocol_ = 0;  // of this pickle
  std::string_view writer_;
  std::size_t position_ = 0;
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
};

}  // namespace ptnas
