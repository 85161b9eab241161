#include "ptnas/space/operation_kind.h"

#include "ptnas/core/error.h"

namespace ptnas {

const std::vector<OperationInfo>& operation_table() {
  static const std::vector<OperationInfo> table = {
      {OperationKind::kNone, "none", false},
      {OperationKind::kMaxPool3x3, "max_pool_3x3", false},
      {OperationKind::kAvgPool3x3, "avg_pool_3x3", false},
      {OperationKind::kSkipConnect, "skip_connect", false},
      {OperationKind::kSepConv3x3, "sep_conv_3x3", true},
      {OperationKind::kSepConv5x5, "sep_conv_5x5", true},
      {OperationKind::kDilConv3x3, "dil_conv_3x3", true},
      {OperationKind::kDilConv5x5, "dil_conv_5x5", true},
      {OperationKind::kNoise, "noise", false},
      {OperationKind::kNorConv1x1, "nor_conv_1x1", true},
      {OperationKind::kNorConv3x3, "nor_conv_3x3", true},
  };
  return table;
}

std::string_view name_of(OperationKind kind) {
  for (const OperationInfo& info : operation_table()) {
    if (info.kind == kind) return info.name;
  }
  fail("operation number {} is not in the table of operations", static_cast<int>(kind));
}

std::optional<OperationKind> find_operation(std::string_view name) {
  for (const OperationInfo& info : operation_table()) {
    if (info.name == name) return info.kind;
  }
  return std::nullopt;
}

OperationKind parse_operation(std::string_view name, const std::string& where) {
  if (const std::optional<OperationKind> kind = find_operation(name)) return *kind;
  std::string names;
  for (const OperationInfo& info : operation_table())
    names += (names.empty() ? "" : ", ") + std::string(info.name);
  fail("{}: `{}` is not an operation; there are {}", where, name, names);
}

}  // namespace ptnas
