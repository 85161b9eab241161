#include "ptnas/search/early_stop.h"

#include <numeric>

#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/search/alpha_hessian.h"

namespace ptnas {

bool eigenvalue_has_risen(const std::vector<double>& eigenvalues, const SearchOptions& options) {
  const auto window = static_cast<std::ptrdiff_t>(options.hessian_window),
             distance = static_cast<std::ptrdiff_t>(options.hessian_distance);
  if (static_cast<std::ptrdiff_t>(eigenvalues.size()) < window + distance) return false;
  const auto mean_before = [&](auto end) {
    return std::accumulate(end - window, end, 0.0) / static_cast<double>(window);
  };
  return mean_before(eigenvalues.end()) > options.hessian_factor * mean_before(eigenvalues.end() - distance);
}

EarlyStop::EarlyStop(RunDirectory& run, const SearchOptions& options) : run_(run), options_(options) {
  if (options.hessian_every < 0 || options.hessian_window < 1 || options.hessian_distance < 1) {
    fail_usage(
        "expected --hessian-every of at least 0 and --hessian-window and --hessian-distance of at least 1, "
        "found {}, "
        "{} and {}",
        options.hessian_every, options.hessian_window, options.hessian_distance);
  }
  if (options.hessian_stop && options.hessian_every == 0)
    fail_usage("--hessian-stop needs measurements: give --hessian-every too (2 in RobustDARTS)");
}

bool EarlyStop::due(std::int64_t epoch) const {
  return options_.hessian_every > 0 && (epoch + 1) % options_.hessian_every == 0;
}

std::filesystem::path EarlyStop::kept(std::int64_t epoch) const {
  return run_.file(fmt::format("hessian.{}.safetensors", epoch));
}

std::optional<double> EarlyStop::measure(SupernetTrainer& trainer, std::int64_t epoch) {
  if (!due(epoch)) return std::nullopt;
  const double eigenvalue = dominant_eigenvalue(trainer, epoch);
  measurements_.push_back({epoch, eigenvalue});
  log_info("dominant eigenvalue of the Hessian by alpha: {:.4f}", eigenvalue);
  return eigenvalue;
}

void EarlyStop::keep(const SupernetTrainer& trainer, std::int64_t epoch) const {
  if (options_.hessian_stop && due(epoch)) save_supernet(kept(epoch), trainer);
}

void EarlyStop::forget_old() const {
  const auto count = static_cast<std::int64_t>(measurements_.size()) - options_.hessian_distance - 1;
  for (std::int64_t i = 0; i < count; ++i)
    std::filesystem::remove(kept(measurements_[static_cast<std::size_t>(i)].epoch));
}

bool EarlyStop::stopped() const {
  if (!options_.hessian_stop || measurements_.empty()) return false;
  if (measurements_.back().epoch + 1 < options_.hessian_from) return false;
  std::vector<double> eigenvalues;
  for (const Measurement& one : measurements_) eigenvalues.push_back(one.eigenvalue);
  return eigenvalue_has_risen(eigenvalues, options_);
}

const EarlyStop::Measurement& EarlyStop::earlier() const {
  return measurements_[measurements_.size() - 1 - static_cast<std::size_t>(options_.hessian_distance)];
}

void EarlyStop::rewind(SupernetTrainer& trainer) const {
  if (!stopped()) return;
  load_supernet(kept(earlier().epoch), trainer);
  Json json = versioned("ptnas-early-stop", 1);
  json["stopped_after_epoch"] = measurements_.back().epoch;
  json["supernet_of_epoch"] = earlier().epoch;
  write_json(run_.file("early_stop.json"), json);
  log_info("the dominant eigenvalue has risen: stopped after epoch {}, the supernet is that of epoch {}",
           measurements_.back().epoch + 1, earlier().epoch + 1);
}

void EarlyStop::clean() const {
  for (const Measurement& one : measurements_) std::filesystem::remove(kept(one.epoch));
}

void EarlyStop::take(State& state) const {
  if (options_.hessian_every == 0) return;
  Json rows = Json::array();
  for (const Measurement& one : measurements_) rows.push_back(Json::array({one.epoch, one.eigenvalue}));
  state.values["hessian"] = std::move(rows);
}

void EarlyStop::put(const State& state) {
  measurements_.clear();
  if (options_.hessian_every == 0) return;
  try {
    for (const Json& row : state.values.at("hessian"))
      measurements_.push_back({row.at(0).get<std::int64_t>(), row.at(1).get<double>()});
  } catch (const nlohmann::json::exception& error) {
    fail("the checkpoint does not tell the Hessian's eigenvalues ({}); it is damaged", error.what());
  }
}

}  // namespace ptnas
