#include <string>
#include <vector>

#include "ptnas/cli/program.h"

int main(int argc, char** argv) {
  return ptnas::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
