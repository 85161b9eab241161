#pragma once

#include <ostream>

#include "ptnas/analysis/parity_input.h"
#include "ptnas/network/engine.h"

namespace ptnas {

class ParityReport;

/// Computes everything anew, prints a table of the largest differences and returns whether all agree within
/// the constants of parity_report.h. Every entry must be there and is read: one that is missing, unknown or
/// of another length fails by an Error.
bool check_parity(const ParityCase& parity_case, Engine engine, std::ostream& out);

// The two kinds of case, one file each: parity_supernet.cc and parity_derived.cc.
void compare_supernet(const ParityCase& parity_case, Engine engine, ParityReport& report);
void compare_derived(const ParityCase& parity_case, Engine engine, ParityReport& report);

}  // namespace ptnas
