#pragma once

#include <string>

#include "ptnas/report/result.h"

namespace ptnas {

/// What stands above an experiment's tables.
struct ResultHeading {
  std::string name, title, scale, seeds, data, command, note;
  std::size_t runs = 0, finished = 0;
};

/// The page of an experiment: one HTML file without scripts that needs no network, in the style of a run's.
/// Texts are escaped.
std::string make_result_page(const ResultHeading& heading, const Result& result);

}  // namespace ptnas
