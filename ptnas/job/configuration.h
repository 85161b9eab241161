#pragma once

#include <string>
#include <vector>

#include "ptnas/core/options.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/data_options.h"
#include "ptnas/select/select_options.h"
#include "ptnas/train/search_options.h"
#include "ptnas/train/train_options.h"

namespace ptnas {

/// The parts of a configuration that a command uses; a set of them is a bit mask.
enum ConfigurationPart : unsigned {
  kDataPart = 1,
  kSearchPart = 2,
  kSelectPart = 4,
  kTrainPart = 8,
  kRuntimePart = 16,
  kAllParts = 31,
};

/// Every option there is. A preset, a file and the command line are layered over the defaults, in that order.
struct Configuration {
  std::string preset = "paper";
  DataOptions data;
  SearchOptions search;
  SelectOptions select;
  TrainOptions train;
  RuntimeOptions runtime;

  void declare(OptionVisitor& v) { declare_parts(v, kAllParts); }
  void declare_parts(OptionVisitor& v, unsigned parts);
};

/// Names of the presets, and what each sets (docs/presets.md). Throws Error(kUsage) for an unknown name.
const std::vector<std::string>& preset_names();
const OptionValues& preset_values(const std::string& name);

/// What other defaults a space has (docs/presets.md): NAS-Bench-201's search and training protocol.
const OptionValues& space_values(const std::string& space);

/// What each recipe of --train-recipe sets. Throws Error(kUsage) for an unknown name.
const OptionValues& recipe_values(const std::string& name);

/// Layers defaults, the space's, preset, files (each with the name it has in messages) and flags. Preset and
/// space are those named by the last layer that names one; a recipe is laid beneath the layer that names it,
/// over those before. Throws Error(kUsage) for unknown keys and invalid or contradictory values.
struct ConfigurationLayer {
  std::string source;
  OptionValues values;
};
Configuration resolve_configuration(const std::vector<ConfigurationLayer>& layers);

/// Names of the options in `parts`.
std::vector<std::string> option_names(unsigned parts);

}  // namespace ptnas
