#pragma once

#include "ptnas/core/runtime_options.h"

namespace ptnas {

/// Which implementation computes the cells (docs/performance.md): libtorch, anywhere, or our own kernels on
/// the CPU, or both, compared (engine_check.h).
enum class Engine { kPlain, kFused, kCheck };

/// What the options ask for; the fused engine is for the CPU, elsewhere the plain one computes and the log
/// says so.
Engine engine_of(const RuntimeOptions& runtime);

}  // namespace ptnas
