#pragma once

namespace ptnas {

/// Which implementation computes the cells (docs/performance.md): ATen, anywhere, or our own kernels on the CPU.
enum class Engine { kPlain, kFused };

}  // namespace ptnas
