#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ptnas/core/json.h"

namespace ptnas {

/// What a page of ours is made of. Texts that go in here as HTML are escaped already.
struct Page {
  std::string title;                      ///< HTML, of the window
  std::string style;                      ///< CSS after the common style sheet
  std::string body;                       ///< HTML within <main>
  std::optional<Json> data;               ///< for the scripts: JSON in the element `data`
  std::vector<std::string_view> drawing;  ///< bodies of the function draw(data, signal), in order
  std::vector<std::string_view> scripts;  ///< what runs after it is defined
  bool asks_its_server = false;           ///< the scripts may send requests to where the page came from
};

/// One HTML file that loads nothing, with Chart.js where it has scripts. The browser itself refuses what
/// would leave the page, and scripts that have come in by a name. Thread-safe.
std::string make_page(const Page& page);

/// The object as text that can stand inside a <script> element: ASCII only, no `<`. Thread-safe.
std::string script_json(const Json& data);

}  // namespace ptnas
