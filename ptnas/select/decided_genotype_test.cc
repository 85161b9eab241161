#include "ptnas/select/decided_genotype.h"

#include <gtest/gtest.h>

namespace ptnas {
namespace {

using enum OperationKind;

constexpr int kNone_ = 0, kSkip = 1, kSep = 2;  // S3's candidates

// S3 with two nodes (edges 0, 1 into node 0; 2, 3, 4 into node 1), all edges decided as `decided`.
class DecidedGenotype : public testing::Test {
 protected:
  DecidedGenotype() {
    for (const CellType type : kCellTypes) {
      for (int e = 0; e < 5; ++e) decide(type, e, kSep);
    }
  }
  void decide(CellType type, int edge, int operation) { architecture.decide(type, edge, operation); }
  void measured(CellType type, int edge, double without_skip, double without_sep) {
    Json event = {{"kind", "operation"}, {"cell", std::string(name_of(type))}, {"edge", edge}};
    event["scores"] = {{{"loss", 1.0}, {"accuracy", 0.1}},
                       {{"loss", 1.0}, {"accuracy", without_skip}},
                       {{"loss", 1.0}, {"accuracy", without_sep}}};
    events.push_back(event);
  }
  std::vector<GenotypeEdge> node_one() {
    return decided_genotype(architecture, events, Criterion::kAccuracy, Ties::kByLoss)
        .of(CellType::kNormal)[1];
  }

  Architecture architecture{make_space("s3", 2, false), 0, 0};
  Json events = Json::array();
};

TEST_F(DecidedGenotype, TakesWhatWasDecidedAndKept) {
  decide(CellType::kNormal, 2, kSkip);
  architecture.remove(CellType::kNormal, 3);
  EXPECT_EQ(node_one(), (std::vector<GenotypeEdge>{{kSkipConnect, 0}, {kSepConv3x3, 2}}));
}

TEST_F(DecidedGenotype, NoneCountsAsRemovedAndTheBestOfThoseComesBack) {
  decide(CellType::kNormal, 2, kNone_);
  decide(CellType::kNormal, 3, kNone_);
  architecture.remove(CellType::kNormal, 2);
  architecture.remove(CellType::kNormal, 3);
  measured(CellType::kNormal, 2, 0.7, 0.6);
  measured(CellType::kNormal, 3, 0.5, 0.8);  // its skip_connect is missed most
  measured(CellType::kReduction, 2, 0.0, 0.0);
  EXPECT_EQ(node_one(), (std::vector<GenotypeEdge>{{kSepConv3x3, 2}, {kSkipConnect, 1}}));
}

TEST_F(DecidedGenotype, ANodeOfNothingButNoneGetsItsTwoBest) {
  for (int e = 2; e < 5; ++e) decide(CellType::kNormal, e, kNone_);
  measured(CellType::kNormal, 2, 0.7, 0.6);
  measured(CellType::kNormal, 3, 0.9, 0.9);
  measured(CellType::kNormal, 4, 0.5, 0.8);
  EXPECT_EQ(node_one(), (std::vector<GenotypeEdge>{{kSkipConnect, 2}, {kSepConv3x3, 0}}));
}

TEST_F(DecidedGenotype, TheFirstNodeKeepsItsTwoInputs) {
  decide(CellType::kNormal, 0, kNone_);
  measured(CellType::kNormal, 0, 0.7, 0.7);  // equals: the first
  const Genotype genotype = decided_genotype(architecture, events, Criterion::kAccuracy, Ties::kByLoss);
  EXPECT_EQ(genotype.of(CellType::kNormal)[0],
            (std::vector<GenotypeEdge>{{kSepConv3x3, 1}, {kSkipConnect, 0}}));
}

}  // namespace
}  // namespace ptnas
