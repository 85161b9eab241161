#pragma once

#include <cstddef>

namespace ptnas::kernels {

/// Multiply-adds in registers, nothing else: does `rounds` of them and returns how many floating-point
/// operations that was (two a multiply-add and lane). What is computed is added to *sink so that nothing is
/// left out.
double multiply_add_peak(std::size_t rounds, float* sink);

}  // namespace ptnas::kernels
