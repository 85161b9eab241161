#pragma once

#include <filesystem>
#include <string>

#include "ptnas/core/run_directory.h"
#include "ptnas/data/dataset.h"
#include "ptnas/export/exported_model.h"
#include "ptnas/job/configuration.h"

namespace ptnas {

/// What `ptnas export` is told.
struct ExportRequest {
  std::string format = "onnx";   ///< of the table of formats
  std::filesystem::path output;  ///< empty: in the run, under the format's usual name
  bool best = false;             ///< model.best.safetensors in place of model.safetensors
  bool normalise = true;         ///< the file normalises its input itself
  std::int64_t images = 64;      ///< validation images to compare on, at least 1
  double tolerance = 1e-4;       ///< ExportDifference::within()
};

/// What was written, and how it compares.
struct ExportReport {
  std::filesystem::path file;
  std::size_t bytes = 0;
  std::string runtime;      ///< what read the file back
  std::int64_t images = 0;  ///< that were compared
  bool compared = true;     ///< false for a network with noise: only that its results are finite
  ExportDifference difference;
};

/// Writes the trained network of `run` in a format, once the bytes were read back by the format's runtime and
/// gave the same logits as the plain engine on the first validation images of `dataset`. Throws Error, and
/// then writes nothing (and leaves what was there): no trained network, noise in a format without, a
/// difference above the tolerance.
ExportReport export_run(const RunDirectory& run, const Dataset& dataset, const Configuration& configuration,
                        const ExportRequest& request);

}  // namespace ptnas
