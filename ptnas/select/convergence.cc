#include "ptnas/select/convergence.h"

#include <algorithm>

namespace ptnas {

bool has_converged(const std::vector<double>& accuracies, double before, const SelectOptions& options) {
  const auto epochs = static_cast<std::int64_t>(accuracies.size());
  if (epochs < options.converged_epochs) return false;
  if (options.converged == "epochs" || epochs >= options.converged_most) return true;
  const auto split = accuracies.end() - options.converged_epochs;
  double earlier = before;
  for (auto it = accuracies.begin(); it != split; ++it) earlier = std::max(earlier, *it);
  return *std::max_element(split, accuracies.end()) < earlier + options.converged_gain;
}

}  // namespace ptnas
