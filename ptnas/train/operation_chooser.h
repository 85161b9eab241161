#pragma once

#include <functional>

#include "ptnas/core/json.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

class SupernetTrainer;

/// Chooses the operation of an edge that a search method has picked (SGAS+PT, Section 5.1: SGAS picks the
/// edge, perturbation its operation).
class OperationChooser {
 public:
  virtual ~OperationChooser() = default;

  /// What the choice depends on, `selection` among it: two choosers of the same description choose alike.
  virtual Json description() const = 0;

  /// The chosen candidate's index, of those of the edge that are not `none`. `number`: of the decision, from
  /// 0. `measured` gets what was measured, keyed as in an event of selection.json. `between_batches` may be
  /// empty and may throw; nothing has changed then.
  virtual int choose(SupernetTrainer& trainer, CellType type, int edge, std::int64_t number, Json& measured,
                     const std::function<void()>& between_batches) const = 0;
};

}  // namespace ptnas
