#include "ptnas/data/transfer_progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "ptnas/core/log.h"

namespace ptnas {

namespace {

using Seconds = std::chrono::duration<double>;

std::string transfer_line(const std::string& label, std::uint64_t bytes, std::uint64_t total, double rate) {
  std::string line = label + ": " + format_bytes(bytes);
  if (total > 0)
    line += fmt::format(" of {} ({:.0f} %)", format_bytes(total),
                        100.0 * static_cast<double>(bytes) / static_cast<double>(total));
  if (rate > 0) line += fmt::format(", {}/s", format_bytes(static_cast<std::uint64_t>(rate)));
  if (rate > 0 && total > bytes)
    line += ", " + format_duration(static_cast<double>(total - bytes) / rate) + " left";
  return line;
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  if (bytes >= 1'000'000'000) return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
  if (bytes >= 1'000'000) return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
  if (bytes >= 1000) return fmt::format("{:.0f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{} bytes", bytes);
}

TransferProgress::TransferProgress(std::string label)
    : label_(std::move(label)), terminal_(isatty(STDERR_FILENO) == 1), start_(Clock::now()), last_(start_) {}

TransferProgress::~TransferProgress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void TransferProgress::update(std::uint64_t bytes, std::uint64_t total) {
  const auto now = Clock::now();
  if (!begun_) first_bytes_ = bytes;
  begun_ = true;
  if (Seconds(now - last_).count() < (terminal_ ? 0.2 : 10)) return;
  last_ = now;
  const double seconds = std::max(Seconds(now - start_).count(), 1e-3);
  const std::string line = transfer_line(
      label_, bytes, total, static_cast<double>(bytes - std::min(bytes, first_bytes_)) / seconds);
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line.substr(0, 79).c_str());
    std::fflush(stderr);
    drawn_ = true;
  } else {
    log_line(line);
  }
}

}  // namespace ptnas
