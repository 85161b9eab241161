#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ptnas/core/run_directory.h"
#include "ptnas/io/state.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// RobustDARTS' criterion (Zela et al., ICLR 2020, Section 5; FACTS, Analysis): the mean of the last
/// --hessian-window eigenvalues exceeds --hessian-factor times the mean of as many that end
/// --hessian-distance measurements before. `eigenvalues`: one every --hessian-every epochs, all so far.
bool eigenvalue_has_risen(const std::vector<double>& eigenvalues, const SearchOptions& options);

/// Follows a search's dominant eigenvalue and, where the options ask for it, stops the search. Keeps the
/// supernets of the last measurements as files in the run, hessian.EPOCH.safetensors, until the search ends.
/// Its state goes with the search's checkpoints.
class EarlyStop {
 public:
  /// Throws Error(kUsage) where the options contradict each other.
  EarlyStop(RunDirectory& run, const SearchOptions& options);

  /// After an epoch: the eigenvalue where one is due, for the epoch's metrics line.
  std::optional<double> measure(SupernetTrainer& trainer, std::int64_t epoch);
  /// After all that belongs to the epoch, before the search's checkpoint, and after it.
  void keep(const SupernetTrainer& trainer, std::int64_t epoch) const;
  void forget_old() const;
  /// Whether the search is over.
  bool stopped() const;

  /// Where the search was stopped: the supernet that it gives is the one from --hessian-distance measurements
  /// before, and early_stop.json tells. Else nothing.
  void rewind(SupernetTrainer& trainer) const;
  /// Once the search is finished: removes what was kept.
  void clean() const;

  void take(State& state) const;
  void put(const State& state);

 private:
  struct Measurement {
    std::int64_t epoch;
    double eigenvalue;
  };
  bool due(std::int64_t epoch) const;
  std::filesystem::path kept(std::int64_t epoch) const;
  const Measurement& earlier() const;

  RunDirectory& run_;
  SearchOptions options_;
  std::vector<Measurement> measurements_;
};

}  // namespace ptnas
