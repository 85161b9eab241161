#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace ptnas {

/// What went wrong, for the exit status: kFailed ends the program with 1, kUsage (the command was wrong)
/// with 2.
enum class ErrorKind { kFailed, kUsage };

/// The one exception of the project. Its message is one sentence that says what was expected, what was found
/// and what to do. Thread-safe as std::runtime_error is.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ErrorKind kind = ErrorKind::kFailed)
      : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// Thrown at a safe point after Ctrl-C, when everything is saved; the program then exits with 130.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error with a message in fmt's format.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

/// Throws Error of kind kUsage with a message in fmt's format.
template <typename... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...), ErrorKind::kUsage);
}

}  // namespace ptnas
