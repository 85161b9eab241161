#include "ptnas/core/log.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <mutex>

namespace ptnas {

namespace {

std::atomic<bool> quiet_flag{false};
std::mutex output_mutex;
std::size_t bar_width = 0;  // characters of the bar on the terminal's last line; guarded by output_mutex

constexpr double kRedrawSeconds = 0.2;
constexpr double kPipeSeconds = 30;
constexpr int kBarCells = 20;

std::size_t terminal_columns() {
  winsize size = {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// With output_mutex held.
void erase_bar() {
  if (bar_width > 0) std::fprintf(stderr, "\r%*s\r", static_cast<int>(bar_width), "");
  bar_width = 0;
}

void write_line(const std::string& line) {
  const std::lock_guard lock(output_mutex);
  erase_bar();
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace

void log_line(std::string_view text) {
  if (!quiet_flag) write_line(std::string(text));
}

void log_warning(std::string_view text) { write_line("warning: " + std::string(text)); }

void set_quiet(bool quiet) { quiet_flag = quiet; }

std::string format_duration(double seconds) {
  if (!(seconds >= 0)) return "?";
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(std::string label, std::int64_t total_steps)
    : label_(std::move(label)),
      total_(total_steps),
      start_(std::chrono::steady_clock::now()),
      last_(start_),
      terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  const std::lock_guard lock(output_mutex);
  erase_bar();
}

void Progress::update(std::int64_t steps_done, double loss, double accuracy, std::int64_t images) {
  const auto now = std::chrono::steady_clock::now();
  if (first_step_ < 0) first_step_ = steps_done - 1;
  const double since_last = std::chrono::duration<double>(now - last_).count();
  if (quiet_flag || since_last < (terminal_ ? kRedrawSeconds : kPipeSeconds)) return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double left =
      elapsed / static_cast<double>(steps_done - first_step_) * static_cast<double>(total_ - steps_done);
  const std::string numbers =
      fmt::format("loss {:.3f}, accuracy {:.1f} %, {:.0f} images/s, {} left", loss, 100 * accuracy,
                  static_cast<double>(images) / elapsed, format_duration(left));
  if (!terminal_) {
    write_line(fmt::format("{}: {}/{}, {}", label_, steps_done, total_, numbers));
    return;
  }
  const std::int64_t share = kBarCells * steps_done / std::max<std::int64_t>(total_, 1);
  const auto filled = static_cast<std::size_t>(std::clamp<std::int64_t>(share, 0, kBarCells));
  draw(fmt::format("{} [{:-<{}}] {}", label_, std::string(filled, '#'), kBarCells, numbers));
}

void Progress::draw(std::string line) {
  const std::lock_guard lock(output_mutex);
  line.resize(std::min(line.size(), terminal_columns() - 1));  // a wrapped line could not be redrawn
  std::fprintf(stderr, "\r%-*s", static_cast<int>(bar_width), line.c_str());
  std::fflush(stderr);
  bar_width = line.size();
}

}  // namespace ptnas
