#pragma once

#include <filesystem>
#include <ostream>
#include <string>

#include "ptnas/core/json.h"
#include "ptnas/io/published_checkpoint.h"
#include "ptnas/network/engine.h"

namespace ptnas {

/// One recorded case of the published program: a checkpoint, a batch of CIFAR-10 records and what the program
/// computed on it.
struct ParityCase {
  std::string name;
  Json expected;
  Json selection;  ///< null for a derived network
  std::string batch;
  PublishedCheckpoint checkpoint;
};

/// Reads a folder with expected.json, batch.bin, checkpoint.pth.tar and selection.json (supernets) or
/// weights.pth (derived networks). Throws Error naming what is missing or damaged.
ParityCase read_parity_case(const std::filesystem::path& directory);

/// Computes everything anew, prints a table of the largest differences and returns whether all agree within
/// the constants of parity.cc. Every entry must be there and is read: one that is missing, unknown or of
/// another length fails by an Error.
bool check_parity(const ParityCase& parity_case, Engine engine, std::ostream& out);

}  // namespace ptnas
