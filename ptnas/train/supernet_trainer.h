#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/network/supernet.h"
#include "ptnas/train/evaluation.h"
#include "ptnas/train/optimizer.h"
#include "ptnas/train/search_method.h"
#include "ptnas/train/search_options.h"
#include "ptnas/train/stage.h"

namespace ptnas {

/// How images are augmented in the search, in tuning and in scoring as the released program does: FACTS,
/// Supernet training; cutout is off.
constexpr Augmentation kSearchAugmentation{.crop_and_flip = true, .cutout = 0};

/// While it lives, passes leave the weights out of their graph.
class FixedWeights {
 public:
  explicit FixedWeights(const std::vector<torch::Tensor>& parameters);
  ~FixedWeights();
  FixedWeights(const FixedWeights&) = delete;
  FixedWeights& operator=(const FixedWeights&) = delete;

 private:
  std::vector<torch::Tensor> parameters_;
};

/// The halves of the search's images, by what a pass over them is for. Passes over the same half within one
/// iteration draw the same noise.
enum class Half { kTraining, kValidation };

/// A supernet in training: network, alpha, their optimisers, and the steps a search method is made of. Search
/// and selection's tuning share it. All its random choices are functions of the seed and of the step or
/// epoch. Not thread-safe.
class SupernetTrainer {
 public:
  /// Initial weights and alpha by seed; alpha's deviation by the method. Throws Error as make_space() and
  /// search_halves() do.
  SupernetTrainer(const Dataset& dataset, const DataOptions& data, const SearchOptions& options,
                  const RuntimeOptions& runtime);

  Supernet& network() { return *network_; }
  Architecture& architecture() { return architecture_; }
  const Architecture& architecture() const { return architecture_; }
  const SearchHalves& halves() const { return halves_; }
  const Dataset& dataset() const { return dataset_; }
  const SearchOptions& options() const { return options_; }
  torch::MemoryFormat format() const { return format_; }
  torch::Device device() const { return device_; }
  int loader_threads() const { return loader_threads_; }
  std::uint64_t seed() const { return seed_; }
  std::int64_t steps() const { return steps_; }  ///< iterations since the search began
  /// Of the run_epoch() under way; tuning's number on from the search's.
  std::int64_t epoch() const { return epoch_; }
  double rate() const { return rate_; }                                         ///< SGD's in that epoch
  const std::vector<torch::Tensor>& parameters() const { return parameters_; }  ///< the weights
  const Sgd& sgd() const { return sgd_; }

  /// What the search method keeps over steps, under keys of its own; part of the state.
  Json& method_state() { return method_state_; }
  const Json& method_state() const { return method_state_; }

  /// Adam on alpha, by the gradient of the loss on `batch`; the weights get none. Updates running statistics.
  /// Throws Error where the loss is not finite, before alpha moves; weight_step() alike.
  void alpha_step(const Batch& batch);
  /// SGD on the weights at the epoch's rate, by the gradient of the loss on `batch`; alpha gets none.
  StepResult weight_step(const Batch& batch) { return weight_step(batch, architecture_.weights(false)); }
  /// The same under other weights of the operations than alpha's.
  StepResult weight_step(const Batch& batch, const ArchitectureWeights& weights);

  // What the steps of other methods are made of.

  /// The loss on `batch`, which is of that half, in the network's present mode; differentiable in what
  /// requires gradients.
  torch::Tensor loss(const Batch& batch, const ArchitectureWeights& weights, Half half);
  /// Throws Error where a loss on that half is not finite: says where and what to try.
  void require_finite(const torch::Tensor& loss, Half half) const;
  /// Adam on alpha by these gradients (undefined: alpha of that type stays, or is none).
  void update_alpha(const torch::Tensor& normal, const torch::Tensor& reduction);

  /// Goes through one epoch from `progress` on, iteration by iteration; `after_step` may save and may throw.
  /// `stage` names it in messages, `label` in the progress bar.
  void run_epoch(const SearchMethod& method, double rate, EpochProgress& progress, const std::string& stage,
                 const std::string& label, const std::function<void()>& after_step);

  /// Loss and accuracy on the validation half: not augmented, running statistics, decisions in force.
  /// `before_batch` may throw: nothing has changed then.
  Evaluation evaluate_validation(const std::function<void()>& before_batch = {});

  /// Begins tuning: fresh momentum buffers (a new SGD); alpha's Adam goes on with its state.
  void renew_sgd();

  /// Softmax weights by edge and candidate for metrics lines.
  Json alpha_json() const;

  /// The metrics line of an epoch that is done (docs/formats.md), "seconds" last and still to be set:
  /// evaluates the validation half.
  Json epoch_line(const char* phase, std::int64_t epoch, const EpochProgress& progress, double rate,
                  const std::function<void()>& before_batch);

  void take(State& state) const;
  /// Throws Error where the state is another network's or damaged.
  void put(const State& state);

 private:
  struct Pass {
    torch::Tensor logits, labels, loss;
  };
  Pass forward(const Batch& batch, const ArchitectureWeights& weights, Half half);

  const Dataset& dataset_;
  SearchOptions options_;
  SearchHalves halves_;
  std::uint64_t seed_;
  torch::MemoryFormat format_;
  torch::Device device_;
  int loader_threads_;
  std::shared_ptr<Supernet> network_;
  Architecture architecture_;
  std::vector<torch::Tensor> parameters_;
  Sgd sgd_;
  Adam adam_;
  double rate_ = 0;
  std::int64_t steps_ = 0;
  std::string stage_ = "training";            ///< for messages, with the epoch
  std::int64_t epoch_ = 0, epoch_start_ = 0;  ///< and the epoch's first step
  Json method_state_ = Json::object();
};

/// Steps of forward passes that are no training steps, for noise: scoring events and evaluations have ranges
/// of their own.
std::uint64_t scoring_step(std::int64_t event, std::int64_t batch);
std::uint64_t evaluation_step(std::int64_t steps, std::int64_t batch);

/// supernet.safetensors: what a selection starts from. Throw Error.
void save_supernet(const std::filesystem::path& path, const SupernetTrainer& trainer);
void load_supernet(const std::filesystem::path& path, SupernetTrainer& trainer);

/// The matrix with null where an edge has fewer candidates than the widest.
Json weights_json(const WeightMatrix& weights);

}  // namespace ptnas
