#include "ptnas/select/decision_order.h"

#include <gtest/gtest.h>

#include <set>

#include "ptnas/core/error.h"

namespace ptnas {
namespace {

TEST(DecisionOrder, EveryEdgeThenEveryNodeNormalFirst) {
  const SearchSpace space = make_space("darts", 4, false);
  const std::vector<Decision> decisions = decision_order(space, {}, 2);
  ASSERT_EQ(decisions.size(), 2u * (14 + 3));
  std::set<int> edges[2], nodes[2];
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const Decision& d = decisions[i];
    EXPECT_EQ(d.cell, kCellTypes[i % 2]);
    EXPECT_EQ(d.kind, i < 28 ? Decision::Kind::kOperation : Decision::Kind::kTopology);
    (i < 28 ? edges : nodes)[i % 2].insert(d.index);
  }
  for (int t = 0; t < 2; ++t) {
    EXPECT_EQ(edges[t].size(), 14u);
    EXPECT_EQ(nodes[t], (std::set<int>{1, 2, 3}));
  }
}

TEST(DecisionOrder, DependsOnTheSeedAlone) {
  const SearchSpace space = make_space("s2", 4, false);
  const auto indices = [&](std::uint64_t seed) {
    std::vector<int> result;
    for (const Decision& d : decision_order(space, {}, seed)) result.push_back(d.index);
    return result;
  };
  EXPECT_EQ(indices(1), indices(1));
  EXPECT_NE(indices(1), indices(2));
}

TEST(DecisionOrder, ExplicitOrdersAreFollowed) {
  const SearchSpace space = make_space("s4", 2, false);
  SelectOptions options;
  options.edge_order = {4, 2, 0, 1, 3};
  options.reduction_node_order = {1};
  const std::vector<Decision> decisions = decision_order(space, options, 0);
  ASSERT_EQ(decisions.size(), 12u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(decisions[2 * i].index, options.edge_order[i]);
}

TEST(DecisionOrder, NasBench201DecidesItsSixEdgesAlone) {
  const SearchSpace space = make_space("nb201", 4, false);
  SelectOptions options;
  options.edge_order = {4, 0, 5, 2, 3, 1};
  const std::vector<Decision> decisions = decision_order(space, options, 0);
  ASSERT_EQ(decisions.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(decisions[i].kind, Decision::Kind::kOperation);
    EXPECT_EQ(decisions[i].cell, CellType::kNormal);
    EXPECT_EQ(decisions[i].index, options.edge_order[i]);
  }
  EXPECT_EQ(decision_order(space, {}, 3).size(), 6u);
  for (auto* order : {&options.reduction_edge_order, &options.node_order, &options.reduction_node_order}) {
    *order = {1};
    EXPECT_THROW(decision_order(space, options, 0), Error);
    order->clear();
  }
}

// FACTS, Selection: 81 epochs in the DARTS family, 25 in NAS-Bench-201.
TEST(DecisionOrder, TuningHasThePublishedLength) {
  const auto decided_at = [](const char* name, std::int64_t epochs) {
    const SearchSpace space = make_space(name, 4, false);
    const std::size_t all = decision_order(space, {}, 0).size();
    std::vector<std::int64_t> at = {0};
    for (std::size_t taken = 1; taken <= all; ++taken)
      at.push_back(at.back() + tuning_epochs_after(space, taken, all, epochs));
    return at;
  };
  EXPECT_EQ(decided_at("nb201", 5), (std::vector<std::int64_t>{0, 5, 10, 15, 20, 24, 25}));
  EXPECT_EQ(decided_at("nb201", 1), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 4, 5}));
  EXPECT_EQ(decided_at("nb201", 0), (std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 0}));
  const std::vector<std::int64_t> darts = decided_at("darts", 5);
  EXPECT_EQ(darts.back(), 81);
  EXPECT_EQ(darts[32], 80);  // before the last two decisions
  EXPECT_EQ(darts[33], 80);
}

TEST(DecisionOrder, OrdersThatAreNoPermutationAreWrongUse) {
  const SearchSpace space = make_space("s4", 2, false);
  for (const std::vector<std::int64_t>& order :
       {std::vector<std::int64_t>{0, 1, 2, 3}, {0, 1, 2, 3, 3}, {1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}}) {
    SelectOptions options;
    options.reduction_edge_order = order;
    try {
      decision_order(space, options, 0);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find("--reduction-edge-order"), std::string::npos);
    }
  }
  SelectOptions options;
  options.node_order = {0};  // node 0 has nothing to decide
  EXPECT_THROW(decision_order(space, options, 0), Error);
}

}  // namespace
}  // namespace ptnas
