#include "ptnas/train/retrain.h"

#include <chrono>
#include <optional>

#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/train/evaluation.h"
#include "ptnas/train/model.h"
#include "ptnas/train/optimizer.h"
#include "ptnas/train/stage.h"

namespace ptnas {

namespace {

constexpr const char* kBestModel = "model.best.safetensors";
constexpr double kMostWaiting = 0.05;  // share of an epoch that is not worth a word

NetworkShape shape_for(const Dataset& dataset, const TrainOptions& options) {
  const DatasetInfo& info = dataset.info();
  return {static_cast<int>(options.channels),
          static_cast<int>(options.cells),
          static_cast<int>(info.classes.size()),
          info.channels,
          info.height,
          info.width,
          stem_from_name(options.stem)};
}

// ImageNet's mobile setting allows 600 million (Liu et al., 2019, Section 3.3).
void check_multiply_adds(const Genotype& genotype, const NetworkShape& shape, const TrainOptions& options) {
  const double millions = static_cast<double>(count_network(genotype, shape).multiply_adds) / 1e6;
  if (options.most_multiply_adds <= 0 || millions < options.most_multiply_adds) return;
  fail_usage(
      "expected a network of fewer than {} million multiply-adds on images of {}x{}, this one has {:.1f}; "
      "give fewer "
      "--train-channels, or --train-most-multiply-adds 0 for no limit",
      options.most_multiply_adds, shape.height, shape.width, millions);
}

Json evaluation_json(const Evaluation& evaluation, const NetworkCost& cost, const Dataset& dataset) {
  Json json = versioned("ptnas-evaluation", 1);
  json["part"] = "test";
  json["images"] = evaluation.images;
  json["loss"] = evaluation.loss;
  json["top1"] = evaluation.top1();
  json["top5"] = evaluation.top5();
  json["per_class"] = Json::array();
  for (std::size_t c = 0; c < evaluation.confusion.size(); ++c) {
    std::int64_t images = 0;
    for (const std::int64_t count : evaluation.confusion[c]) images += count;
    Json row = Json::object();
    row["class"] = dataset.info().classes[c];
    row["images"] = images;
    row["accuracy"] =
        images > 0 ? Json(static_cast<double>(evaluation.confusion[c][c]) / static_cast<double>(images))
                   : Json(nullptr);
    json["per_class"].push_back(std::move(row));
  }
  json["confusion"] = evaluation.confusion;
  json["milliseconds_per_image"] =
      1000 * evaluation.seconds / static_cast<double>(std::max<std::int64_t>(evaluation.images, 1));
  json["parameters"] = cost.parameters;
  json["multiply_adds"] = cost.multiply_adds;
  return json;
}

Trainee derived_trainee(const Dataset& dataset, const Genotype& genotype, const TrainOptions& options,
                        const RuntimeOptions& runtime) {
  const NetworkShape shape = shape_for(dataset, options);
  check_multiply_adds(genotype, shape, options);
  const auto network =
      std::make_shared<DerivedNetwork>(genotype, shape, options.auxiliary_weight > 0, engine_of(runtime));
  return {network, count_network(genotype, shape), [network, &dataset](const std::filesystem::path& path) {
            save_model(path, *network, dataset.info());
          }};
}

// One retraining in progress.
class Retraining {
 public:
  Retraining(RunDirectory& run, const Dataset& dataset, const Trainee& trainee, const DataOptions& data,
             const TrainOptions& options, const RuntimeOptions& runtime)
      : run_(run),
        dataset_(dataset),
        options_(options),
        runtime_(runtime),
        loader_threads_(static_cast<int>(data.loader_threads)),
        device_(runtime.device),
        format_(memory_format_of(runtime.memory_format)),
        trainee_(trainee),
        network_(prepared(*trainee.network)),
        sgd_(network_->parameters(), options.momentum, options.weight_decay, options.nesterov),
        checkpoints_(run, RunDirectory::kTrainCheckpoint, "retraining", runtime) {
    train_ = training_indices(dataset, data.limit);
    const double portion = options.validation_portion;
    const auto held = static_cast<std::ptrdiff_t>(portion * static_cast<double>(train_.size()));
    held_out_.assign(train_.end() - held, train_.end());
    train_.resize(train_.size() - held_out_.size());
    if (portion > 0 && held_out_.empty()) {
      fail_usage("--train-validation-portion {} of {} images holds out none; give a larger share", portion,
                 train_.size());
    }
  }

  void run() {
    State state;
    if (checkpoints_.load(state)) {
      put(state);
    } else {
      save();
    }
    while (progress_.epoch < options_.epochs) run_epoch();
    finish();
  }

 private:
  Classifier* prepared(Classifier& network) const {
    initialise(network, static_cast<std::uint64_t>(runtime_.seed));
    network.to(device_);
    put_in_format(network, format_);
    return &network;
  }

  void take(State& state) const {
    take_module(state, "network.", *network_);
    sgd_.take(state, "sgd.");
    state.values["progress"] = to_json(progress_);
    state.values["best"] = best_;
  }
  void put(const State& state) {
    put_module(state, "network.", *network_);
    sgd_.put(state, "sgd.");
    progress_ = progress_from_json(state.values.at("progress"));
    best_ = state.values.at("best");
  }
  void save() {
    checkpoints_.save([this](State& state) { take(state); });
  }

  torch::Tensor smoothed_loss(const torch::Tensor& logits, const torch::Tensor& labels) const {
    constexpr std::int64_t kIgnoreNone = -100;  // no label is negative
    return torch::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, kIgnoreNone,
                                     options_.label_smoothing);
  }

  double rate_of(std::int64_t epoch) const {
    return options_.schedule == "cosine"
               ? cosine_rate(options_.learning_rate, options_.learning_rate_end, epoch, options_.epochs)
               : exponential_rate(options_.learning_rate, options_.learning_rate_decay, epoch);
  }

  void step(const Batch& batch, double rate, double drop_path, std::uint64_t number) {
    const auto check = [&](double value, const char* what) {
      check_finite(value, "retraining", progress_.epoch, progress_.step, rate, what);
    };
    sgd_.zero_gradients();
    const torch::Tensor labels = batch.labels.to(device_);
    const auto output = network_->forward(batch.images.to(device_), drop_path,
                                          {static_cast<std::uint64_t>(runtime_.seed), number});
    torch::Tensor loss = smoothed_loss(output.logits, labels);
    const double main_loss = loss.item<double>();
    if (output.auxiliary.defined())
      loss = loss + options_.auxiliary_weight * smoothed_loss(output.auxiliary, labels);
    check(loss.item<double>(), "loss");
    loss.backward();
    check(sgd_.step(rate, options_.clip), "gradient's norm");
    progress_.add(main_loss, count_correct(output.logits, labels), labels.size(0));
  }

  void run_epoch() {
    const auto started = std::chrono::steady_clock::now();
    const std::int64_t epoch = progress_.epoch, before = progress_.images;
    const std::int64_t batches = batch_count(static_cast<std::int64_t>(train_.size()), options_.batch);
    network_->train();
    const double rate = rate_of(epoch);
    const double drop_path =
        options_.drop_path * static_cast<double>(epoch) / static_cast<double>(options_.epochs);
    const Augmentation augmentation{options_.crop_and_flip, static_cast<int>(options_.cutout)};
    BatchStream stream(
        dataset_,
        shuffled_pass(train_, options_.batch, augmentation, static_cast<std::uint64_t>(runtime_.seed),
                      static_cast<std::uint64_t>(epoch)),
        progress_.step, batches, format_, loader_threads_);
    Progress bar(fmt::format("train epoch {}/{}", epoch + 1, options_.epochs), batches);
    double waited = 0;
    while (progress_.step < batches) {
      const auto asked = std::chrono::steady_clock::now();
      const Batch batch = *stream.next();
      waited += seconds_since(asked);
      step(batch, rate, drop_path, static_cast<std::uint64_t>(epoch * batches + progress_.step));
      bar.update(progress_.step, progress_.loss(), progress_.accuracy(), progress_.images - before);
      checkpoints_.after_step([this](State& state) { take(state); });
    }
    const double seconds = seconds_since(started);
    if (waited > kMostWaiting * seconds) {
      log_info("the network waited {:.0f} % of the time for images; more --loader-threads may help",
               100 * waited / seconds);
    }
    end_epoch(rate, drop_path, seconds);
  }

  static double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  void end_epoch(double rate, double drop_path, double seconds) {
    const bool last = progress_.epoch + 1 == options_.epochs;
    std::optional<Evaluation> validation, test;
    if (!held_out_.empty()) validation = evaluate_on(Part::kTrain, held_out_);
    const bool best = validation && is_best(*validation);
    if (last || best || (progress_.epoch + 1) % options_.evaluate_every == 0) test = evaluate_test();
    // From here on nothing is interrupted before the checkpoint stands.
    if (best) keep_best(*validation, *test);
    if (last) evaluation_ = evaluation_json(*test, trainee_.cost, dataset_);
    Json line = Json::object();
    line["phase"] = "train";
    line["epoch"] = progress_.epoch;
    line["train_loss"] = progress_.loss();
    line["train_accuracy"] = progress_.accuracy();
    line["valid_loss"] = validation ? Json(validation->loss) : Json(nullptr);
    line["valid_accuracy"] = validation ? Json(validation->top1()) : Json(nullptr);
    line["test_loss"] = test ? Json(test->loss) : Json(nullptr);
    line["test_accuracy"] = test ? Json(test->top1()) : Json(nullptr);
    line["test_top5"] = test ? Json(test->top5()) : Json(nullptr);
    line["learning_rate"] = rate;
    line["drop_path"] = drop_path;
    line["seconds"] = seconds;
    run_.append_metrics(line);
    log_info("train epoch {}/{}: loss {:.3f}, accuracy {:.1f} %{}{}, {}", progress_.epoch + 1,
             options_.epochs, progress_.loss(), 100 * progress_.accuracy(),
             accuracy_text("validation", validation), accuracy_text("test", test), format_duration(seconds));
    progress_ = EpochProgress{progress_.epoch + 1, 0, 0, 0, 0};
    save();
  }

  static std::string accuracy_text(const char* part, const std::optional<Evaluation>& evaluation) {
    return evaluation ? fmt::format(", {} accuracy {:.1f} %", part, 100 * evaluation->top1()) : "";
  }

  // The epoch with the best accuracy on the held-out portion, the first of equals; its network is kept beside
  // the last one.
  bool is_best(const Evaluation& validation) const {
    return best_.is_null() || validation.top1() > best_.at("valid_accuracy").get<double>();
  }
  void keep_best(const Evaluation& validation, const Evaluation& test) {
    best_ = Json::object();
    best_["epoch"] = progress_.epoch;
    best_["chosen_on"] = "validation";
    best_["valid_accuracy"] = validation.top1();
    best_["top1"] = test.top1();
    trainee_.save(run_.file(kBestModel));
  }

  // An evaluation that is interrupted is made again, whole.
  Evaluation evaluate_on(Part part, const std::vector<std::int64_t>& indices) {
    network_->eval();
    return evaluate(
        dataset_, ordered_pass(part, indices, kEvaluationBatch),
        batch_count(static_cast<std::int64_t>(indices.size()), kEvaluationBatch),
        [this](const torch::Tensor& images, std::int64_t batch) {
          checkpoints_.after_step([this](State& state) { take(state); });
          return evaluation_logits(*network_, images, runtime_.seed, batch);
        },
        format_, device_, loader_threads_);
  }
  Evaluation evaluate_test() { return evaluate_on(Part::kTest, all_indices(dataset_, Part::kTest)); }

  void finish() {
    if (evaluation_.is_null())  // resumed after the last epoch's checkpoint
      evaluation_ = evaluation_json(evaluate_test(), trainee_.cost, dataset_);
    evaluation_["epoch"] = options_.epochs - 1;
    if (!best_.is_null()) evaluation_["best"] = best_;
    trainee_.save(run_.file(RunDirectory::kModel));
    write_json(run_.file(RunDirectory::kEvaluation), evaluation_);
    run_.set_finished("train");
  }

  RunDirectory& run_;
  const Dataset& dataset_;
  TrainOptions options_;
  RuntimeOptions runtime_;
  int loader_threads_;
  torch::Device device_;
  torch::MemoryFormat format_;
  std::vector<std::int64_t> train_, held_out_;
  Trainee trainee_;
  Classifier* network_;  // the trainee's
  Sgd sgd_;
  StageCheckpoints checkpoints_;
  EpochProgress progress_;
  Json best_, evaluation_;
};

}  // namespace

void retrain(RunDirectory& run, const Dataset& dataset, const Trainee& trainee, const DataOptions& data,
             const TrainOptions& options, const RuntimeOptions& runtime) {
  if (run.finished("train")) {
    log_info("retraining: finished already");
    return;
  }
  Retraining(run, dataset, trainee, data, options, runtime).run();
}

void retrain(RunDirectory& run, const Dataset& dataset, const Genotype& genotype, const DataOptions& data,
             const TrainOptions& options, const RuntimeOptions& runtime) {
  retrain(run, dataset, derived_trainee(dataset, genotype, options, runtime), data, options, runtime);
}

Json evaluate_run(const RunDirectory& run, const Dataset& dataset, const RuntimeOptions& runtime,
                  std::int64_t batch, int loader_threads) {
  const Model model = load_model(trained_model_file(run), dataset.info(), engine_of(runtime));
  const torch::Device device(runtime.device);
  const torch::MemoryFormat format = memory_format_of(runtime.memory_format);
  model.network->to(device);
  put_in_format(*model.network, format);
  model.network->eval();
  const std::vector<std::int64_t> indices = all_indices(dataset, Part::kTest);
  const Evaluation evaluation = evaluate(
      dataset, ordered_pass(Part::kTest, indices, batch),
      batch_count(static_cast<std::int64_t>(indices.size()), batch),
      [&](const torch::Tensor& images, std::int64_t number) {
        return evaluation_logits(*model.network, normalise_for(model, images, dataset.info()), runtime.seed,
                                 number);
      },
      format, device, loader_threads);
  return evaluation_json(evaluation, count_network(model.network->genotype(), model.network->shape()),
                         dataset);
}

}  // namespace ptnas
