#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ptnas/core/options.h"

namespace ptnas {

/// Names of the selections; each has a line in run_selection.cc.
inline const std::vector<std::string>& selection_names() {
  static const std::vector<std::string> names = {"perturbation", "magnitude", "magnitude-progressive",
                                                 "discretization", "random"};
  return names;
}

/// From a supernet to a genotype (FACTS, Selection and The two presets).
struct SelectOptions {
  std::string selection = "perturbation";
  std::int64_t from_epoch = 0;
  std::string criterion = "accuracy";
  std::int64_t tune_epochs = 5;
  double tune_learning_rate = 0.0025;
  std::vector<std::int64_t> edge_order;
  std::vector<std::int64_t> reduction_edge_order;
  std::vector<std::int64_t> node_order;
  std::vector<std::int64_t> reduction_node_order;
  std::string ties = "loss";
  std::string topology = "once";
  std::string scoring_images = "fixed";
  bool scoring_updates_statistics = false;
  std::int64_t scoring_batch = 64;
  std::string scoring = "exact";
  double confidence = 0.99;
  std::string genotype_rule = "decisions";
  std::string converged = "epochs";
  std::int64_t converged_epochs = 5;
  double converged_gain = 0.001;
  std::int64_t converged_most = 50;

  void declare(OptionVisitor& v) {
    v.group("Selection");
    v.choice("selection", selection, selection_names(), "how operations and edges are chosen");
    v.option("from-epoch", from_epoch,
             "select from the supernet as it was after so many epochs (--snapshot-every); 0: the last");
    v.choice("criterion", criterion, {"accuracy", "loss"}, "what a masked operation is measured by");
    v.option("tune-epochs", tune_epochs, "epochs of tuning after each event");
    v.option("tune-learning-rate", tune_learning_rate, "SGD's constant rate while tuning");
    v.option("edge-order", edge_order, "explicit order of the normal cell's edges; empty: by seed");
    v.option("reduction-edge-order", reduction_edge_order,
             "explicit order of the reduction cell's edges; empty: by seed");
    v.option("node-order", node_order, "explicit order of the normal cell's nodes (1, 2, 3); empty: by seed");
    v.option("reduction-node-order", reduction_node_order,
             "explicit order of the reduction cell's nodes; empty: by seed");
    v.choice("ties", ties, {"loss", "first"},
             "of equal accuracies the higher loss wins, then the first operation (the last edge goes); or at "
             "once the first operation and the last edge");
    v.choice(
        "topology", topology, {"once", "rounds"},
        "each input edge scored once (Algorithm 2), or rounds of elimination as in the released program");
    v.choice(
        "scoring-images", scoring_images, {"fixed", "augmented"},
        "validation half without augmentation in fixed order, or augmented and shuffled anew for each event");
    v.option("scoring-updates-statistics", scoring_updates_statistics,
             "masked passes update running statistics");
    v.option("scoring-batch", scoring_batch, "images a batch in scoring");
    v.choice("scoring", scoring, {"exact", "early-stop"},
             "every candidate on all images, or each until it can no longer win");
    v.option(
        "confidence", confidence,
        "early-stop: least probability that a decision is the one all images would give; exact: less and "
        "a decision counts as within noise");
    v.choice(
        "genotype-rule", genotype_rule, {"decisions", "weights"},
        "the genotype by the decisions taken, or read off the final weights as the released program does");
    v.choice("converged", converged, {"epochs", "plateau"},
             "discretization: a supernet has converged after --converged-epochs of tuning, or once accuracy "
             "no longer rises");
    v.option("converged-epochs", converged_epochs,
             "discretization: epochs of tuning (Appendix A.7: more gain little), or over which accuracy must "
             "rise");
    v.option("converged-gain", converged_gain,
             "discretization: the least rise over --converged-epochs that is one (plateau)");
    v.option("converged-most", converged_most, "discretization: epochs of tuning at most (plateau)");
  }
};

}  // namespace ptnas
