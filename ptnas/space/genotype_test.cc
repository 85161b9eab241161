#include "ptnas/space/genotype.h"

#include <gmock/gmock.h>

#include <fstream>
#include <functional>

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

using enum OperationKind;

const char* const kText =
    "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ('noise', 2), ('none', 0)], "
    "normal_concat=range(2, 4), reduce=[('max_pool_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_5x5', 0), "
    "('dil_conv_3x3', 1)], reduce_concat=range(2, 4))";

Genotype sample() {
  Genotype genotype;
  genotype.cells[0] = {{{kSepConv3x3, 0}, {kSkipConnect, 1}}, {{kNoise, 2}, {kNone, 0}}};
  genotype.cells[1] = {{{kMaxPool3x3, 1}, {kAvgPool3x3, 0}}, {{kDilConv5x5, 0}, {kDilConv3x3, 1}}};
  return genotype;
}

// The JSON of a genotype that need not be sound.
Json to_json_unchecked(const Genotype& genotype) {
  Json json = to_json(genotype_from_text("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "text"));
  json["cells"]["normal"] = Json::array();
  for (const auto& node : genotype.of(CellType::kNormal)) {
    json["cells"]["normal"].push_back(Json::array());
    for (const GenotypeEdge& edge : node)
      json["cells"]["normal"].back().push_back({std::string(name_of(edge.operation)), edge.from});
  }
  return json;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(GenotypeTest, TextIsReadAndWritten) {
  EXPECT_EQ(genotype_from_text(kText, "text"), sample());
  EXPECT_EQ(to_text(sample()), kText);
}

TEST(GenotypeTest, WhiteSpaceQuotesListsAndLastCommasDoNotMatter) {
  const std::string text =
      "\n Genotype (\n normal = [ (\"sep_conv_3x3\",0),('skip_connect' , 1),('noise',2),('none',0), ],\n"
      "\tnormal_concat=[2, 3], reduce=[('max_pool_3x3',1),('avg_pool_3x3',0),('dil_conv_5x5',0),"
      "('dil_conv_3x3',1)],reduce_concat=[2,3,],) \n";
  EXPECT_EQ(genotype_from_text(text, "text"), sample());
}

TEST(GenotypeTest, WrongTextIsRefusedWithItsPlace) {
  const auto refused = [](const std::string& from, const std::string& to, std::vector<std::string> says) {
    says.emplace_back("the file");
    expect_error([&] { genotype_from_text(replaced(kText, from, to), "the file"); }, says);
  };
  refused("sep_conv_3x3", "sep_conv_7x7", {"`sep_conv_7x7`"});
  refused("('sep_conv_3x3', 0), ", "", {"`normal`", "3 edges", "two a node"});
  refused("('noise', 2)", "('noise', 3)", {"state 3", "node 1", "normal"});
  refused("('noise', 2)", "('noise', -1)", {"state -1"});
  refused("('noise', 2)", "('noise', 1.5)", {"`)`", "character"});
  refused("('noise', 2)", "('noise', 99999999999999999999)", {"whole number"});
  refused("'noise'", "noise", {"quotes"});
  refused("normal_concat=range(2, 4)", "normal_concat=range(2, 5)", {"`normal_concat`", "all 2 nodes"});
  refused("reduce_concat=range(2, 4)", "reduce_concat=[3]", {"`reduce_concat`", "all 2 nodes"});
  refused("reduce_concat=range(2, 4)", "reduce_concat=[2, 2]", {"`reduce_concat`"});
  refused("reduce_concat=range(2, 4)", "reduce_concat=range(0, 2147483647)", {"`reduce_concat`"});
  refused("range(2, 4))", "range(2, 4)) x", {"the end", "`x`"});
  refused("reduce=[", "reduction=[", {"`reduce`"});
  refused("Genotype", "genotype", {"`Genotype`"});
  refused(", ('dil_conv_5x5', 0), ('dil_conv_3x3', 1)], reduce_concat=range(2, 4)",
          "], reduce_concat=range(2, 3)", {"2 nodes", "reduction", "1"});
}

TEST(GenotypeTest, EveryTruncationIsRefused) {
  const std::string text = kText;
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_THROW(genotype_from_text(text.substr(0, length), "cut"), Error) << length;
  }
}

TEST(GenotypeTest, JsonIsReadAndWritten) {
  const Json json = to_json(sample());
  EXPECT_EQ(json["text"], kText);
  EXPECT_EQ(genotype_from_json(json, "json"), sample());
}

TEST(GenotypeTest, OnlyJsonHoldsOtherNumbersOfEdges) {
  Genotype genotype = sample();
  genotype.cells[0][1].push_back({kSkipConnect, 1});
  const Json json = to_json(genotype);
  EXPECT_FALSE(json.contains("text"));
  EXPECT_EQ(genotype_from_json(json, "json"), genotype);
  expect_error([&] { to_text(genotype); }, {"two edges a node"});
}

TEST(GenotypeTest, WrongJsonIsRefused) {
  const auto refused = [](const std::string& pointer, const Json& value, std::vector<std::string> says) {
    Json json = to_json(sample());
    json[Json::json_pointer(pointer)] = value;
    says.emplace_back("the file");
    expect_error([&] { genotype_from_json(json, "the file"); }, says);
  };
  refused("/version", 2, {"version 2", "newer"});
  refused("/format", "ptnas-selection", {"ptnas-genotype"});
  refused("/cells", 3, {"`cells`", "`normal`"});
  refused("/cells/reduction", "none", {"`reduction`"});
  refused("/cells/normal", Json::array(), {"0"});
  refused("/cells/normal/0", Json::array(), {"node 0", "no edges"});
  refused("/cells/normal/0", 5, {"list of edges", "5"});
  refused("/cells/normal/0/0", Json::array({"skip_connect", 0, 1}), {"[\"skip_connect\",0,1]"});
  refused("/cells/normal/0/0", Json::array({"skip_connect", 0.5}), {"0.5"});
  refused("/cells/normal/0/0", Json::array({"skip_connect", true}), {"true"});
  refused("/cells/normal/0/0", Json::array({"skip_connect", 18446744073709551615ull}), {"state"});
  refused("/cells/normal/0/0", Json::array({"skip_connect", 2}), {"state 2", "node 0"});
  refused("/cells/normal/0/0", Json::array({"skip", 0}), {"`skip`"});
  expect_error([] { genotype_from_json(Json::array(), "the file"); }, {"the file"});
}

TEST(GenotypeTest, IsReadFromTextFileOrRun) {
  const ScratchDirectory scratch;
  EXPECT_EQ(read_genotype(std::string("  ") + kText), sample());
  write_file(scratch / "cell.txt", std::string(kText) + "\n");
  EXPECT_EQ(read_genotype((scratch / "cell.txt").string()), sample());
  expect_error([&] { read_genotype(scratch.path().string()); }, {scratch.path().string(), "no genotype"});
  write_json(scratch / "genotype.json", to_json(sample()));
  EXPECT_EQ(read_genotype((scratch / "genotype.json").string()), sample());
  EXPECT_EQ(read_genotype(scratch.path().string()), sample());
}

TEST(GenotypeTest, WhatIsNoGenotypeIsSaid) {
  const ScratchDirectory scratch;
  write_file(scratch / "empty", "");
  write_file(scratch / "picture", "\x89PNG\r\n");
  write_file(scratch / "cut.json", "{\"format\": \"ptnas-geno");
  expect_error([&] { read_genotype((scratch / "empty").string()); }, {"empty"});
  expect_error([&] { read_genotype((scratch / "picture").string()); }, {"picture", "`Genotype`"});
  expect_error([&] { read_genotype((scratch / "cut.json").string()); }, {"cut.json"});
  expect_error([&] { read_genotype((scratch / "absent").string()); }, {"absent", "Genotype(...)"});
  expect_error([] { read_genotype(""); }, {"Genotype(...)"});
}

const char* const kNb201Text =
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|";

Genotype nb201_sample() {
  Genotype genotype;
  genotype.family = Family::kNasBench201;
  genotype.cells[0] = {
      {{kNorConv3x3, 0}}, {{kNone, 0}, {kSkipConnect, 1}}, {{kAvgPool3x3, 0}, {kNorConv1x1, 1}, {kNone, 2}}};
  return genotype;
}

TEST(GenotypeTest, AnArchitectureOfNasBench201IsOne) {
  const Genotype genotype = nb201_sample();
  EXPECT_EQ(genotype_from_text(kNb201Text, "text"), genotype);
  EXPECT_EQ(to_text(genotype), kNb201Text);
  const Json json = to_json(genotype);
  EXPECT_EQ(json["text"], kNb201Text);
  EXPECT_EQ(json["space"], "nb201");
  EXPECT_FALSE(json["cells"].contains("reduction"));
  EXPECT_EQ(genotype_from_json(json, "json"), genotype);
  EXPECT_FALSE(to_json(sample()).contains("space"));
  const ScratchDirectory scratch;
  EXPECT_EQ(read_genotype(std::string(" ") + kNb201Text), genotype);
  write_file(scratch / "cell.txt", std::string(kNb201Text) + "\n");
  EXPECT_EQ(read_genotype((scratch / "cell.txt").string()), genotype);
  write_json(scratch / "genotype.json", json);
  EXPECT_EQ(read_genotype(scratch.path().string()), genotype);
}

TEST(GenotypeTest, OtherGraphsThanNasBench201sAreRefused) {
  const auto refused = [](const std::function<void(Genotype&)>& alter, const std::string& says) {
    Genotype genotype = nb201_sample();
    alter(genotype);
    expect_error([&] { validate(genotype, "here"); }, {"here", says});
    expect_error([&] { genotype_from_json(to_json_unchecked(genotype), "here"); }, {"here", says});
  };
  refused([](Genotype& g) { g.cells[0].pop_back(); }, "three nodes");
  refused([](Genotype& g) { g.cells[0][2].pop_back(); }, "three nodes");
  refused([](Genotype& g) { std::swap(g.cells[0][1][0], g.cells[0][1][1]); }, "this order");
  refused([](Genotype& g) { g.cells[0][1][0].operation = kSepConv3x3; }, "`sep_conv_3x3`");
  expect_error([] { read_genotype("|nor_conv_3x3~0|"); }, {"`+|`"});
  expect_error([] { nb201_architecture_of(sample()); }, {"NAS-Bench-201"});
  Json json = to_json(nb201_sample());
  json["space"] = "nb301";
  expect_error([&] { genotype_from_json(json, "here"); }, {"nb301", "`space`"});
}

TEST(GenotypeTest, PublishedTextsComeBackAsTheyWere) {
  const std::string folder = PTNAS_SOURCE_DIR "/../shared/fixtures/";
  for (const std::string name : {"parity-s2", "parity-s3", "parity-s5", "parity-nb201"}) {
    const std::filesystem::path path = folder + name + "/expected.json";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
    const Json expected = read_json(path);
    const std::string text = expected.at("genotype_by_magnitude").get<std::string>();
    EXPECT_EQ(to_text(genotype_from_text(text, name)), text);
  }
}

}  // namespace
}  // namespace ptnas
