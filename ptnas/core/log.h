#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace ptnas {

/// Everything that is not a result goes to standard error, a line at a time. Thread-safe.
void log_line(std::string_view text);
/// As log_line, with "warning: " before it.
void log_warning(std::string_view text);

template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(fmt::format(format, std::forward<Args>(args)...));
}

/// Silences log_line (not warnings), for tests and --quiet.
void set_quiet(bool quiet);

/// Progress through `total` steps of one stage: on a terminal a bar that is redrawn in place (label, share,
/// loss, accuracy, images a second, time left); in a pipe a line about every half minute. Not
/// thread-safe.
class Progress {
 public:
  Progress(std::string label, std::int64_t total_steps);
  ~Progress();  ///< removes the bar
  /// After each step: running means over the stage so far; `images` processed since the stage began here.
  void update(std::int64_t steps_done, double loss, double accuracy, std::int64_t images);

 private:
  void draw(std::string line);
  std::string label_;
  std::int64_t total_;
  std::int64_t first_step_ = -1;
  std::chrono::steady_clock::time_point start_, last_;
  bool terminal_;
};

/// "1 h 02 min", "3 min 20 s", "4.2 s".
std::string format_duration(double seconds);

}  // namespace ptnas
