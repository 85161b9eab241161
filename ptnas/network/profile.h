#pragma once

#include <chrono>
#include <string_view>
#include <vector>

namespace ptnas {

/// What a piece of the fused engine's time in the cells goes to.
enum class Phase {
  kPad,           ///< images rectified, normalised, padded
  kConvolve,      ///< convolutions, with the sums their norms need
  kMix,           ///< a node's sum, and preprocessed inputs
  kPool,          ///< pools and their sums
  kSums,          ///< gradients' sums for norms and alpha
  kConvolveBack,  ///< convolutions back to their depthwise outputs, and weight gradients
  kSpread,        ///< depthwise convolutions back to their source
  kGather,        ///< identities, pools and what is left, back to the states
  kCount
};
std::string_view name_of(Phase phase);

/// Seconds of all threads together.
struct PhaseTime {
  int cell;
  Phase phase;
  double seconds;
};

/// From now on times are taken, from zero. Not while a pass is running.
void start_profile();
/// No more; what was taken since.
std::vector<PhaseTime> stop_profile();

/// Adds the time of its life to a phase of a cell where a profile is taken, for the calling thread.
class PhaseTimer {
 public:
  PhaseTimer(int cell, Phase phase);
  ~PhaseTimer();
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  int cell_;
  Phase phase_;
  bool active_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace ptnas
