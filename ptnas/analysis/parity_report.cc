#include "ptnas/analysis/parity_report.h"

#include <algorithm>
#include <cmath>

#include "ptnas/core/error.h"

namespace ptnas {

ParityReport::Row& ParityReport::row(const std::string& quantity, double tolerance) {
  for (Row& row : rows_) {
    if (row.quantity == quantity) return row;
  }
  rows_.push_back({quantity, 0, 0, 0, tolerance, ""});
  return rows_.back();
}

void ParityReport::compare(const std::string& quantity, const std::vector<double>& computed,
                           const std::vector<double>& recorded, double tolerance, const std::string& name) {
  if (computed.size() != recorded.size()) {
    fail("{}: {} values are recorded, expected {}", quantity, recorded.size(), computed.size());
  }
  double scale = 0;
  for (const double value : recorded) scale = std::max(scale, std::abs(value));
  if (!(scale > 0)) scale = 1;  // all zero: absolute
  Row& line = row(quantity, tolerance);
  for (std::size_t i = 0; i < computed.size(); ++i) {
    const double difference = std::abs(computed[i] - recorded[i]) / scale;
    ++line.comparisons;
    if (!(difference <= line.largest)) line.largest = difference;
    if (difference <= tolerance) continue;
    ++line.failures;
    if (!line.first_failure.empty()) continue;
    line.first_failure = fmt::format("{}value {}: computed {}, recorded {}", name.empty() ? "" : name + " ",
                                     i, computed[i], recorded[i]);
  }
}

void ParityReport::require(const std::string& quantity, bool same, const std::string& what) {
  Row& line = row(quantity, 0);
  ++line.comparisons;
  if (same) return;
  ++line.failures;
  if (line.first_failure.empty()) line.first_failure = what;
}

bool ParityReport::print(std::ostream& out) const {
  bool good = !rows_.empty();
  out << fmt::format("{:<34} {:>8} {:>12} {:>10}  {}\n", "quantity", "values", "largest", "allowed",
                     "verdict");
  for (const Row& row : rows_) {
    good = good && row.failures == 0;
    const bool numeric = row.tolerance > 0;
    out << fmt::format(
        "{:<34} {:>8} {:>12} {:>10}  {}\n", row.quantity, row.comparisons,
        numeric ? fmt::format("{:.2e}", row.largest) : "-",
        numeric ? fmt::format("{:.0e}", row.tolerance) : "same",
        row.failures == 0 ? "agrees" : fmt::format("{} DIFFER ({})", row.failures, row.first_failure));
  }
  return good;
}

void compare_norms(ParityReport& report, torch::nn::Module& network, const Json& recorded) {
  std::size_t count = 0;
  for (const auto& item : network.named_parameters()) {
    if (!recorded.contains(item.key())) fail("weight_grad_norm: parameter {} is missing", item.key());
    const torch::Tensor gradient = item.value().grad();
    const double norm = gradient.defined() ? gradient.norm().item<double>() : 0.0;
    report.compare("gradient norms of weights", norm, recorded.at(item.key()).get<double>(),
                   kGradientTolerance, item.key());
    ++count;
  }
  if (count != recorded.size())
    fail("weight_grad_norm: {} entries, the network has {} parameters", recorded.size(), count);
}

void expect_keys(const Json& object, const std::vector<const char*>& keys, const std::string& where) {
  if (!object.is_object()) fail("{}: expected an object", where);
  for (const char* key : keys) {
    if (!object.contains(key)) fail("{}: the entry `{}` is missing", where, key);
  }
  for (const auto& [key, value] : object.items()) {
    if (std::find_if(keys.begin(), keys.end(),
                     [&, &name = key](const char* known) { return name == known; }) == keys.end()) {
      fail("{}: the entry `{}` is unknown and would go unread", where, key);
    }
  }
}

namespace {

void append_numbers(const Json& value, std::vector<double>& numbers, const std::string& where) {
  if (value.is_number()) {
    numbers.push_back(value.get<double>());
  } else if (value.is_array()) {
    for (const Json& item : value) append_numbers(item, numbers, where);
  } else {
    fail("{}: expected numbers, found {}", where, value.dump().substr(0, 40));
  }
}

}  // namespace

std::vector<double> numbers_of(const Json& list, const std::string& where) {
  std::vector<double> numbers;
  append_numbers(list, numbers, where);
  return numbers;
}

std::vector<double> numbers_of(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().to(torch::kCPU, torch::kDouble).contiguous();
  return {plain.data_ptr<double>(), plain.data_ptr<double>() + plain.numel()};
}

}  // namespace ptnas
