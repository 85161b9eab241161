#include "ptnas/core/json.h"

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

Json parse_json(const std::string& text, const std::string& what) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    fail("{} is not valid JSON ({}); it is damaged or another kind of file", what, error.what());
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
  const int version = value["version"].get<int>();
  if (version > newest) {
    fail("{} has version {} of format {}, this program reads up to {}; use a newer ptnas", what, version,
         format, newest);
  }
}

}  // namespace ptnas
