#include "ptnas/core/json.h"

#include <set>
#include <vector>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

namespace {

constexpr int kDeepest = 100;  // levels; copying a value recurses

[[noreturn]] void fail_parse(const std::string& what, const std::string& reason) {
  fail("{} is not valid JSON ({}); it is damaged or another kind of file", what, reason);
}

}  // namespace

Json parse_json(const std::string& text, const std::string& what) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kDeepest) fail_parse(what, fmt::format("nested deeper than {} levels", kDeepest));
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      fail_parse(what, fmt::format("the key {} stands twice", value.dump()));
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception& error) {
    std::string reason = error.what();
    if (const std::size_t tag = reason.find("] "); tag != std::string::npos) reason.erase(0, tag + 2);
    fail_parse(what, reason);
  }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

void write_json(const std::filesystem::path& path, const Json& value) {
  write_file(path, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Json versioned(const std::string& format, int version) {
  Json value = Json::object();
  value["format"] = format;
  value["version"] = version;
  return value;
}

void check_version(const Json& value, const std::string& format, int newest, const std::string& what) {
  const bool shaped = value.is_object() && value.contains("format") && value["format"].is_string() &&
                      value.contains("version") && value["version"].is_number_integer();
  if (!shaped || value["format"] != format)
    fail("{} is not a file of format {}; give one that is", what, format);
  const auto version = value["version"].get<double>();  // a hostile number need not fit in an int
  if (version < 1)
    fail("{} has version {} of format {}, expected 1 or more; it is damaged", what, version, format);
  if (version > newest) {
    fail("{} has version {} of format {}, this program reads up to {}; use a newer ptnas", what, version,
         format, newest);
  }
}

}  // namespace ptnas
