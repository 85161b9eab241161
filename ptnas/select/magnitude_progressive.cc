// DARTS+PT-Mag (Section 6.2): the progressive tuning of perturbation, the choice by alpha. On each edge the
// operation of the largest weight as alpha stands then; for each node the two edges whose operation had the
// largest weight when it was chosen: afterwards a decided edge's alpha only decays.

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/select/progressive.h"

namespace ptnas {

namespace {

class MagnitudeProgressive final : public Progressive {
 public:
  using Progressive::Progressive;

 private:
  int operation_of(CellType type, int edge, Json& event) override {
    event["alpha"] = architecture().softmax(type)[static_cast<std::size_t>(edge)];
    return magnitude_operation(architecture(), type, edge);
  }

  std::vector<int> edges_of(CellType type, int, const std::vector<int>& candidates, Json& event) override {
    std::vector<int> kept = candidates;
    std::stable_sort(kept.begin(), kept.end(),
                     [&](int a, int b) { return strength(type, a) > strength(type, b); });
    kept.resize(std::min<std::size_t>(kept.size(), 2));
    std::sort(kept.begin(), kept.end());
    event["alpha_choice"] = kept;
    return kept;
  }

  // The weight of the edge's operation when it was chosen.
  double strength(CellType type, int edge) {
    for (const Json& event : events()) {
      if (event["kind"] != "operation" || event["cell"] != std::string(name_of(type)) ||
          event["edge"] != edge)
        continue;
      const auto operation = static_cast<std::size_t>(architecture().decided(type, edge).value());
      return event.at("alpha").at(operation).get<double>();
    }
    fail("edge {} of the {} cell is not among the selection's decisions", edge, name_of(type));
  }
};

}  // namespace

Genotype select_by_magnitude_progressively(const SelectionContext& context) {
  return MagnitudeProgressive(context).run();
}

}  // namespace ptnas
