#include <torch/utils.h>

#include "ptnas/analysis/parity.h"
#include "ptnas/analysis/parity_report.h"
#include "ptnas/core/error.h"

namespace ptnas {

namespace {

// {"normal": [[operation, state], ..], "normal_concat": [..], ..}, two edges a node.
Genotype read_cells(const Json& json) {
  expect_keys(json, {"normal", "normal_concat", "reduce", "reduce_concat"}, "genotype");
  Genotype genotype;
  for (const CellType type : kCellTypes) {
    const std::string cell = published_name(type);
    const Json& edges = json.at(cell);
    if (edges.size() % 2 != 0) fail("genotype: {} must have two edges a node", cell);
    auto& nodes = genotype.cells[static_cast<std::size_t>(type)];
    for (std::size_t i = 0; i < edges.size(); i += 2) {
      nodes.emplace_back();
      for (std::size_t j = i; j < i + 2; ++j) {
        nodes.back().push_back({parse_operation(edges.at(j).at(0).get<std::string>(), "genotype"),
                                edges.at(j).at(1).get<int>()});
      }
    }
    std::vector<double> all;
    for (std::size_t node = 0; node < nodes.size(); ++node) all.push_back(static_cast<double>(node) + 2);
    if (numbers_of(json.at(cell + "_concat"), "concat") != all)
      fail("genotype: {}_concat must name all nodes", cell);
  }
  validate(genotype, "genotype");
  return genotype;
}

}  // namespace

void compare_derived(const ParityCase& parity_case, Engine engine, ParityReport& report) {
  const Json& expected = parity_case.expected;
  expect_keys(expected,
              {"kind", "genotype", "seed", "channels", "cells", "count", "classes", "auxiliary",
               "auxiliary_weight", "mean", "std", "train_logits", "train_auxiliary_logits", "train_loss",
               "weight_grad_norm", "eval_logits"},
              "expected.json");
  expected.at("seed").get<std::int64_t>();
  const Genotype genotype = read_cells(expected.at("genotype"));
  const NetworkShape shape{expected.at("channels").get<int>(),
                           expected.at("cells").get<int>(),
                           expected.at("classes").get<int>(),
                           3,
                           32,
                           32};
  DerivedNetwork network(genotype, shape, expected.at("auxiliary").get<bool>(), engine);
  load_published(parity_case.checkpoint, network);
  const ParityImages batch = decode_batch(parity_case);
  {
    network.train();
    const FrozenStatistics frozen(network);
    const DerivedNetwork::Output output = network.forward(batch.images, 0, {});
    torch::Tensor loss = torch::cross_entropy_loss(output.logits, batch.labels);
    if (network.has_auxiliary()) {
      loss = loss + expected.at("auxiliary_weight").get<double>() *
                        torch::cross_entropy_loss(output.auxiliary, batch.labels);
      report.compare("auxiliary logits", numbers_of(output.auxiliary),
                     numbers_of(expected.at("train_auxiliary_logits"), "train_auxiliary_logits"),
                     kValueTolerance);
    }
    loss.backward();
    report.compare("training logits", numbers_of(output.logits),
                   numbers_of(expected.at("train_logits"), "train_logits"), kValueTolerance);
    report.compare("training loss", loss.item<double>(), expected.at("train_loss").get<double>(),
                   kValueTolerance);
    compare_norms(report, network, expected.at("weight_grad_norm"));
  }
  const torch::NoGradGuard no_grad;
  network.eval();
  report.compare("evaluation logits", numbers_of(network.forward(batch.images, 0, {}).logits),
                 numbers_of(expected.at("eval_logits"), "eval_logits"), kValueTolerance);
}

}  // namespace ptnas
