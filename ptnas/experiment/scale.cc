#include "ptnas/experiment/scale.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

const OptionValues& smoke() {
  static const OptionValues values = {
      {"limit", "64"},           {"search-limit", "32"},   {"channels", "4"},    {"cells", "3"},
      {"epochs", "2"},           {"batch", "8"},           {"tune-epochs", "1"}, {"scoring-batch", "16"},
      {"converged-epochs", "1"}, {"train-channels", "4"},  {"train-cells", "3"}, {"train-epochs", "1"},
      {"train-batch", "16"},     {"train-drop-path", "0"}, {"train-cutout", "0"}};
  return values;
}

const OptionValues& small() {
  static const OptionValues values = {
      {"limit", "12000"},       {"search-limit", "6000"}, {"channels", "8"},        {"cells", "5"},
      {"epochs", "12"},         {"tune-epochs", "1"},     {"scoring-batch", "250"}, {"converged-epochs", "1"},
      {"train-channels", "12"}, {"train-cells", "5"},     {"train-epochs", "4"},    {"train-drop-path", "0"},
      {"train-cutout", "0"}};
  return values;
}

void lay(OptionValues& over, const OptionValues& values) {
  for (const auto& [name, value] : values) over[name] = value;
}

}  // namespace

const std::vector<std::string>& scale_names() {
  static const std::vector<std::string> names = {"smoke", "small", "paper"};
  return names;
}

OptionValues scale_values(const std::string& scale, const std::string& space, const std::string& method) {
  const bool nb201 = space == "nb201", sgas = method == "sgas";
  OptionValues values;
  if (scale == "smoke") {
    values = smoke();
    if (space != "s1" && !nb201) lay(values, {{"nodes", "2"}});
    if (nb201) lay(values, {{"cells", "1"}, {"train-cells", "1"}, {"snapshot-every", "1"}});
    if (sgas) lay(values, {{"epochs", "6"}, {"sgas-first-decision", "1"}, {"sgas-decide-every", "1"}});
  } else if (scale == "small") {
    values = small();
    if (nb201) lay(values, {{"cells", "1"}, {"train-cells", "1"}, {"epochs", "16"}, {"snapshot-every", "4"}});
    if (sgas) lay(values, {{"sgas-first-decision", "2"}, {"sgas-decide-every", "1"}});
  } else if (scale == "paper") {
    if (nb201) lay(values, {{"snapshot-every", "10"}});
  } else {
    fail_usage("--scale must be one of {}, not `{}`", fmt::join(scale_names(), ", "), scale);
  }
  if (sgas && !nb201) values["with-none"] = "true";
  return values;
}

}  // namespace ptnas
