#include "ptnas/space/search_space.h"

#include <gmock/gmock.h>

#include <map>

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

using enum OperationKind;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using Candidates = std::vector<OperationKind>;

TEST(OperationTest, NamesAndKindsAreOneToOne) {
  EXPECT_THAT(operation_table(), SizeIs(11));
  for (const OperationInfo& info : operation_table()) {
    EXPECT_EQ(find_operation(info.name), info.kind);
    EXPECT_EQ(name_of(info.kind), info.name);
  }
  EXPECT_EQ(find_operation("sep_conv_7x7"), std::nullopt);
  expect_error([] { parse_operation("sep_conv", "here"); }, {"here", "`sep_conv`", "sep_conv_3x3", "noise"});
}

TEST(SearchSpaceTest, EdgesRunNodeByNode) {
  const SearchSpace space = make_space("darts", 4, false);
  EXPECT_EQ(space.edge_count(), 14);
  int index = 0;
  for (int node = 0; node < 4; ++node) {
    std::vector<int> into;
    for (int from = 0; from < node + 2; ++from, ++index) {
      EXPECT_EQ(space.edge(index).from, from);
      EXPECT_EQ(space.edge(index).node, node);
      into.push_back(index);
    }
    EXPECT_EQ(space.edges_into(node), into);
  }
}

TEST(SearchSpaceTest, NasBench201HasOneCellOfOneInput) {
  const SearchSpace space = make_space("nb201", 4, false);
  EXPECT_EQ(space.family, Family::kNasBench201);
  EXPECT_THAT(space.cell_types(), ElementsAre(CellType::kNormal));
  EXPECT_EQ(space.nodes, 3);
  ASSERT_EQ(space.edge_count(), 6);
  // 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2, where node 0 is the input.
  const std::vector<std::pair<int, int>> edges = {{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {3, 2}};
  for (int e = 0; e < 6; ++e) {
    const auto [node, from] = edges[static_cast<std::size_t>(e)];
    EXPECT_EQ(space.edge(e).node + first_node_number(space.family), node);
    EXPECT_EQ(space.edge(e).from, from);
  }
  EXPECT_THAT(space.edges_into(2), ElementsAre(3, 4, 5));
  EXPECT_THAT(space.of(CellType::kNormal),
              Each(Candidates{kNone, kSkipConnect, kNorConv1x1, kNorConv3x3, kAvgPool3x3}));
  EXPECT_THAT(space.of(CellType::kReduction), SizeIs(0));
  EXPECT_TRUE(space.can_choose(kNone));
  EXPECT_FALSE(make_space("s3", 4, false).can_choose(kNone));
  expect_error([] { make_space("nb201", 3, false); }, {"nb201", "--nodes"}, ErrorKind::kUsage);
  expect_error([] { make_space("nb201", 4, true); }, {"`none`"}, ErrorKind::kUsage);
}

TEST(CellFamilyTest, NasBench201ReducesBetweenItsStages) {
  for (const int cells : {1, 2, 5, 18}) {
    const int all = cell_count(Family::kNasBench201, cells);
    for (int i = 0; i < all; ++i)
      EXPECT_EQ(is_reduction_cell(i, all), i == cells || i == 2 * cells + 1) << i << " of " << all;
  }
  EXPECT_EQ(cell_count(Family::kDarts, 8), 8);
}

TEST(SearchSpaceTest, UniformSpacesHaveTheirPublishedOrder) {
  const std::map<std::string, Candidates> expected = {
      {"darts", {kMaxPool3x3, kAvgPool3x3, kSkipConnect, kSepConv3x3, kSepConv5x5, kDilConv3x3, kDilConv5x5}},
      {"s2", {kSkipConnect, kSepConv3x3}},
      {"s3", {kNone, kSkipConnect, kSepConv3x3}},
      {"s4", {kNoise, kSepConv3x3}}};
  for (const auto& [name, candidates] : expected) {
    const SearchSpace space = make_space(name, 4, false);
    for (const CellType type : kCellTypes) {
      EXPECT_THAT(space.of(type), SizeIs(14));
      EXPECT_THAT(space.of(type), Each(candidates)) << name;
      EXPECT_EQ(space.most_candidates(type), static_cast<int>(candidates.size()));
    }
  }
}

// Spelled as the table of FACTS is, so that the two can be compared by eye.
std::string spelled(const std::vector<Candidates>& cell) {
  const std::map<OperationKind, std::string> letters = {{kMaxPool3x3, "max"},   {kAvgPool3x3, "avg"},
                                                        {kSkipConnect, "skip"}, {kSepConv3x3, "sep3"},
                                                        {kDilConv3x3, "dil3"},  {kDilConv5x5, "dil5"}};
  std::string text;
  for (const Candidates& edge : cell) {
    text += text.empty() ? "" : ", ";
    for (std::size_t i = 0; i < edge.size(); ++i) text += (i > 0 ? "|" : "") + letters.at(edge[i]);
  }
  return text;
}

TEST(SearchSpaceTest, S1IsAsPublished) {
  const SearchSpace space = make_space("s1", 4, false);
  EXPECT_EQ(spelled(space.of(CellType::kNormal)),
            "skip|dil3, skip|dil5, skip|dil5, skip|sep3, skip|dil3, max|skip, skip|sep3, skip|sep3, "
            "skip|dil3, skip|sep3, max|skip, skip|dil3, dil3|dil5, dil3|dil5");
  EXPECT_EQ(spelled(space.of(CellType::kReduction)),
            "max|avg, max|dil3, max|avg, max|avg, skip|dil5, max|avg, max|sep3, skip|dil3, skip|dil5, "
            "max|avg, max|avg, skip|dil5, skip|dil5, skip|dil5");
}

TEST(SearchSpaceTest, NoneComesFirstWhereItIsAsked) {
  const SearchSpace space = make_space("s2", 4, true);
  for (const CellType type : kCellTypes) {
    EXPECT_THAT(space.of(type), Each(Candidates{kNone, kSkipConnect, kSepConv3x3}));
  }
  expect_error([] { make_space("s3", 4, true); }, {"s3", "none"}, ErrorKind::kUsage);
}

TEST(SearchSpaceTest, NodesAreAnOptionOfUniformSpaces) {
  EXPECT_THAT(make_space("darts", 1, false).of(CellType::kNormal), SizeIs(2));
  EXPECT_THAT(make_space("s4", 8, false).of(CellType::kReduction), SizeIs(44));
  for (const int nodes : {-1, 0, 9}) {
    expect_error([&] { make_space("darts", nodes, false); }, {"1 to 8"}, ErrorKind::kUsage);
  }
  expect_error([] { make_space("s1", 3, false); }, {"s1", "3"}, ErrorKind::kUsage);
}

TEST(SearchSpaceTest, AnUnknownSpaceIsRefusedWithTheListOfThem) {
  expect_error([] { make_space("s9", 4, false); }, {"`s9`", "darts, s1, s2, s3, s4", ".toml"},
               ErrorKind::kUsage);
}

class SpaceFileTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    write_file(scratch_ / "mine.toml", text);
    return scratch_ / "mine.toml";
  }
  void expect_refused(const std::string& text, std::vector<std::string> says) {
    says.emplace_back("mine.toml");
    expect_error([&] { read_space(write(text)); }, says);
  }
  ScratchDirectory scratch_;
};

TEST_F(SpaceFileTest, AllAndEdges) {
  const SearchSpace space =
      read_space(write("nodes = 1\n[normal]\nall = ['skip_connect', 'noise']\n"
                       "[reduction]\nedges = [['max_pool_3x3'], ['none', 'dil_conv_5x5']]\n"));
  EXPECT_EQ(space.name, "mine");
  EXPECT_EQ(space.nodes, 1);
  EXPECT_THAT(space.of(CellType::kNormal),
              ElementsAre(ElementsAre(kSkipConnect, kNoise), ElementsAre(kSkipConnect, kNoise)));
  EXPECT_THAT(space.of(CellType::kReduction),
              ElementsAre(ElementsAre(kMaxPool3x3), ElementsAre(kNone, kDilConv5x5)));
}

TEST_F(SpaceFileTest, TheExampleIsASpace) {
  const SearchSpace space = read_space(PTNAS_SOURCE_DIR "/examples/space.toml");
  EXPECT_EQ(space.nodes, 3);
}

TEST_F(SpaceFileTest, AnotherNumberOfNodesIsAContradiction) {
  const std::string path = write("nodes = 2\nnormal.all = ['noise']\nreduction.all = ['noise']\n").string();
  EXPECT_EQ(make_space(path, 4, false).nodes, 2);  // 4 is what --nodes is where it is left out
  EXPECT_EQ(make_space(path, 2, false).nodes, 2);
  expect_error([&] { make_space(path, 3, false); }, {"2 nodes", "--nodes"}, ErrorKind::kUsage);
}

TEST_F(SpaceFileTest, MistakesAreNamedWithTheirLine) {
  const std::string reduction = "\n[reduction]\nall = ['noise']\n";
  const auto normal = [&](const std::string& text) { return "nodes = 1\n[normal]\n" + text + reduction; };
  expect_refused(normal("all = []"), {"line 3", "no operation"});
  expect_refused(normal("all = ['noise', 'noise']"), {"line 3", "twice", "noise"});
  expect_refused(normal("all = ['none']"), {"line 3", "nothing but `none`"});
  expect_refused(normal("all = ['noise',\n'conv']"), {"line 4", "`conv`", "sep_conv_3x3"});
  expect_refused(normal("all = [3]"), {"line 3", "quotes"});
  expect_refused(normal("all = 'noise'"), {"line 3", "list"});
  expect_refused(normal("edges = [['noise']]"), {"line 3", "2 edges", "lists 1"});
  expect_refused(normal("edges = [\n['noise'],\n['skip_connect', 'skip_connect']]"), {"line 5", "twice"});
  expect_refused(normal("edges = ['noise', 'noise']"), {"line 3", "list"});
  expect_refused(normal("edges = 7"), {"line 3", "list of lists"});
  expect_refused(normal("all = ['noise']\nedges = [['noise'], ['noise']]"), {"line 2", "both"});
  expect_refused(normal(""), {"line 2", "neither"});
  expect_refused(normal("all = ['noise']\nevery = 1"), {"line 4", "`every`", "all, edges"});
  expect_refused("nodes = 1\nnormal = 3" + reduction, {"line 2", "`normal`", "table"});
  expect_refused("nodes = 1" + reduction, {"[normal]"});
}

TEST_F(SpaceFileTest, MistakesAtTheTopAreNamedToo) {
  const std::string cells = "normal.all = ['noise']\nreduction.all = ['noise']\n";
  for (const std::string nodes : {"0", "9", "2.0", "'2'", "-9223372036854775808"}) {
    expect_refused("nodes = " + nodes + "\n" + cells, {"line 1", "1 to 8"});
  }
  expect_refused(cells, {"`nodes`", "1 to 8"});
  expect_refused("nodes = 1\nname = 5\n" + cells, {"line 2", "`name`"});
  expect_refused("nodes = 1\nedges = 5\n" + cells, {"line 2", "`edges`"});
  expect_refused("nodes = 1\nnodes = 2\n" + cells, {"line 2", "TOML"});
  expect_refused("", {"`nodes`"});
  expect_error([&] { read_space(scratch_ / "absent.toml"); }, {"absent.toml"});
}

TEST(SearchSpaceTest, ASpaceMadeByHandIsChecked) {
  SearchSpace space = make_space("s2", 4, false);
  space.candidates[1][3].push_back(kSkipConnect);
  expect_error([&] { validate(space); }, {"s2", "reduction", "edge 3", "twice"});
  space = make_space("s2", 4, false);
  space.candidates[0].pop_back();
  expect_error([&] { validate(space); }, {"14 edges", "13"});
}

}  // namespace
}  // namespace ptnas
