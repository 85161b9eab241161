#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ptnas {

/// How far a transfer is, on standard error: on a terminal a line that is redrawn in place, in a pipe a line
/// about every ten seconds. Not thread-safe.
class TransferProgress {
 public:
  explicit TransferProgress(std::string label);
  ~TransferProgress();  ///< removes the line
  TransferProgress(const TransferProgress&) = delete;
  TransferProgress& operator=(const TransferProgress&) = delete;
  /// Bytes there are now, and in all; 0 in all: not known.
  void update(std::uint64_t bytes, std::uint64_t total);

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  bool terminal_, drawn_ = false;
  bool begun_ = false;
  std::uint64_t first_bytes_ = 0;
  Clock::time_point start_, last_;
};

/// "1.2 GB", "34 MB", "5 kB", of 1000 each.
std::string format_bytes(std::uint64_t bytes);

}  // namespace ptnas
