#pragma once

#include <string>
#include <vector>

namespace ptnas::kernels {

/// The instruction sets that the kernels were compiled for and this machine has, best first: "AVX3", "AVX2",
/// "SCALAR", ...
std::vector<std::string> vector_targets();
/// The one in use.
std::string vector_target();
/// Uses this one from now on, for the whole process; before any kernel runs or between runs. Throws
/// std::invalid_argument naming those there are.
void force_vector_target(const std::string& name);

}  // namespace ptnas::kernels
