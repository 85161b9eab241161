#pragma once

#include <string_view>
#include <vector>

namespace ptnas {

/// Files that are part of the program, embedded when it is built.
std::string_view chart_js();  ///< Chart.js, minified
std::string_view page_css();  ///< page.css
/// The page's own scripts, in the order in which they run.
std::vector<std::string_view> page_scripts();

}  // namespace ptnas
