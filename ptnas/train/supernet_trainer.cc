#include "ptnas/train/supernet_trainer.h"

#include <torch/utils.h>

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/log.h"

namespace ptnas {

namespace {

constexpr const char* kSupernetFormat = "ptnas-supernet";
constexpr int kSupernetVersion = 1;

SupernetShape shape_for(const Dataset& dataset, const SearchOptions& options, const RuntimeOptions& runtime) {
  return {static_cast<int>(options.channels), static_cast<int>(options.cells),
          static_cast<int>(dataset.info().classes.size()), dataset.info().channels, engine_of(runtime)};
}

Json decisions_json(const Architecture& architecture, CellType type) {
  Json rows = Json::array();
  for (int e = 0; e < architecture.space().edge_count(); ++e) {
    const std::optional<int> decided = architecture.decided(type, e);
    rows.push_back(Json::array({decided ? *decided : -1, architecture.removed(type, e)}));
  }
  return rows;
}

void put_decisions(const Json& rows, Architecture& architecture, CellType type) {
  for (int e = 0; e < architecture.space().edge_count(); ++e) {
    const Json& row = rows.at(static_cast<std::size_t>(e));
    architecture.reopen(type, e);
    if (row.at(0).get<int>() >= 0) architecture.decide(type, e, row.at(0).get<int>());
    if (row.at(1).get<bool>()) architecture.remove(type, e);
  }
}

std::shared_ptr<Supernet> make_network(const SearchSpace& space, const SupernetShape& shape,
                                       std::uint64_t seed, torch::Device device, torch::MemoryFormat format) {
  auto network = std::make_shared<Supernet>(space, shape);
  initialise(*network, seed);
  network->to(device);
  put_in_format(*network, format);
  return network;
}

}  // namespace

std::uint64_t scoring_step(std::int64_t event, std::int64_t batch) {
  return (std::uint64_t{1} << 41) + static_cast<std::uint64_t>(event) * (1 << 20) +
         static_cast<std::uint64_t>(batch);
}

std::uint64_t evaluation_step(std::int64_t steps, std::int64_t batch) {
  return (std::uint64_t{1} << 42) + static_cast<std::uint64_t>(steps) * (1 << 14) +
         static_cast<std::uint64_t>(batch);
}

SupernetTrainer::SupernetTrainer(const Dataset& dataset, const DataOptions& data,
                                 const SearchOptions& options, const RuntimeOptions& runtime)
    : dataset_(dataset),
      options_(options),
      halves_(search_halves(dataset, data)),
      seed_(static_cast<std::uint64_t>(runtime.seed)),
      format_(memory_format_of(runtime.memory_format)),
      device_(runtime.device),
      loader_threads_(static_cast<int>(data.loader_threads)),
      network_(make_network(make_space(options.space, static_cast<int>(options.nodes), options.with_none),
                            shape_for(dataset, options, runtime), seed_, device_, format_)),
      architecture_(network_->space(),
                    options.method == "fixed-alpha" ? options.fixed_alpha_deviation : options.alpha_deviation,
                    seed_, device_),
      parameters_(network_->parameters()),
      sgd_(parameters_, options.momentum, options.weight_decay),
      adam_(architecture_.alphas(), options.alpha_learning_rate, options.alpha_weight_decay) {}

FixedWeights::FixedWeights(const std::vector<torch::Tensor>& parameters) : parameters_(parameters) {
  for (torch::Tensor& parameter : parameters_) parameter.set_requires_grad(false);
}

FixedWeights::~FixedWeights() {
  for (torch::Tensor& parameter : parameters_) parameter.set_requires_grad(true);
}

SupernetTrainer::Pass SupernetTrainer::forward(const Batch& batch, const ArchitectureWeights& weights,
                                               Half half) {
  const ForwardContext context{seed_,
                               2 * static_cast<std::uint64_t>(steps_) + (half == Half::kValidation ? 1 : 0)};
  Pass pass;
  pass.labels = batch.labels.to(device_);
  pass.logits = network_->forward(batch.images.to(device_), weights, context);
  pass.loss = torch::cross_entropy_loss(pass.logits, pass.labels);
  return pass;
}

torch::Tensor SupernetTrainer::loss(const Batch& batch, const ArchitectureWeights& weights, Half half) {
  return forward(batch, weights, half).loss;
}

void SupernetTrainer::require_finite(const torch::Tensor& loss, Half half) const {
  const auto value = loss.item<double>();
  if (half == Half::kTraining) {
    check_finite(value, stage_, epoch_, steps_ - epoch_start_, rate_);
  } else {
    check_finite(value, fmt::format("alpha's part of {}", stage_), epoch_, steps_ - epoch_start_,
                 options_.alpha_learning_rate);
  }
}

void SupernetTrainer::update_alpha(const torch::Tensor& normal, const torch::Tensor& reduction) {
  const torch::Tensor* gradients[] = {&normal, &reduction};
  for (const CellType type : architecture_.space().cell_types())
    architecture_.alpha(type).mutable_grad() = *gradients[static_cast<std::size_t>(type)];
  adam_.step();
}

void SupernetTrainer::alpha_step(const Batch& batch) {
  network_->train();
  const FixedWeights fixed(parameters_);
  adam_.zero_gradients();
  const torch::Tensor loss =
      this->loss(batch, architecture_.weights(/*with_gradient=*/true), Half::kValidation);
  require_finite(loss, Half::kValidation);
  loss.backward();
  adam_.step();
}

StepResult SupernetTrainer::weight_step(const Batch& batch, const ArchitectureWeights& weights) {
  network_->train();
  sgd_.zero_gradients();
  const Pass pass = forward(batch, weights, Half::kTraining);
  require_finite(pass.loss, Half::kTraining);
  pass.loss.backward();
  check_finite(sgd_.step(rate_, options_.clip), stage_, epoch_, steps_ - epoch_start_, rate_,
               "gradient's norm");
  return {pass.loss.item<double>(), count_correct(pass.logits, pass.labels), pass.labels.size(0)};
}

void SupernetTrainer::run_epoch(const SearchMethod& method, double rate, EpochProgress& progress,
                                const std::string& stage, const std::string& label,
                                const std::function<void()>& after_step) {
  rate_ = rate;
  stage_ = stage;
  epoch_ = progress.epoch;
  const auto images = static_cast<std::int64_t>(halves_.train.size());
  const std::int64_t size = method.batch(*this, options_.batch), batches = batch_count(images, size);
  const auto epoch = static_cast<std::uint64_t>(progress.epoch);
  const bool draws = options_.train_batches == "draws";
  epoch_start_ = steps_ - progress.step;
  const auto first = static_cast<std::uint64_t>(epoch_start_);
  BatchStream train(
      dataset_,
      draws ? fresh_shuffles(halves_.train, size, kSearchAugmentation, seed_, Purpose::kTrainOrder, first)
            : shuffled_pass(halves_.train, size, kSearchAugmentation, seed_, epoch),
      progress.step, batches, format_, loader_threads_);
  std::optional<BatchStream> validation;
  if (method.trains_alpha()) {
    validation.emplace(dataset_,
                       fresh_shuffles(halves_.validation, size, kSearchAugmentation, seed_,
                                      Purpose::kValidationOrder, first),
                       progress.step, batches, format_, loader_threads_);
  }
  Progress bar(label, batches);
  const std::int64_t images_before = progress.images;
  while (progress.step < batches) {
    const StepResult result = method.step(*this, *train.next(), validation ? *validation->next() : Batch{});
    progress.add(result.loss, result.correct, result.images);
    ++steps_;
    bar.update(progress.step, progress.loss(), progress.accuracy(), progress.images - images_before);
    after_step();
  }
}

Evaluation SupernetTrainer::evaluate_validation(const std::function<void()>& before_batch) {
  network_->eval();
  const ArchitectureWeights weights = architecture_.weights(/*with_gradient=*/false);
  const auto images = static_cast<std::int64_t>(halves_.validation.size());
  return evaluate(
      dataset_, ordered_pass(Part::kTrain, halves_.validation, kEvaluationBatch),
      batch_count(images, kEvaluationBatch),
      [&](const torch::Tensor& batch, std::int64_t number) {
        if (before_batch) before_batch();
        return network_->forward(batch, weights, {seed_, evaluation_step(steps_, number)});
      },
      format_, device_, loader_threads_);
}

void SupernetTrainer::renew_sgd() { sgd_ = Sgd(parameters_, options_.momentum, options_.weight_decay); }

Json weights_json(const WeightMatrix& weights) {
  std::size_t columns = 0;
  for (const auto& row : weights) columns = std::max(columns, row.size());
  Json matrix = Json::array();
  for (const auto& row : weights) {
    Json values = Json::array();
    for (std::size_t o = 0; o < columns; ++o) values.push_back(o < row.size() ? Json(row[o]) : Json(nullptr));
    matrix.push_back(std::move(values));
  }
  return matrix;
}

Json SupernetTrainer::alpha_json() const {
  Json json = Json::object();
  for (const CellType type : architecture_.space().cell_types())
    json[std::string(name_of(type))] = weights_json(architecture_.softmax(type));
  return json;
}

Json SupernetTrainer::epoch_line(const char* phase, std::int64_t epoch, const EpochProgress& progress,
                                 double rate, const std::function<void()>& before_batch) {
  const Evaluation validation = evaluate_validation(before_batch);
  Json line = Json::object();
  line["phase"] = phase;
  line["epoch"] = epoch;
  line["step"] = steps_;
  line["train_loss"] = progress.loss();
  line["train_accuracy"] = progress.accuracy();
  line["valid_loss"] = validation.loss;
  line["valid_accuracy"] = validation.top1();
  line["learning_rate"] = rate;
  line["alpha"] = alpha_json();
  line["seconds"] = nullptr;
  return line;
}

void SupernetTrainer::take(State& state) const {
  take_module(state, "network.", *network_);
  sgd_.take(state, "sgd.");
  adam_.take(state, "adam.");
  for (const CellType type : architecture_.space().cell_types()) {
    const std::string name(name_of(type));
    state.tensors["alpha." + name] = architecture_.alpha(type);
    state.values["decisions"][name] = decisions_json(architecture_, type);
  }
  state.values["steps"] = steps_;
  if (!method_state_.empty()) state.values["method"] = method_state_;
}

void SupernetTrainer::put(const State& state) {
  put_module(state, "network.", *network_);
  sgd_.put(state, "sgd.");
  const torch::NoGradGuard no_grad;
  for (const CellType type : architecture_.space().cell_types()) {
    const auto found = state.tensors.find("alpha." + std::string(name_of(type)));
    if (found == state.tensors.end() || found->second.sizes() != architecture_.alpha(type).sizes()) {
      fail("the file has no alpha of this space's {} cell; it belongs to another space", name_of(type));
    }
    architecture_.alpha(type).copy_(found->second);
  }
  try {
    adam_.put(state, "adam.");
    for (const CellType type : architecture_.space().cell_types())
      put_decisions(state.values.at("decisions").at(std::string(name_of(type))), architecture_, type);
    steps_ = state.values.at("steps").get<std::int64_t>();
    method_state_ = state.values.value("method", Json::object());
  } catch (const nlohmann::json::exception& error) {
    fail("the file does not say what its supernet has decided and where it stands ({}); it is damaged",
         error.what());
  }
}

void save_supernet(const std::filesystem::path& path, const SupernetTrainer& trainer) {
  State state;
  trainer.take(state);
  save_state(path, state, kSupernetFormat, kSupernetVersion);
}

void load_supernet(const std::filesystem::path& path, SupernetTrainer& trainer) {
  trainer.put(load_state(path, kSupernetFormat, kSupernetVersion));
}

}  // namespace ptnas
