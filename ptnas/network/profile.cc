#include "ptnas/network/profile.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace ptnas {

namespace {

constexpr auto kPhases = static_cast<std::size_t>(Phase::kCount);

std::atomic<bool> active = false;

// By cell; one thread's.
using Times = std::map<int, std::array<std::int64_t, kPhases>>;
std::mutex threads_mutex;
std::vector<std::shared_ptr<Times>> threads;

Times& thread_times() {
  static thread_local const std::shared_ptr<Times> times = [] {
    auto mine = std::make_shared<Times>();
    const std::lock_guard lock(threads_mutex);
    threads.push_back(mine);
    return mine;
  }();
  return *times;
}

}  // namespace

std::string_view name_of(Phase phase) {
  static constexpr std::string_view names[] = {
      "pad", "convolve", "mix", "pool", "sums", "convolve back", "spread", "gather",
  };
  return names[static_cast<std::size_t>(phase)];
}

void start_profile() {
  const std::lock_guard lock(threads_mutex);
  for (const auto& times : threads) times->clear();
  active = true;
}

std::vector<PhaseTime> stop_profile() {
  active = false;
  Times sum;
  const std::lock_guard lock(threads_mutex);
  for (const auto& times : threads) {
    for (const auto& [cell, phases] : *times) {
      for (std::size_t p = 0; p < kPhases; ++p) sum[cell][p] += phases[p];
    }
  }
  std::vector<PhaseTime> result;
  for (const auto& [cell, phases] : sum) {
    for (std::size_t p = 0; p < kPhases; ++p)
      result.push_back({cell, static_cast<Phase>(p), 1e-9 * static_cast<double>(phases[p])});
  }
  return result;
}

PhaseTimer::PhaseTimer(int cell, Phase phase)
    : cell_(cell), phase_(phase), active_(active.load(std::memory_order_relaxed)) {
  if (active_) start_ = std::chrono::steady_clock::now();
}

PhaseTimer::~PhaseTimer() {
  if (!active_) return;
  const auto elapsed = std::chrono::steady_clock::now() - start_;
  thread_times()[cell_][static_cast<std::size_t>(phase_)] +=
      std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count();
}

}  // namespace ptnas
