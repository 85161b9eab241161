#include "ptnas/job/configuration.h"

#include <algorithm>
#include <array>
#include <map>

#include "ptnas/core/error.h"

namespace ptnas {

void Configuration::declare_parts(OptionVisitor& v, unsigned parts) {
  if (parts & (kSearchPart | kSelectPart | kTrainPart)) {
    v.group("Preset");
    v.choice("preset", preset, preset_names(),
             "a documented set of the options below; an explicit option wins");
  }
  if (parts & kDataPart) data.declare(v);
  if (parts & kSearchPart) search.declare(v);
  if (parts & kSelectPart) select.declare(v);
  if (parts & kTrainPart) train.declare(v);
  if (parts & kRuntimePart) runtime.declare(v);
}

namespace {

// `paper` is the defaults. `released`: the table of docs/presets.md. `quick`: the rules of `paper`, scaled
// down.
const std::map<std::string, OptionValues>& presets() {
  static const std::map<std::string, OptionValues> table = {
      {"paper", {}},
      {"released",
       {{"train-batches", "draws"},
        {"fixed-alpha-deviation", "0.001"},
        {"sgas-alpha-from-start", "true"},
        {"scoring-images", "augmented"},
        {"scoring-updates-statistics", "true"},
        {"ties", "first"},
        {"topology", "rounds"},
        {"genotype-rule", "weights"}}},
      {"quick",
       {{"search-limit", "1600"},
        {"channels", "4"},
        {"cells", "5"},
        {"epochs", "6"},
        {"tune-epochs", "1"},
        {"converged-epochs", "1"},
        {"scoring-batch", "250"},
        {"train-channels", "12"},
        {"train-cells", "5"},
        {"train-epochs", "2"},
        {"train-drop-path", "0"},
        {"train-cutout", "0"}}},
  };
  return table;
}

// FACTS, Retraining; both set the same options.
const std::map<std::string, OptionValues>& recipes() {
  static const std::map<std::string, OptionValues> table = {
      {"cifar",
       {{"train-stem", "cifar"},
        {"train-channels", "36"},
        {"train-cells", "20"},
        {"train-epochs", "600"},
        {"train-batch", "96"},
        {"train-learning-rate", "0.025"},
        {"train-schedule", "cosine"},
        {"train-weight-decay", "0.0003"},
        {"train-drop-path", "0.2"},
        {"train-cutout", "16"},
        {"train-label-smoothing", "0"},
        {"train-most-multiply-adds", "0"}}},
      {"imagenet",
       {{"train-stem", "imagenet"},
        {"train-channels", "48"},
        {"train-cells", "14"},
        {"train-epochs", "250"},
        {"train-batch", "128"},
        {"train-learning-rate", "0.1"},
        {"train-schedule", "exponential"},
        {"train-weight-decay", "0.00003"},
        {"train-drop-path", "0"},
        {"train-cutout", "0"},
        {"train-label-smoothing", "0.1"},
        {"train-most-multiply-adds", "600"}}},
  };
  return table;
}

void check_ranges(const Configuration& c) {
  const auto at_least = [](const char* name, double value, double least) {
    if (value < least) fail_usage("--{} must be at least {}, not {}", name, least, value);
  };
  const auto share = [](const char* name, double value, bool closed) {
    if (value < 0 || value > 1 || (!closed && (value == 0 || value == 1))) {
      fail_usage("--{} must lie {} 0 and 1, not {}", name, closed ? "from" : "strictly between", value);
    }
  };
  if (c.data.image_size != 0) at_least("image-size", double(c.data.image_size), 8);
  at_least("limit", double(c.data.limit), 0);
  at_least("search-limit", double(c.data.search_limit), 0);
  at_least("loader-threads", double(c.data.loader_threads), 1);
  share("test-portion", c.data.test_portion, false);
  share("sdarts-epsilon-start", c.search.sdarts_epsilon_start, true);
  share("sdarts-epsilon", c.search.sdarts_epsilon, true);
  share("converged-gain", c.select.converged_gain, true);
  share("confidence", c.select.confidence, false);
  share("train-portion", c.data.train_portion, false);
  at_least("channels", double(c.search.channels), 1);
  at_least("cells", double(c.search.cells), 1);
  at_least("nodes", double(c.search.nodes), 1);
  at_least("epochs", double(c.search.epochs), 1);
  at_least("batch", double(c.search.batch), 2);
  at_least("sgas-first-decision", double(c.search.sgas_first_decision), 1);
  at_least("sgas-decide-every", double(c.search.sgas_decide_every), 1);
  at_least("sgas-batch-increase", double(c.search.sgas_batch_increase), 0);
  at_least("snapshot-every", double(c.search.snapshot_every), 0);
  at_least("from-epoch", double(c.select.from_epoch), 0);
  at_least("stop-after", double(c.runtime.stop_after), 0);
  at_least("tune-epochs", double(c.select.tune_epochs), 0);
  at_least("converged-epochs", double(c.select.converged_epochs), 1);
  at_least("converged-most", double(c.select.converged_most), double(c.select.converged_epochs));
  at_least("scoring-batch", double(c.select.scoring_batch), 2);
  at_least("train-channels", double(c.train.channels), 1);
  at_least("train-cells", double(c.train.cells), 1);
  at_least("train-epochs", double(c.train.epochs), 1);
  at_least("train-batch", double(c.train.batch), 2);
  at_least("train-cutout", double(c.train.cutout), 0);
  at_least("train-evaluate-every", double(c.train.evaluate_every), 1);
  at_least("seed", double(c.runtime.seed), 0);
  constexpr std::int64_t kMostThreads = 256;
  if (c.runtime.threads < 0 || c.runtime.threads > kMostThreads)
    fail_usage("--threads must be 0 (all cores) to {}, not {}", kMostThreads, c.runtime.threads);
  if (c.data.loader_threads > kMostThreads)
    fail_usage("--loader-threads must be at most {}, not {}", kMostThreads, c.data.loader_threads);
  at_least("checkpoint-minutes", c.runtime.checkpoint_minutes, 0);
  share("train-drop-path", c.train.drop_path, true);
  if (c.train.drop_path == 1) fail_usage("--train-drop-path must be less than 1: at 1 nothing passes");
  share("train-validation-portion", c.train.validation_portion, true);
  if (c.train.validation_portion == 1) {
    fail_usage("--train-validation-portion must be less than 1: at 1 no image is left to train on");
  }
  share("train-label-smoothing", c.train.label_smoothing, true);
  if (c.train.learning_rate_decay <= 0 || c.train.learning_rate_decay > 1) {
    fail_usage("--train-learning-rate-decay must be above 0 and at most 1, not {}",
               c.train.learning_rate_decay);
  }
}

void check_rates(const Configuration& c) {
  const std::pair<const char*, double> rates[] = {
      {"learning-rate", c.search.learning_rate},
      {"learning-rate-end", c.search.learning_rate_end},
      {"momentum", c.search.momentum},
      {"weight-decay", c.search.weight_decay},
      {"clip", c.search.clip},
      {"alpha-learning-rate", c.search.alpha_learning_rate},
      {"alpha-weight-decay", c.search.alpha_weight_decay},
      {"alpha-deviation", c.search.alpha_deviation},
      {"fixed-alpha-deviation", c.search.fixed_alpha_deviation},
      {"tune-learning-rate", c.select.tune_learning_rate},
      {"train-learning-rate", c.train.learning_rate},
      {"train-learning-rate-end", c.train.learning_rate_end},
      {"train-momentum", c.train.momentum},
      {"train-weight-decay", c.train.weight_decay},
      {"train-clip", c.train.clip},
      {"train-auxiliary-weight", c.train.auxiliary_weight},
      {"train-most-multiply-adds", c.train.most_multiply_adds},
  };
  for (const auto& [name, value] : rates) {
    if (!(value >= 0)) fail_usage("--{} must not be negative, but is {}", name, value);
  }
}

void check_scoring(const SelectOptions& select) {
  if (select.scoring != "early-stop") return;
  if (select.selection != "perturbation") {
    fail_usage(
        "--scoring early-stop belongs to --selection perturbation, but the selection is {}; leave it out",
        select.selection);
  }
  if (select.scoring_updates_statistics) {
    fail_usage(
        "--scoring early-stop needs candidates scored side by side, but with --scoring-updates-statistics "
        "(preset released) each changes the supernet for the next; give --no-scoring-updates-statistics or "
        "--scoring exact");
  }
}

void check_contradictions(const Configuration& c) {
  check_scoring(c.select);
  const bool has_order = !c.select.edge_order.empty() || !c.select.reduction_edge_order.empty() ||
                         !c.select.node_order.empty() || !c.select.reduction_node_order.empty();
  const bool in_order = c.select.selection != "magnitude" && c.select.selection != "random";
  if (has_order && (!in_order || c.search.method == "sgas")) {
    fail_usage(
        "--edge-order and --node-order belong to selections that go from edge to edge, but the selection is "
        "{} "
        "and the method {}; leave them out",
        c.select.selection, c.search.method);
  }
  const bool by_alpha = c.select.selection == "magnitude" || c.select.selection == "magnitude-progressive";
  if (by_alpha && c.search.method == "fixed-alpha") {
    fail_usage(
        "--selection {} reads alpha, but --method fixed-alpha never trains it; choose --selection "
        "perturbation or random, or --method darts",
        c.select.selection);
  }
  if (c.search.space == "nb201" && c.train.auxiliary_weight > 0) {
    fail_usage("NAS-Bench-201's network has no auxiliary head; leave --train-auxiliary-weight out");
  }
  if (c.search.method == "sgas" &&
      (c.select.selection == "magnitude-progressive" || c.select.selection == "discretization")) {
    fail_usage(
        "--method sgas decides in its search, where alpha or perturbation chooses operations; choose "
        "--selection "
        "magnitude or perturbation, not {}",
        c.select.selection);
  }
  if (c.select.genotype_rule == "weights" && c.select.topology == "once" &&
      c.select.selection == "perturbation") {
    fail_usage(
        "--genotype-rule weights goes with --topology rounds (the released program's); give both or neither");
  }
}

}  // namespace

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = {"paper", "released", "quick"};
  return names;
}

const OptionValues& preset_values(const std::string& name) {
  const auto found = presets().find(name);
  if (found == presets().end()) fail_usage("--preset must be paper, released or quick, not `{}`", name);
  return found->second;
}

const OptionValues& space_values(const std::string& space) {
  // FACTS, Supernet training and Retraining: `nb201`. C and N are the benchmark's.
  static const OptionValues none, nb201 = {{"cells", "5"},
                                           {"epochs", "100"},
                                           {"train-channels", "16"},
                                           {"train-cells", "5"},
                                           {"train-epochs", "200"},
                                           {"train-batch", "256"},
                                           {"train-learning-rate", "0.1"},
                                           {"train-learning-rate-end", "0"},
                                           {"train-momentum", "0.9"},
                                           {"train-nesterov", "true"},
                                           {"train-weight-decay", "0.0005"},
                                           {"train-clip", "0"},
                                           {"train-auxiliary-weight", "0"},
                                           {"train-cutout", "0"},
                                           {"train-drop-path", "0"}};
  return space == "nb201" ? nb201 : none;
}

const OptionValues& recipe_values(const std::string& name) {
  const auto found = recipes().find(name);
  if (found == recipes().end()) fail_usage("--train-recipe must be cifar or imagenet, not `{}`", name);
  return found->second;
}

Configuration resolve_configuration(const std::vector<ConfigurationLayer>& layers) {
  Configuration result;
  std::string preset = result.preset, space = result.search.space;
  for (const ConfigurationLayer& layer : layers) {
    if (const auto named = layer.values.find("preset"); named != layer.values.end()) preset = named->second;
    if (const auto named = layer.values.find("space"); named != layer.values.end()) space = named->second;
  }
  assign_options(result, space_values(space), "space " + space);
  assign_options(result, preset_values(preset), "preset " + preset);
  for (const ConfigurationLayer& layer : layers) {
    if (const auto named = layer.values.find("train-recipe"); named != layer.values.end())
      assign_options(result, recipe_values(named->second), "recipe " + named->second);
    const std::vector<std::string> unknown = assign_options(result, layer.values, layer.source);
    if (!unknown.empty()) {
      fail_usage("{}: unknown option `{}`; `ptnas run --help` lists the options", layer.source,
                 unknown.front());
    }
  }
  check_ranges(result);
  check_rates(result);
  check_contradictions(result);
  return result;
}

std::vector<std::string> option_names(unsigned parts) {
  Configuration configuration;
  OptionCollector collector;
  configuration.declare_parts(collector, parts);
  std::vector<std::string> names;
  for (const NamedValue& value : collector.values) names.push_back(value.name);
  return names;
}

}  // namespace ptnas
