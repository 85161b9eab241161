#pragma once

#include <string>

#include "ptnas/core/run_directory.h"

namespace ptnas {

/// Everything the page of a run shows, as one JSON object; null where the run has not got a part yet. A child
/// run without a search of its own has its parent's lines of it, where the parent is still there. Throws
/// Error naming the file that is damaged or not of the form that docs/formats.md describes.
Json collect_report_data(const RunDirectory& run);

}  // namespace ptnas
