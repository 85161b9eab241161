// ptnas evaluate: a trained network on the test part.

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/job/session.h"
#include "ptnas/train/evaluation.h"
#include "ptnas/train/retrain.h"

namespace ptnas {

namespace {

void print_evaluation(const Json& evaluation) {
  std::printf("images: %lld\n", static_cast<long long>(evaluation.at("images").get<std::int64_t>()));
  std::printf("top-1 accuracy: %.2f %%\n", 100 * evaluation.at("top1").get<double>());
  std::printf("top-5 accuracy: %.2f %%\n", 100 * evaluation.at("top5").get<double>());
  std::printf("loss: %.4f\n", evaluation.at("loss").get<double>());
  std::printf("milliseconds an image: %.3f\n", evaluation.at("milliseconds_per_image").get<double>());
  std::printf("\n%-24s %8s %10s\n", "class", "images", "accuracy");
  for (const Json& row : evaluation.at("per_class")) {
    const Json& accuracy = row.at("accuracy");
    std::printf("%-24s %8lld %9s%%\n", row.at("class").get<std::string>().c_str(),
                static_cast<long long>(row.at("images").get<std::int64_t>()),
                accuracy.is_null() ? "-" : fmt::format("{:.2f} ", 100 * accuracy.get<double>()).c_str());
  }
  std::printf("\nconfusion (rows: true class, columns: predicted)\n");
  for (const Json& row : evaluation.at("confusion")) {
    for (const Json& count : row) std::printf("%7lld", static_cast<long long>(count.get<std::int64_t>()));
    std::printf("\n");
  }
}

}  // namespace

void add_evaluate_command(CommandBuilder& builder) {
  auto flags = std::make_shared<Flags>();
  auto path = std::make_shared<std::string>();
  auto batch = std::make_shared<std::int64_t>(kEvaluationBatch);
  CLI::App& command =
      builder.add(builder.root(), "evaluate", "Evaluate a run's trained network on the test part", [=] {
        const RunDirectory run = RunDirectory::open_for_reading(*path);
        const Configuration configuration = configuration_of(*path, *flags);
        configure_threads(configuration.runtime);
        const std::unique_ptr<Dataset> dataset = open_dataset(configuration.data);
        const Json evaluation = evaluate_run(run, *dataset, configuration.runtime, *batch,
                                             static_cast<int>(configuration.data.loader_threads));
        if (flags->json) {
          std::printf("%s\n", evaluation.dump(2).c_str());
        } else {
          print_evaluation(evaluation);
        }
      });
  command.add_option("run", *path, "run directory with a trained network")->required();
  command.add_flag("--json", flags->json, "print JSON");
  command.add_option("--batch", *batch, "images a batch")->check(CLI::PositiveNumber)->capture_default_str();
  add_option_flags(command, *flags, kDataPart | kRuntimePart);
}

}  // namespace ptnas
