#include "ptnas/analysis/bench.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "ptnas/core/error.h"
#include "ptnas/network/caching_allocator.h"
#include "ptnas/network/derived_network.h"
#include "ptnas/network/engine_check.h"
#include "ptnas/network/profile.h"
#include "ptnas/network/supernet.h"
#include "ptnas/space/count.h"
#include "ptnas/train/memory_format.h"
#include "ptnas/train/optimizer.h"

namespace ptnas {

namespace {

// A published DARTS+PT cell (FACTS, Retraining): what `retrain` trains unless told otherwise.
constexpr const char* kGenotype =
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('dil_conv_3x3', 1), "
    "('skip_connect', 0), ('skip_connect', 2), ('skip_connect', 0), ('max_pool_3x3', 4)], "
    "normal_concat=range(2, 6), reduce=[('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('dil_conv_5x5', 1), "
    "('dil_conv_3x3', 2), ('avg_pool_3x3', 0), ('max_pool_3x3', 2), ('sep_conv_3x3', 2), "
    "('skip_connect', 4)], reduce_concat=range(2, 6))";

constexpr double kRate = 0.025, kMomentum = 0.9, kDecay = 3e-4, kClip = 5;  // FACTS, Supernet training
constexpr double kAlphaRate = 3e-4, kAlphaDecay = 1e-3, kAlphaDeviation = 1e-3;
constexpr double kAuxiliaryWeight = 0.4, kDropPath = 0.2;

// Logits of whole networks are the same sums in another order through some hundred layers. Gradients are
// compared cell by cell on the same input (engine_check.h): where a ReLU's or a pool's decision lies within
// rounding a gradient takes another way, and through many cells such differences grow.
constexpr double kLogitsTolerance = 1e-3, kCellGradientTolerance = 3e-2;

// One engine's work: made once, run many times.
class Work {
 public:
  virtual ~Work() = default;
  virtual void run() = 0;
  // A pass as run() makes it, there and where run() goes back, back; what it changes is undone or frozen.
  virtual torch::Tensor logits() = 0;
  // Floating-point operations of a run().
  virtual double operations() const = 0;
};

torch::Tensor random_images(const BenchOptions& o, std::int64_t seed, torch::MemoryFormat format) {
  torch::manual_seed(static_cast<std::uint64_t>(seed));
  return torch::randn({o.batch, 3, o.image_size, o.image_size}).contiguous(format);
}
torch::Tensor random_labels(const BenchOptions& o) {
  return torch::randint(o.classes, {o.batch}, torch::kLong);
}

class SupernetWork final : public Work {
 public:
  SupernetWork(const BenchOptions& o, Engine engine)
      : options_(o),
        format_(memory_format_of(engine == Engine::kPlain ? o.memory_format : "channels-last")),
        network_(
            std::make_shared<Supernet>(make_space(o.space, 4, false),
                                       SupernetShape{static_cast<int>(o.channels), static_cast<int>(o.cells),
                                                     static_cast<int>(o.classes), 3, engine})),
        architecture_(network_->space(), kAlphaDeviation, static_cast<std::uint64_t>(o.seed)) {
    initialise(*network_, static_cast<std::uint64_t>(o.seed));
    put_in_format(*network_, format_);
    parameters_ = network_->parameters();
    sgd_ = std::make_unique<Sgd>(parameters_, kMomentum, kDecay);
    adam_ = std::make_unique<Adam>(architecture_.alphas(), kAlphaRate, kAlphaDecay);
    images_ = random_images(o, o.seed, format_);
    labels_ = random_labels(o);
  }

  void run() override {
    if (options_.work == "forward") {
      forward_only();
    } else if (is_score()) {
      for_each_scored([this](CellType type, int edge) { score(type, edge); });
    } else {
      if (options_.work == "iteration") alpha_step();
      weight_step();
    }
  }

  torch::Tensor logits() override {
    const FrozenStatistics frozen(*network_);
    if (options_.work == "forward" || is_score()) return forward_only();
    const torch::Tensor logits = network_->forward(images_, architecture_.weights(true), {});
    torch::cross_entropy_loss(logits, labels_).backward();
    sgd_->zero_gradients();
    adam_->zero_gradients();
    return logits.detach();
  }

 private:
  torch::Tensor forward_only() {
    const torch::NoGradGuard no_grad;
    network_->train();
    return network_->forward(images_, architecture_.weights(false), {});
  }
  void weight_step() {
    sgd_->zero_gradients();
    const torch::Tensor loss =
        torch::cross_entropy_loss(network_->forward(images_, architecture_.weights(false), {}), labels_);
    loss.backward();
    sgd_->step(kRate, kClip);
  }
  void alpha_step() {
    for (torch::Tensor& parameter : parameters_) parameter.set_requires_grad(false);
    adam_->zero_gradients();
    const torch::Tensor logits = network_->forward(images_, architecture_.weights(true), {});
    for (torch::Tensor& parameter : parameters_) parameter.set_requires_grad(true);
    torch::cross_entropy_loss(logits, labels_).backward();
    adam_->step();
  }
  bool is_score() const { return options_.work == "score"; }
  // Calls body(cell type, edge) for the edges of `score`.
  template <typename Body>
  void for_each_scored(const Body& body) const {
    for (const CellType type : network_->space().cell_types()) {
      if (options_.cell_type != "both" && options_.cell_type != name_of(type)) continue;
      for (int edge = 0; edge < network_->space().edge_count(); ++edge) {
        if (options_.edge < 0 || options_.edge == edge) body(type, edge);
      }
    }
  }
  std::size_t candidates(CellType type, int edge) const {
    return network_->space().of(type)[static_cast<std::size_t>(edge)].size();
  }
  void score(CellType type, int edge) {
    const torch::NoGradGuard no_grad;
    const FrozenStatistics frozen(*network_);
    std::vector<ArchitectureWeights> weights;
    for (int o = 0; o < static_cast<int>(candidates(type, edge)); ++o)
      weights.push_back(architecture_.weights(false, {{type, edge, o}}));
    network_->forward_many(images_, weights, {});
  }

  double operations() const override {
    const NetworkShape shape{static_cast<int>(options_.channels),   static_cast<int>(options_.cells),
                             static_cast<int>(options_.classes),    3,
                             static_cast<int>(options_.image_size), static_cast<int>(options_.image_size)};
    const double forward = 2 * static_cast<double>(options_.batch) *
                           static_cast<double>(supernet_multiply_adds(network_->space(), shape));
    if (options_.work == "forward") return forward;
    if (options_.work == "step") return 3 * forward;
    if (options_.work == "iteration") return 6 * forward;
    double passes = 0;
    for_each_scored([&](CellType type, int edge) { passes += static_cast<double>(candidates(type, edge)); });
    return passes * forward;
  }

  BenchOptions options_;
  torch::MemoryFormat format_;
  std::shared_ptr<Supernet> network_;
  Architecture architecture_;
  std::vector<torch::Tensor> parameters_;
  std::unique_ptr<Sgd> sgd_;
  std::unique_ptr<Adam> adam_;
  torch::Tensor images_, labels_;
};

class RetrainWork final : public Work {
 public:
  RetrainWork(const BenchOptions& o, Engine engine)
      : RetrainWork(o, read_genotype(o.genotype.empty() ? kGenotype : o.genotype), engine) {}
  RetrainWork(const BenchOptions& o, const Genotype& genotype, Engine engine)
      : format_(memory_format_of(engine == Engine::kPlain ? o.memory_format : "channels-last")),
        network_(genotype,
                 NetworkShape{static_cast<int>(o.channels), static_cast<int>(o.cells),
                              static_cast<int>(o.classes), 3, static_cast<int>(o.image_size),
                              static_cast<int>(o.image_size), stem_from_name(o.stem)},
                 /*auxiliary=*/genotype.family == Family::kDarts, engine) {
    initialise(network_, static_cast<std::uint64_t>(o.seed));
    put_in_format(network_, format_);
    sgd_ = std::make_unique<Sgd>(network_.parameters(), kMomentum, kDecay);
    images_ = random_images(o, o.seed, format_);
    labels_ = random_labels(o);
  }
  void run() override {
    sgd_->zero_gradients();
    loss_of(nullptr).backward();
    sgd_->step(kRate, kClip);
  }
  double operations() const override {
    return 3 * 2 * static_cast<double>(images_.size(0)) *
           static_cast<double>(count_network(network_.genotype(), network_.shape()).multiply_adds);
  }
  torch::Tensor logits() override {
    const FrozenStatistics frozen(network_);
    torch::Tensor logits;
    loss_of(&logits).backward();
    sgd_->zero_gradients();
    return logits;
  }

 private:
  torch::Tensor loss_of(torch::Tensor* logits) {
    const DerivedNetwork::Output output = network_.forward(images_, kDropPath / 2, {});
    if (logits != nullptr) *logits = output.logits.detach();
    torch::Tensor loss = torch::cross_entropy_loss(output.logits, labels_);
    if (!output.auxiliary.defined()) return loss;
    return loss + kAuxiliaryWeight * torch::cross_entropy_loss(output.auxiliary, labels_);
  }

  torch::MemoryFormat format_;
  DerivedNetwork network_;
  std::unique_ptr<Sgd> sgd_;
  torch::Tensor images_, labels_;
};

std::unique_ptr<Work> make_work(const BenchOptions& options, Engine engine) {
  if (options.work == "retrain") return std::make_unique<RetrainWork>(options, engine);
  return std::make_unique<SupernetWork>(options, engine);
}

void require_agreement(double apart, double tolerance, const char* what) {
  if (!(apart <= tolerance))
    fail("the engines disagree on {}: relative difference {:.2g}; nothing was timed", what, apart);
}

void check_agreement(const BenchOptions& options, Work& fused, Work& plain) {
  const torch::Tensor expected = plain.logits();
  require_agreement((fused.logits() - expected).norm().item<double>() / expected.norm().item<double>(),
                    kLogitsTolerance, "the logits");
  reset_engine_differences();
  make_work(options, Engine::kCheck)->logits();
  const EngineDifferences found = engine_differences();
  require_agreement(found.input_gradient.value, kCellGradientTolerance, "a cell's gradient of its inputs");
  require_agreement(found.weight_gradient.value, kCellGradientTolerance, "a cell's gradient of its weights");
  require_agreement(found.alpha_gradient.value, kCellGradientTolerance, "a cell's gradient of alpha");
}

struct Timing {
  std::vector<double> seconds;
  std::size_t peak_bytes = 0;
};

void time_once(Work& work, Timing& timing) {
  reset_peak_bytes();
  const auto start = std::chrono::steady_clock::now();
  work.run();
  timing.peak_bytes = std::max(timing.peak_bytes, peak_bytes());
  timing.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

Json spread(const std::vector<double>& values, const char* suffix) {
  Json json = Json::object();
  json[std::string("median") + suffix] = median(values);
  json[std::string("min") + suffix] = *std::min_element(values.begin(), values.end());
  json[std::string("max") + suffix] = *std::max_element(values.begin(), values.end());
  return json;
}

}  // namespace

const std::vector<std::string>& bench_works() {
  static const std::vector<std::string> works = {"step",    "forward", "iteration", "score",
                                                 "retrain", "kernels", "load"};
  return works;
}

namespace {

// One run of the fused engine with its phases timed, after those that are timed whole.
Json profile_of(Work& work) {
  start_profile();
  const auto start = std::chrono::steady_clock::now();
  work.run();
  const double all =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() * at::get_num_threads();
  Json rows = Json::array();
  double left = all;
  const auto add = [&](int cell, std::string_view phase, double seconds) {
    Json row = Json::object();
    row["cell"] = cell;
    row["phase"] = phase;
    row["seconds"] = seconds;
    row["share"] = seconds / all;
    rows.push_back(std::move(row));
  };
  for (const PhaseTime& time : stop_profile()) {
    add(time.cell, name_of(time.phase), time.seconds);
    left -= time.seconds;
  }
  add(-1, "other", left);
  return rows;
}

}  // namespace

Json run_bench(const BenchOptions& options) {
  std::map<std::string, std::unique_ptr<Work>> works;
  if (options.engine != "plain") works["fused"] = make_work(options, Engine::kFused);
  if (options.engine != "fused") works["plain"] = make_work(options, Engine::kPlain);
  if (works.size() == 2) check_agreement(options, *works["fused"], *works["plain"]);
  std::map<std::string, Timing> timings;
  for (auto& [name, work] : works) work->run();
  for (std::int64_t i = 0; i < options.repeats; ++i) {
    for (auto& [name, work] : works) time_once(*work, timings[name]);
  }
  Json result = Json::object();
  for (const auto& [name, timing] : timings) {
    result[name] = spread(timing.seconds, "_s");
    result[name]["gflops"] = works.at(name)->operations() / median(timing.seconds) / 1e9;
    result[name]["peak_bytes"] = timing.peak_bytes;
  }
  if (works.size() == 2) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < timings["plain"].seconds.size(); ++i) {
      ratios.push_back(timings["plain"].seconds[i] / timings["fused"].seconds[i]);
    }
    result["ratio"] = spread(ratios, "");
  }
  if (options.profile) {
    if (works.count("fused") == 0) fail_usage("a profile is of the fused engine; use --engine fused or both");
    result["profile"] = profile_of(*works["fused"]);
  }
  return result;
}

}  // namespace ptnas
