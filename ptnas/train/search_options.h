#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ptnas/core/options.h"

namespace ptnas {

/// Names of the search methods; each has a line in search/search_table.cc.
inline const std::vector<std::string>& search_method_names() {
  static const std::vector<std::string> names = {"darts",     "darts-second-order", "fixed-alpha",
                                                 "sdarts-rs", "sdarts-adv",         "sgas"};
  return names;
}

/// The supernet and its training (FACTS, Supernet training).
struct SearchOptions {
  std::string space = "darts";
  std::int64_t nodes = 4;
  bool with_none = false;
  std::int64_t channels = 16;
  std::int64_t cells = 8;
  std::string method = "darts";
  std::int64_t epochs = 50;
  std::int64_t batch = 64;
  double learning_rate = 0.025;
  double learning_rate_end = 0.001;
  double momentum = 0.9;
  double weight_decay = 3e-4;
  double clip = 5;
  double alpha_learning_rate = 3e-4;
  double alpha_weight_decay = 1e-3;
  double alpha_deviation = 1e-3;
  double fixed_alpha_deviation = 0;
  std::string train_batches = "pass";
  bool inner_momentum = true;
  double sdarts_epsilon_start = 0.03;
  double sdarts_epsilon = 0.3;
  std::string sgas_criterion = "1";
  bool sgas_alpha_from_start = false;
  std::int64_t sgas_first_decision = 10;
  std::int64_t sgas_decide_every = 5;
  std::int64_t sgas_batch_increase = 8;
  std::int64_t hessian_every = 0;
  bool hessian_stop = false;
  std::int64_t hessian_from = 10;
  std::int64_t hessian_window = 5;
  std::int64_t hessian_distance = 4;
  double hessian_factor = 1.3;
  std::int64_t snapshot_every = 0;

  void declare(OptionVisitor& v) {
    v.group("Search");
    v.option("space", space, "search space: darts, s1, s2, s3, s4, nb201 or a TOML file of your own");
    v.option("nodes", nodes, "nodes of a cell");
    v.option("with-none", with_none, "add `none` to every edge, for topology by magnitude");
    v.option("channels", channels, "channels of the supernet's first cell");
    v.option("cells", cells, "cells of the supernet (nb201: of each of its three stages)");
    v.choice("method", method, search_method_names(), "search method");
    v.option("epochs", epochs, "search epochs");
    v.option("batch", batch, "images a batch");
    v.option("learning-rate", learning_rate, "SGD's rate at the start of the cosine");
    v.option("learning-rate-end", learning_rate_end, "SGD's rate at the end of the cosine");
    v.option("momentum", momentum, "SGD's momentum");
    v.option("weight-decay", weight_decay, "SGD's weight decay");
    v.option("clip", clip, "largest L2 norm of the weights' gradient; 0: no clipping");
    v.option("alpha-learning-rate", alpha_learning_rate, "Adam's rate for alpha");
    v.option("alpha-weight-decay", alpha_weight_decay, "Adam's weight decay for alpha");
    v.option("alpha-deviation", alpha_deviation, "deviation of the initial alpha");
    v.option("fixed-alpha-deviation", fixed_alpha_deviation,
             "deviation of alpha where the method keeps it fixed");
    v.choice("train-batches", train_batches, {"pass", "draws"},
             "an epoch's batches: one shuffled pass, or as many independent draws");
    v.option("inner-momentum", inner_momentum,
             "darts-second-order: the inner step has SGD's momentum, as DARTS has it");
    v.option("sdarts-epsilon-start", sdarts_epsilon_start,
             "sdarts: largest perturbation of a weight in the first epoch");
    v.option("sdarts-epsilon", sdarts_epsilon,
             "sdarts: the same at the end of the search, where it arrives linearly, and in tuning");
    v.choice("sgas-criterion", sgas_criterion, {"1", "2"},
             "sgas: edges by importance and certainty (1), or by stability too (2)");
    v.option("sgas-alpha-from-start", sgas_alpha_from_start,
             "sgas: train alpha from the start, not from the first decision on");
    v.option("sgas-first-decision", sgas_first_decision, "sgas: epochs before the first decision");
    v.option("sgas-decide-every", sgas_decide_every, "sgas: epochs from one decision to the next");
    v.option("sgas-batch-increase", sgas_batch_increase, "sgas: images that each decision adds to a batch");
    v.option("hessian-every", hessian_every,
             "measure the dominant eigenvalue of the validation loss' Hessian by alpha every N epochs (2 in "
             "RobustDARTS); 0: never");
    v.option("hessian-stop", hessian_stop,
             "RobustDARTS' early stop: where that eigenvalue has risen, the search ends with the supernet "
             "from before");
    v.option("hessian-from", hessian_from, "hessian-stop: epochs before the search may be stopped");
    v.option("hessian-window", hessian_window, "hessian-stop: measurements that are averaged");
    v.option("hessian-distance", hessian_distance,
             "hessian-stop: the average is compared with the one this many measurements before");
    v.option("hessian-factor", hessian_factor, "hessian-stop: the rise that stops the search");
    v.option("snapshot-every", snapshot_every,
             "keep the supernet as it is after every N epochs, for select --from-epoch; 0: only the last");
  }
};

}  // namespace ptnas
