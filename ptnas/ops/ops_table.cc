#include "ptnas/core/error.h"
#include "ptnas/ops/operation.h"

namespace ptnas {

namespace {

struct Maker {
  OperationKind kind;
  std::shared_ptr<Operation> (*make)(const OperationShape&);
};

constexpr Maker kMakers[] = {
    {OperationKind::kNone, make_none},
    {OperationKind::kMaxPool3x3, make_max_pool},
    {OperationKind::kAvgPool3x3, make_avg_pool},
    {OperationKind::kSkipConnect, make_skip},
    {OperationKind::kSepConv3x3, make_sep_conv_3x3},
    {OperationKind::kSepConv5x5, make_sep_conv_5x5},
    {OperationKind::kDilConv3x3, make_dil_conv_3x3},
    {OperationKind::kDilConv5x5, make_dil_conv_5x5},
    {OperationKind::kNoise, make_noise},
    {OperationKind::kNorConv1x1, make_nor_conv_1x1},
    {OperationKind::kNorConv3x3, make_nor_conv_3x3},
};

}  // namespace

std::shared_ptr<Operation> make_operation(OperationKind kind, const OperationShape& shape) {
  for (const Maker& maker : kMakers) {
    if (maker.kind == kind) return maker.make(shape);
  }
  fail("operation {} has no implementation in ops_table.cc", name_of(kind));
}

}  // namespace ptnas
