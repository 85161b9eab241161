#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ptnas {

/// The candidate operations. FACTS of each: docs/method.md.
enum class OperationKind {
  kNone,
  kMaxPool3x3,
  kAvgPool3x3,
  kSkipConnect,
  kSepConv3x3,
  kSepConv5x5,
  kDilConv3x3,
  kDilConv5x5,
  kNoise,
  kNorConv1x1,
  kNorConv3x3,
};

/// What can be said of an operation without computing it.
struct OperationInfo {
  OperationKind kind;
  std::string_view name;  ///< as genotypes spell it: "sep_conv_3x3"
  bool parameterised;     ///< has weights at stride 1; drawn red
};

/// The table of all operations, one line each. Adding one is a line here and a file in ptnas/ops.
const std::vector<OperationInfo>& operation_table();

std::string_view name_of(OperationKind kind);
/// nullopt for an unknown name.
std::optional<OperationKind> find_operation(std::string_view name);
/// Throws Error listing the names there are; `where` says where the name was found.
OperationKind parse_operation(std::string_view name, const std::string& where);

}  // namespace ptnas
