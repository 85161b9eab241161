#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace ptnas {

/// JSON with keys in the order they were set, so that files are the same bytes for the same content.
using Json = nlohmann::ordered_json;

/// Parses `text`; `what` names it in the error ("selection.json of run x"). Throws Error; also for a key that
/// stands twice in an object, and for nesting so deep that no file of ours has it.
Json parse_json(const std::string& text, const std::string& what);

/// Reads and parses a file. Throws Error naming the file when it is missing, unreadable or not JSON.
Json read_json(const std::filesystem::path& path);

/// Writes `value`, indented by two, through write_file (atomically). Throws Error.
void write_json(const std::filesystem::path& path, const Json& value);

/// Sets "format": name and "version": version at the front of a file of ours.
Json versioned(const std::string& format, int version);

/// Checks both fields; a newer version, or another format, is refused by name. Throws Error.
void check_version(const Json& value, const std::string& format, int newest, const std::string& what);

}  // namespace ptnas
