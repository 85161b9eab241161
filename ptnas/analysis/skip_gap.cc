#include "ptnas/analysis/skip_gap.h"

#include <string>

#include "ptnas/analysis/statistics.h"
#include "ptnas/core/error.h"

namespace ptnas {

namespace {

bool is_convolution(OperationKind kind) {
  switch (kind) {
    case OperationKind::kSepConv3x3:
    case OperationKind::kSepConv5x5:
    case OperationKind::kDilConv3x3:
    case OperationKind::kDilConv5x5:
    case OperationKind::kNorConv1x1:
    case OperationKind::kNorConv3x3:
      return true;
    default:
      return false;
  }
}

double mean_gap(const Json& alpha, const SearchSpace& space) {
  double sum = 0;
  int edges = 0;
  for (const CellType type : space.cell_types()) {
    const Json& matrix = alpha.at(std::string(name_of(type)));
    for (std::size_t edge = 0; edge < space.of(type).size(); ++edge) {
      double skip = 0, convolutions = 0;
      int skips = 0, count = 0;
      for (std::size_t o = 0; o < space.of(type)[edge].size(); ++o) {
        const OperationKind kind = space.of(type)[edge][o];
        const auto weight = matrix.at(edge).at(o).get<double>();
        if (kind == OperationKind::kSkipConnect) {
          skip = weight;
          ++skips;
        } else if (is_convolution(kind)) {
          convolutions += weight;
          ++count;
        }
      }
      if (skips == 0 || count == 0) continue;
      sum += skip - convolutions / count;
      ++edges;
    }
  }
  if (edges == 0) {
    fail_usage("expected edges with skip_connect and a convolution, space {} has none; give S2 or darts",
               space.name);
  }
  return sum / edges;
}

}  // namespace

std::vector<SkipGap> skip_gaps(const std::vector<Json>& metrics, const SearchSpace& space) {
  std::vector<SkipGap> gaps;
  for (const Json& line : metrics) {
    if (line.value("phase", "") != "search") continue;
    try {
      gaps.push_back({line.at("epoch").get<std::int64_t>(), line.at("valid_accuracy").get<double>(),
                      mean_gap(line.at("alpha"), space)});
    } catch (const nlohmann::json::exception& error) {
      fail("a line of metrics.jsonl does not tell epoch, accuracy and alpha of space {} ({}); it is damaged",
           space.name, error.what());
    }
  }
  return gaps;
}

double accuracy_gap_correlation(const std::vector<SkipGap>& gaps) {
  std::vector<double> accuracy, gap;
  for (const SkipGap& one : gaps) {
    accuracy.push_back(one.valid_accuracy);
    gap.push_back(one.gap);
  }
  return rank_correlation(accuracy, gap);
}

}  // namespace ptnas
