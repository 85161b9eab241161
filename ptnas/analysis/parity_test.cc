#include "ptnas/analysis/parity.h"

#include <functional>
#include <sstream>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

fs::path fixtures() { return fs::path(PTNAS_SOURCE_DIR) / "../shared/fixtures"; }

#define SKIP_WITHOUT_FIXTURES() \
  if (!fs::exists(fixtures())) GTEST_SKIP() << "no recorded cases beside the project (../shared/fixtures)"

// Whether a case agrees; an entry that is missing or unknown is an Error, which counts as no.
bool agrees(const ParityCase& parity_case, std::string* table = nullptr, Engine engine = Engine::kPlain) {
  std::ostringstream out;
  try {
    const bool good = check_parity(parity_case, engine, out);
    if (table != nullptr) *table = out.str();
    return good;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailed);
    return false;
  }
}

TEST(Parity, ADerivedNetworkAgreesAndEveryAlterationIsFound) {
  SKIP_WITHOUT_FIXTURES();
  const ParityCase original = read_parity_case(fixtures() / "derived-darts");
  std::string table;
  ASSERT_TRUE(agrees(original, &table)) << table;

  const std::vector<std::pair<const char*, std::function<void(ParityCase&)>>> alterations = {
      {"a logit", [](ParityCase& c) { c.expected["train_logits"][2][3] = 0.77; }},
      {"an auxiliary logit", [](ParityCase& c) { c.expected["train_auxiliary_logits"][0][1] = 0.9; }},
      {"an evaluation logit", [](ParityCase& c) { c.expected["eval_logits"][15][9] = 0.05; }},
      {"the loss", [](ParityCase& c) { c.expected["train_loss"] = 2.018; }},
      {"a gradient norm", [](ParityCase& c) { c.expected["weight_grad_norm"]["stem.1.bias"] = 0.174; }},
      {"an operation", [](ParityCase& c) { c.expected["genotype"]["normal"][6][0] = "avg_pool_3x3"; }},
      {"an edge", [](ParityCase& c) { c.expected["genotype"]["normal"][7][1] = 3; }},
      {"the concatenation", [](ParityCase& c) { c.expected["genotype"]["normal_concat"][0] = 3; }},
      {"the auxiliary weight", [](ParityCase& c) { c.expected["auxiliary_weight"] = 0.41; }},
      {"the auxiliary head", [](ParityCase& c) { c.expected["auxiliary"] = false; }},
      {"the width", [](ParityCase& c) { c.expected["channels"] = 16; }},
      {"the depth", [](ParityCase& c) { c.expected["cells"] = 6; }},
      {"the count", [](ParityCase& c) { c.expected["count"] = 15; }},
      {"a mean", [](ParityCase& c) { c.expected["mean"][1] = 0.49; }},
      {"a removed entry", [](ParityCase& c) { c.expected.erase("eval_logits"); }},
      {"a removed norm", [](ParityCase& c) { c.expected["weight_grad_norm"].erase("stem.0.weight"); }},
      {"an added entry", [](ParityCase& c) { c.expected["extra"] = 1; }},
      {"an added norm", [](ParityCase& c) { c.expected["weight_grad_norm"]["more"] = 1.0; }},
      {"a text for a number", [](ParityCase& c) { c.expected["train_loss"] = "2.01"; }},
      {"a pixel", [](ParityCase& c) { c.batch[2000] = static_cast<char>(c.batch[2000] ^ 0x80); }},
      {"a weight",
       [](ParityCase& c) {
         torch::Tensor& weight = c.checkpoint.state.tensors.at("classifier.weight");
         weight = weight.clone();
         weight[0][0] += 0.5;
       }},
  };
  for (const auto& [what, alter] : alterations) {
    ParityCase altered = original;
    alter(altered);
    EXPECT_FALSE(agrees(altered)) << what;
  }
}

TEST(Parity, ASupernetAgreesInBothEnginesAndEveryAlterationIsFound) {
  SKIP_WITHOUT_FIXTURES();
  const ParityCase original = read_parity_case(fixtures() / "parity-s2");
  std::string table;
  ASSERT_TRUE(agrees(original, &table, Engine::kPlain)) << table;
  ASSERT_TRUE(agrees(original, &table, Engine::kFused)) << table;

  const auto scaled = [](Json& number) { number = number.get<double>() * 1.003; };
  const std::vector<std::pair<const char*, std::function<void(ParityCase&)>>> alterations = {
      {"a logit", [](ParityCase& c) { c.expected["train_logits"][2][3] = 0.77; }},
      {"an evaluation logit", [](ParityCase& c) { c.expected["eval_logits"][15][9] = 0.05; }},
      {"the loss", [&](ParityCase& c) { scaled(c.expected["train_loss"]); }},
      {"the evaluation loss", [&](ParityCase& c) { scaled(c.expected["eval_loss"]); }},
      {"a gradient of alpha", [](ParityCase& c) { c.expected["alpha_grad"][1][3][0] = 0.02; }},
      {"a gradient norm", [&](ParityCase& c) { scaled(c.expected["weight_grad_norm"]["stem.0.weight"]); }},
      {"a masked loss", [&](ParityCase& c) { scaled(c.expected["masked_op"][17]["loss"]); }},
      {"a masked accuracy", [](ParityCase& c) { c.expected["masked_op"][5]["accuracy"] = 0.125; }},
      {"a masked edge's loss", [&](ParityCase& c) { scaled(c.expected["masked_edge"][7]["loss"]); }},
      {"a masked edge's name", [](ParityCase& c) { c.expected["masked_edge"][7]["edge"] = 2; }},
      {"the genotype by magnitude",
       [](ParityCase& c) {
         std::string text = c.expected["genotype_by_magnitude"];
         const std::size_t at = text.find("sep_conv_3x3");
         text.replace(at, 12, "skip_connect");
         c.expected["genotype_by_magnitude"] = text;
       }},
      {"a removed masked operation", [](ParityCase& c) { c.expected["masked_op"].erase(3); }},
      {"a removed trace", [](ParityCase& c) { c.selection.erase(1); }},
      {"a weight",
       [](ParityCase& c) {
         torch::Tensor& weight = c.checkpoint.state.tensors.at("classifier.weight");
         weight = weight.clone();
         weight[0][0] += 0.5;
       }},
  };
  for (const auto& [what, alter] : alterations) {
    ParityCase altered = original;
    alter(altered);
    EXPECT_FALSE(agrees(altered, nullptr, Engine::kFused)) << what;
  }
}

TEST(Parity, NasBench201AgreesInBothEnginesAndEveryAlterationIsFound) {
  SKIP_WITHOUT_FIXTURES();
  const ParityCase original = read_parity_case(fixtures() / "parity-nb201");
  std::string table;
  ASSERT_TRUE(agrees(original, &table, Engine::kPlain)) << table;
  ASSERT_TRUE(agrees(original, &table, Engine::kFused)) << table;

  const auto scaled = [](Json& number) { number = number.get<double>() * 1.003; };
  const std::vector<std::pair<const char*, std::function<void(ParityCase&)>>> alterations = {
      {"a logit", [](ParityCase& c) { c.expected["train_logits"][2][3] = 0.77; }},
      {"an evaluation logit", [](ParityCase& c) { c.expected["eval_logits"][15][9] = 0.05; }},
      {"a gradient of alpha", [](ParityCase& c) { c.expected["alpha_grad"][0][3][0] = 0.02; }},
      {"a second alpha",
       [](ParityCase& c) { c.expected["alpha_grad"].push_back(c.expected["alpha_grad"][0]); }},
      {"a residual block's norm",
       [&](ParityCase& c) { scaled(c.expected["weight_grad_norm"]["cells.1.downsample.1.weight"]); }},
      {"the last norm's", [&](ParityCase& c) { scaled(c.expected["weight_grad_norm"]["lastact.0.bias"]); }},
      {"a masked loss", [&](ParityCase& c) { scaled(c.expected["masked_op"][17]["loss"]); }},
      {"a masked operation's name", [](ParityCase& c) { c.expected["masked_op"][17]["op"] = "noise"; }},
      {"a cell", [](ParityCase& c) { c.expected["masked_op"][0]["cell"] = "normal"; }},
      {"masked edges", [](ParityCase& c) { c.expected["masked_edge"] = Json::array(); }},
      {"the genotype by magnitude",
       [](ParityCase& c) {
         c.expected["genotype_by_magnitude"] =
             "|none~0|+|skip_connect~0|skip_connect~1|+|none~0|skip_connect~1|nor_conv_1x1~2|";
       }},
      {"a removed event", [](ParityCase& c) { c.selection[0]["events"].erase(5); }},
      {"a choice", [](ParityCase& c) { c.selection[1]["events"][0]["chosen"] = "none"; }},
      {"the space", [](ParityCase& c) { c.expected["space"] = "s5"; }},
      {"the depth", [](ParityCase& c) { c.expected["layers"] = 2; }},
  };
  for (const auto& [what, alter] : alterations) {
    ParityCase altered = original;
    alter(altered);
    EXPECT_FALSE(agrees(altered, nullptr, Engine::kFused)) << what;
  }
}

TEST(Parity, AFolderWithoutACaseIsRefused) {
  const ScratchDirectory empty;
  expect_error([&] { read_parity_case(empty.path()); }, {"expected.json"});
}

}  // namespace
}  // namespace ptnas
