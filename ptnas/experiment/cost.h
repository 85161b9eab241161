#pragma once

#include <map>
#include <string>

#include "ptnas/experiment/study.h"

namespace ptnas {

/// What the cost of a run depends on besides its configuration.
struct DataSize {
  double train = 0, test = 0;
  int classes = 10, channels = 3, height = 32, width = 32;
};
/// Of the published data sets as published; of others as their files say.
DataSize size_of_data(const DataOptions& data);

/// Multiply-adds that a run computes, about: all candidates of the supernet, a training step three times a
/// forward pass, a retrained network of separable convolutions alone. Second-order and adversarial methods by
/// the passes they make. Of a measurement its trials alone: neither its passes over images nor the reference
/// networks of Table 1.
double work_of(const PlannedRun& run, const DataSize& size);

/// Seconds of runs: by their work, at rates measured in a few real steps of the first (analysis/estimate.h).
class CostModel {
 public:
  /// Rates of two idle cores such as those of docs/performance.md; nothing is measured.
  CostModel() = default;
  /// Measures with the first search among the study's runs.
  static CostModel measured(const Study& study);
  double seconds(const PlannedRun& run, const DataSize& size) const;

 private:
  double search_rate_ = 40e9, select_rate_ = 40e9, train_rate_ = 40e9;  // multiply-adds a second
};

}  // namespace ptnas
