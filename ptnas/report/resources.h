#pragma once

#include <string_view>

namespace ptnas {

/// Files that are part of the program, embedded when it is built.
std::string_view chart_js();  ///< Chart.js, minified
std::string_view page_js();   ///< page.js
std::string_view page_css();  ///< page.css

}  // namespace ptnas
