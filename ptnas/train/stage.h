#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "ptnas/core/json.h"
#include "ptnas/core/run_directory.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/io/state.h"

namespace ptnas {

/// Where a stage stands within an epoch: saved in every checkpoint.
struct EpochProgress {
  std::int64_t epoch = 0;
  std::int64_t step = 0;  ///< steps of this epoch that are done
  double loss_sum = 0;    ///< over images
  std::int64_t correct = 0;
  std::int64_t images = 0;

  void add(double mean_loss, std::int64_t right, std::int64_t count) {
    loss_sum += mean_loss * static_cast<double>(count);
    correct += right;
    images += count;
    ++step;
  }
  double loss() const { return images > 0 ? loss_sum / static_cast<double>(images) : 0; }
  double accuracy() const {
    return images > 0 ? static_cast<double>(correct) / static_cast<double>(images) : 0;
  }
};
Json to_json(const EpochProgress& progress);
/// Throws Error when something is missing.
EpochProgress progress_from_json(const Json& json);

/// The checkpoints of one stage of a run: saved at the end of epochs and every few minutes within one, and on
/// Ctrl-C. Each holds the stage's state and where the run's append-only files end, so that resuming cuts off
/// what came after it.
class StageCheckpoints {
 public:
  /// `file`: name in the run directory; `what`: the stage, for messages.
  StageCheckpoints(RunDirectory& run, std::string file, std::string what, const RuntimeOptions& runtime);

  /// Loads the checkpoint and rewinds the run's files to it; false where there is none yet: a stage then
  /// saves one before its first step, so that whatever it appends can be cut off.
  bool load(State& state);
  /// Saves what `take` puts into a state.
  void save(const std::function<void(State&)>& take);
  /// After every step: saves when it is time; after Ctrl-C, and where --stop-after has come, saves and throws
  /// Interrupted.
  void after_step(const std::function<void(State&)>& take, bool counts = true);
  /// After a decision that is saved: throws Interrupted where --stop-after has come.
  void after_decision();
  /// Throws Interrupted after Ctrl-C without saving: for work that is done again from the last checkpoint.
  void between_steps() const;

 private:
  void stop_where_asked() const;
  RunDirectory& run_;
  std::string file_, what_;
  std::chrono::duration<double> interval_;
  std::int64_t stop_after_, done_ = 0;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace ptnas
