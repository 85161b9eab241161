#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ptnas {

/// Visits the fields of an option struct. A component has one struct with defaults inline and one method
///
///     void declare(OptionVisitor& v) { v.option("epochs", epochs, "search epochs"); ... }
///
/// which is the single declaration of each field's flag, TOML key, default and help: the command line,
/// configuration files, the resolved configuration and the documentation are visitors.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  /// A title for the options that follow (in --help and in documentation).
  virtual void group(std::string_view title) { (void)title; }
  virtual void option(std::string_view name, bool& value, std::string_view help) = 0;
  virtual void option(std::string_view name, std::int64_t& value, std::string_view help) = 0;
  virtual void option(std::string_view name, double& value, std::string_view help) = 0;
  virtual void option(std::string_view name, std::string& value, std::string_view help) = 0;
  /// A list; on the command line and in files separated by commas or given as a TOML array.
  virtual void option(std::string_view name, std::vector<std::int64_t>& value, std::string_view help) = 0;
  /// A text of which only `allowed` values are valid.
  virtual void choice(std::string_view name, std::string& value, const std::vector<std::string>& allowed,
                      std::string_view help) = 0;
};

/// Option values as text by name, from one source (a preset, a file, the command line).
using OptionValues = std::map<std::string, std::string>;

/// Sets the fields named in `values` and leaves the others. A value that does not parse, or is not allowed,
/// throws Error(kUsage) naming option, value, what is allowed and `source`. Names no field has are returned,
/// not errors.
template <typename Options>
std::vector<std::string> assign_options(Options& options, const OptionValues& values,
                                        const std::string& source);

/// All fields with their present values, in order of declaration: name and value.
struct NamedValue {
  std::string name;
  std::string value;  ///< as OptionValues has it
  std::string toml;   ///< as TOML has it
};
template <typename Options>
std::vector<NamedValue> option_values(Options& options);

/// Reads a flat TOML file of options. Throws Error (kUsage) for a missing file, broken TOML, or a table.
OptionValues read_option_file(const std::filesystem::path& path);

// ---- Implementation: visitors behind the templates above.

class OptionAssigner final : public OptionVisitor {
 public:
  OptionAssigner(const OptionValues& values, std::string source);
  void option(std::string_view name, bool& value, std::string_view help) override;
  void option(std::string_view name, std::int64_t& value, std::string_view help) override;
  void option(std::string_view name, double& value, std::string_view help) override;
  void option(std::string_view name, std::string& value, std::string_view help) override;
  void option(std::string_view name, std::vector<std::int64_t>& value, std::string_view help) override;
  void choice(std::string_view name, std::string& value, const std::vector<std::string>& allowed,
              std::string_view help) override;
  std::vector<std::string> unused() const;

 private:
  const std::string* find(std::string_view name);
  std::map<std::string, std::pair<std::string, bool>> values_;
  std::string source_;
};

class OptionCollector final : public OptionVisitor {
 public:
  void option(std::string_view name, bool& value, std::string_view help) override;
  void option(std::string_view name, std::int64_t& value, std::string_view help) override;
  void option(std::string_view name, double& value, std::string_view help) override;
  void option(std::string_view name, std::string& value, std::string_view help) override;
  void option(std::string_view name, std::vector<std::int64_t>& value, std::string_view help) override;
  void choice(std::string_view name, std::string& value, const std::vector<std::string>& allowed,
              std::string_view help) override;
  std::vector<NamedValue> values;
};

template <typename Options>
std::vector<std::string> assign_options(Options& options, const OptionValues& values,
                                        const std::string& source) {
  OptionAssigner assigner(values, source);
  options.declare(assigner);
  return assigner.unused();
}

template <typename Options>
std::vector<NamedValue> option_values(Options& options) {
  OptionCollector collector;
  options.declare(collector);
  return std::move(collector.values);
}

}  // namespace ptnas
