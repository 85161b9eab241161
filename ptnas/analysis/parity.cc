#include "ptnas/analysis/parity.h"

#include "ptnas/analysis/parity_report.h"
#include "ptnas/core/error.h"

namespace ptnas {

bool check_parity(const ParityCase& parity_case, Engine engine, std::ostream& out) {
  ParityReport report;
  try {
    const bool derived = parity_case.selection.is_null();
    derived ? compare_derived(parity_case, engine, report) : compare_supernet(parity_case, engine, report);
  } catch (const nlohmann::json::exception& error) {
    fail("{}: an entry is missing or of another type ({})", parity_case.name, error.what());
  }
  const bool good = report.print(out);
  out << (good ? "parity: all agree\n" : "parity: DIFFERENT\n");
  return good;
}

}  // namespace ptnas
