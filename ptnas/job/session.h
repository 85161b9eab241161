#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ptnas/core/run_directory.h"
#include "ptnas/data/dataset.h"
#include "ptnas/job/configuration.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

/// What a command was told: its flags as given.
struct Flags {
  std::string out;
  std::string config;
  bool resume = false;
  bool json = false;
  OptionValues values;
};

/// What a computing command works with: its run directory (locked), the resolved configuration (checked
/// against the run's and saved in it) and the data set. Sets the computing threads.
struct Session {
  RunDirectory run;
  Configuration configuration;
  std::unique_ptr<Dataset> dataset;
};

struct SessionRequest {
  const Flags& flags;
  const std::vector<std::string>& command_line;
  std::filesystem::path out;                      ///< the run directory to write
  std::optional<std::filesystem::path> based_on;  ///< a run whose configuration lies beneath this command's
  /// Parts of the configuration that a --preset among the flags decides, whatever `based_on` has saved of
  /// them.
  unsigned preset_decides = 0;
  std::string space = {};  ///< a space that is known already, whose defaults lie beneath everything
};

/// Throws Error: another configuration in the run, unreadable data, a locked or foreign directory.
Session open_session(const SessionRequest& request);

/// For commands that read only: the configuration of `run` with flags over it (preset_decides as above).
Configuration configuration_of(const std::filesystem::path& run, const Flags& flags,
                               unsigned preset_decides = 0);
/// Without a run: --config and flags.
Configuration configuration_of(const Flags& flags);

/// Sets libtorch's threads as asked for, and says in the log what is used.
void configure_threads(const RuntimeOptions& runtime);

/// Writes genotype.json and genotype.txt, or checks that the ones there are the same. Throws Error(kUsage)
/// otherwise.
void put_genotype(RunDirectory& run, const Genotype& genotype);

/// True when `path` is a run directory.
bool is_run_directory(const std::filesystem::path& path);

}  // namespace ptnas
