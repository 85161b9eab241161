#pragma once

#include <string_view>
#include <vector>

namespace ptnas {

/// Files that are part of the program, embedded when it is built.
std::string_view chart_js();  ///< Chart.js, minified
std::string_view page_css();  ///< page.css
/// What draws a page, in the order in which it runs, as the body of a function of (data, signal): of a run,
/// and of several side by side.
std::vector<std::string_view> report_scripts();
std::vector<std::string_view> compare_scripts();
/// What calls it: once, with the data in the page; or again whenever the server has other data.
std::string_view draw_once_script();
std::string_view follow_script();

}  // namespace ptnas
