#include "ptnas/select/decision_order.h"

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/random.h"

namespace ptnas {

namespace {

// An explicit order, checked to be a permutation of first .. first + count - 1.
std::vector<int> checked_order(const std::vector<std::int64_t>& order, const char* option, int first,
                               int count) {
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  bool whole = static_cast<int>(sorted.size()) == count;
  for (int i = 0; whole && i < count; ++i) whole = sorted[static_cast<std::size_t>(i)] == first + i;
  if (!whole) {
    fail_usage("--{} must name each of {} to {} once, not {}", option, first, first + count - 1,
               fmt::join(order, ","));
  }
  return {order.begin(), order.end()};
}

void require_absent(const std::vector<std::int64_t>& order, const char* option, const SearchSpace& space) {
  if (!order.empty())
    fail_usage("--{} orders what the space {} has not got; leave it out", option, space.name);
}

// Indices of kEdgeOrder's streams.
constexpr std::uint64_t kEdges = 0, kNodes = 2;

std::vector<int> random_order(int first, int count, std::uint64_t seed, std::uint64_t index) {
  std::vector<int> order;
  for (const std::int64_t i :
       permutation(static_cast<std::size_t>(count), RandomStream(seed, Purpose::kEdgeOrder, index))) {
    order.push_back(first + static_cast<int>(i));
  }
  return order;
}

}  // namespace

std::vector<Decision> decision_order(const SearchSpace& space, const SelectOptions& options,
                                     std::uint64_t seed) {
  struct Source {
    Decision::Kind kind;
    int first, count;
    std::uint64_t stream;
    const std::vector<std::int64_t>* given[2];
    const char* option[2];
  };
  const Source sources[] = {
      {Decision::Kind::kOperation,
       0,
       space.edge_count(),
       kEdges,
       {&options.edge_order, &options.reduction_edge_order},
       {"edge-order", "reduction-edge-order"}},
      {Decision::Kind::kTopology,
       1,
       keeps_two_edges(space.family) ? space.nodes - 1 : 0,
       kNodes,
       {&options.node_order, &options.reduction_node_order},
       {"node-order", "reduction-node-order"}},
  };
  std::vector<Decision> decisions;
  for (const Source& source : sources) {
    std::vector<int> orders[2];
    for (std::size_t t = 0; t < 2; ++t) {
      if (t >= space.cell_types().size() || source.count == 0) {
        require_absent(*source.given[t], source.option[t], space);
        continue;
      }
      orders[t] = source.given[t]->empty()
                      ? random_order(source.first, source.count, seed, source.stream + t)
                      : checked_order(*source.given[t], source.option[t], source.first, source.count);
    }
    for (std::size_t i = 0; i < orders[0].size(); ++i) {
      for (const CellType cell : space.cell_types())
        decisions.push_back({source.kind, cell, orders[static_cast<std::size_t>(cell)][i]});
    }
  }
  return decisions;
}

std::int64_t tuning_epochs_after(const SearchSpace& space, std::size_t taken, std::size_t all,
                                 std::int64_t epochs) {
  const std::size_t cells = space.cell_types().size();
  if (taken == 0 || taken % cells != 0) return 0;
  if (taken == all) return std::min<std::int64_t>(1, epochs);
  const bool early = space.family == Family::kNasBench201 && taken + cells == all;
  return early ? std::max<std::int64_t>(0, epochs - 1) : epochs;
}

}  // namespace ptnas
