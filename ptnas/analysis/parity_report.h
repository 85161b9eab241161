#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <ostream>
#include <string>
#include <vector>

#include "ptnas/core/json.h"

namespace ptnas {

// What fp32 leaves between two orders of the same sums, relative to the largest magnitude of a tensor or
// list.
constexpr double kValueTolerance = 1e-4;     // logits, losses, scores
constexpr double kGradientTolerance = 1e-3;  // gradients and their norms

/// Collects comparisons of computed with recorded values by quantity, each with its largest difference. Not
/// thread-safe.
class ParityReport {
 public:
  /// Differences of all elements against the largest magnitude of the recorded list; `name` says which list
  /// it is where a quantity has several. Throws Error when the lengths differ.
  void compare(const std::string& quantity, const std::vector<double>& computed,
               const std::vector<double>& recorded, double tolerance, const std::string& name = "");
  /// One value against itself.
  void compare(const std::string& quantity, double computed, double recorded, double tolerance,
               const std::string& name = "") {
    compare(quantity, std::vector{computed}, std::vector{recorded}, tolerance, name);
  }
  /// Something that must be the same; `what` says what was found where it is not.
  void require(const std::string& quantity, bool same, const std::string& what);

  /// The table; returns whether all agree.
  bool print(std::ostream& out) const;

 private:
  struct Row {
    std::string quantity;
    int comparisons = 0, failures = 0;
    double largest = 0, tolerance = 0;
    std::string first_failure;
  };
  Row& row(const std::string& quantity, double tolerance);
  std::vector<Row> rows_;
};

/// Each gradient norm by the published name; all of the network's parameters must be recorded, and no others.
void compare_norms(ParityReport& report, torch::nn::Module& network, const Json& recorded);

/// Throws Error unless `object` has these keys, and no others.
void expect_keys(const Json& object, const std::vector<const char*>& keys, const std::string& where);

/// The numbers of a (nested) list in order; anything else than numbers and lists throws Error.
std::vector<double> numbers_of(const Json& list, const std::string& where);
std::vector<double> numbers_of(const torch::Tensor& tensor);

}  // namespace ptnas
