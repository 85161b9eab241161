#pragma once

#include <memory>

#include "ptnas/select/select_options.h"
#include "ptnas/train/operation_chooser.h"

namespace ptnas {

/// What chooses operations for a search that decides on its way (`--method sgas`): perturbation where the
/// selection is that (SGAS+PT), nullptr where alpha does (any other).
std::unique_ptr<OperationChooser> make_operation_chooser(const SelectOptions& options);

}  // namespace ptnas
