#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "ptnas/cli/program.h"

namespace {

// libgomp's threads spin while they wait, which starves every other process on the same cores (two such
// programs side by side take fifty times as long). How long they spin is read from the environment when the
// library is loaded, before main: the program starts itself again with it set, unless the user has chosen.
void start_as_good_neighbour(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);  // where that fails the program goes on, spinning
}

}  // namespace

int main(int argc, char** argv) {
  start_as_good_neighbour(argv);
  return ptnas::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
