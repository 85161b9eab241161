#include "ptnas/train/stage.h"

#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"

namespace ptnas {

namespace {

constexpr const char* kStageFormat = "ptnas-checkpoint";
constexpr int kStageVersion = 1;

}  // namespace

Json to_json(const EpochProgress& progress) {
  Json json = Json::object();
  json["epoch"] = progress.epoch;
  json["step"] = progress.step;
  json["loss_sum"] = progress.loss_sum;
  json["correct"] = progress.correct;
  json["images"] = progress.images;
  return json;
}

EpochProgress progress_from_json(const Json& json) {
  try {
    return {json.at("epoch").get<std::int64_t>(), json.at("step").get<std::int64_t>(),
            json.at("loss_sum").get<double>(), json.at("correct").get<std::int64_t>(),
            json.at("images").get<std::int64_t>()};
  } catch (const nlohmann::json::exception&) {
    fail("the checkpoint does not say where it stands ({}); it is damaged", json.dump());
  }
}

StageCheckpoints::StageCheckpoints(RunDirectory& run, std::string file, std::string what,
                                   const RuntimeOptions& runtime)
    : run_(run),
      file_(std::move(file)),
      what_(std::move(what)),
      interval_(runtime.checkpoint_minutes * 60),
      stop_after_(runtime.stop_after),
      last_(std::chrono::steady_clock::now()) {}

bool StageCheckpoints::load(State& state) {
  if (!run_.has(file_)) return false;
  state = load_state(run_.file(file_), kStageFormat, kStageVersion);
  run_.rewind(state.values.is_object() ? state.values["position"] : Json());
  log_info("{}: going on from {}", what_, run_.file(file_).string());
  return true;
}

void StageCheckpoints::save(const std::function<void(State&)>& take) {
  State state;
  take(state);
  state.values["position"] = run_.position();
  save_state(run_.file(file_), state, kStageFormat, kStageVersion);
  last_ = std::chrono::steady_clock::now();
}

void StageCheckpoints::after_step(const std::function<void(State&)>& take, bool counts) {
  const bool due = interval_.count() > 0 && std::chrono::steady_clock::now() - last_ >= interval_;
  if (counts) ++done_;
  if (due || interrupt_requested() || (counts && done_ == stop_after_)) save(take);
  between_steps();
  if (counts) stop_where_asked();
}

void StageCheckpoints::after_decision() {
  ++done_;
  stop_where_asked();
}

void StageCheckpoints::stop_where_asked() const {
  if (stop_after_ == 0 || done_ < stop_after_) return;
  throw Interrupted(
      fmt::format("stopped in {} after --stop-after {}; everything is saved: the same command goes on", what_,
                  stop_after_));
}

void StageCheckpoints::between_steps() const {
  if (!interrupt_requested()) return;
  throw Interrupted(fmt::format(
      "interrupted in {}; everything is saved: give the same command again, or --resume with --out {}", what_,
      run_.path().string()));
}

}  // namespace ptnas
