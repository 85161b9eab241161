#include "ptnas/core/options.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/json.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

template <typename T>
bool parse_number(std::string_view text, T& value) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// The shortest text that reads back to the same number; TOML wants a point or an exponent in a float.
std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".eni") == std::string::npos) text += ".0";
  return text;
}

// Bytes that are not UTF-8 (a file name may have them) could not be read back.
bool is_utf8(std::string_view text) {
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string toml_text(const toml::node& node, const std::string& where) {
  if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
  if (const auto* value = node.as_integer()) return std::to_string(value->get());
  if (const auto* value = node.as_floating_point()) return number_text(value->get());
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* array = node.as_array()) {
    std::string text;
    for (const toml::node& item : *array) {
      if (!item.is_integer()) fail_usage("{} must be a list of whole numbers", where);
      if (!text.empty()) text += ',';
      text += std::to_string(item.as_integer()->get());
    }
    return text;
  }
  fail_usage(
      "{} must be a number, a text, true, false or a list of whole numbers; options stand without tables",
      where);
}

}  // namespace

OptionValues read_option_file(const fs::path& path) {
  toml::table table;
  try {
    const std::string text = read_file(path);
    table = toml::parse(text, path.string());
  } catch (const toml::parse_error& error) {
    fail_usage("{}, line {}: not valid TOML ({})", path.string(), error.source().begin.line,
               error.description());
  } catch (const Error& error) {
    throw Error(error.what(), ErrorKind::kUsage);
  }
  OptionValues values;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    values[name] =
        toml_text(node, fmt::format("{}, line {}: `{}`", path.string(), node.source().begin.line, name));
  }
  return values;
}

OptionAssigner::OptionAssigner(const OptionValues& values, std::string source) : source_(std::move(source)) {
  for (const auto& [name, value] : values) values_[name] = {value, false};
}

const std::string* OptionAssigner::find(std::string_view name) {
  const auto found = values_.find(std::string(name));
  if (found == values_.end()) return nullptr;
  found->second.second = true;
  return &found->second.first;
}

void OptionAssigner::option(std::string_view name, bool& value, std::string_view) {
  const std::string* text = find(name);
  if (text == nullptr) return;
  if (*text != "true" && *text != "false") {
    fail_usage("{}: {} must be true or false, not `{}`", source_, name, *text);
  }
  value = *text == "true";
}

void OptionAssigner::option(std::string_view name, std::int64_t& value, std::string_view) {
  const std::string* text = find(name);
  if (text == nullptr) return;
  std::int64_t number = 0;
  if (!parse_number(*text, number)) {
    fail_usage("{}: {} must be a whole number, not `{}`", source_, name, *text);
  }
  value = number;
}

void OptionAssigner::option(std::string_view name, double& value, std::string_view) {
  const std::string* text = find(name);
  if (text == nullptr) return;
  double number = 0;
  if (!parse_number(*text, number) || !std::isfinite(number)) {
    fail_usage("{}: {} must be a finite number, not `{}`", source_, name, *text);
  }
  value = number;
}

void OptionAssigner::option(std::string_view name, std::string& value, std::string_view) {
  if (const std::string* text = find(name)) value = *text;
}

void OptionAssigner::option(std::string_view name, std::vector<std::int64_t>& value, std::string_view) {
  const std::string* text = find(name);
  if (text == nullptr) return;
  std::vector<std::int64_t> numbers;
  for (std::size_t start = 0; !text->empty() && start <= text->size();) {
    const std::size_t comma = std::min(text->find(',', start), text->size());
    std::int64_t number = 0;
    if (!parse_number(std::string_view(*text).substr(start, comma - start), number)) {
      fail_usage("{}: {} must be whole numbers separated by commas, not `{}`", source_, name, *text);
    }
    numbers.push_back(number);
    start = comma + 1;
  }
  value = std::move(numbers);
}

void OptionAssigner::choice(std::string_view name, std::string& value,
                            const std::vector<std::string>& allowed, std::string_view) {
  const std::string* text = find(name);
  if (text == nullptr) return;
  if (std::find(allowed.begin(), allowed.end(), *text) == allowed.end()) {
    fail_usage("{}: {} must be one of {}, not `{}`", source_, name, fmt::join(allowed, ", "), *text);
  }
  value = *text;
}

std::vector<std::string> OptionAssigner::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : values_) {
    if (!value.second) names.push_back(name);
  }
  return names;
}

void OptionCollector::option(std::string_view name, bool& value, std::string_view) {
  const std::string text = value ? "true" : "false";
  values.push_back({std::string(name), text, text});
}

void OptionCollector::option(std::string_view name, std::int64_t& value, std::string_view) {
  values.push_back({std::string(name), std::to_string(value), std::to_string(value)});
}

void OptionCollector::option(std::string_view name, double& value, std::string_view) {
  values.push_back({std::string(name), number_text(value), number_text(value)});
}

void OptionCollector::option(std::string_view name, std::string& value, std::string_view) {
  if (!is_utf8(value)) {
    fail_usage("{} must be text in UTF-8 so that the configuration can be saved; rename the file or folder",
               name);
  }
  values.push_back({std::string(name), value, toml_string(value)});
}

void OptionCollector::option(std::string_view name, std::vector<std::int64_t>& value, std::string_view) {
  const std::string text = fmt::format("{}", fmt::join(value, ","));
  values.push_back({std::string(name), text, fmt::format("[{}]", fmt::join(value, ", "))});
}

void OptionCollector::choice(std::string_view name, std::string& value, const std::vector<std::string>&,
                             std::string_view) {
  values.push_back({std::string(name), value, toml_string(value)});
}

}  // namespace ptnas
