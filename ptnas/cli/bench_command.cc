// ptnas bench: how long a piece of work takes, the fused engine against the plain one.

#include <algorithm>
#include <cstdio>
#include <map>

#include "ptnas/analysis/bench.h"
#include "ptnas/analysis/bench_kernels.h"
#include "ptnas/analysis/bench_load.h"
#include "ptnas/cli/program.h"
#include "ptnas/job/session.h"

namespace ptnas {

namespace {

// Shares of the threads' time: a row a phase, a column a cell.
void print_profile(const Json& profile) {
  std::map<int, std::map<std::string, double>> cells;
  std::vector<std::string> phases;
  for (const Json& row : profile) {
    const auto phase = row.at("phase").get<std::string>();
    cells[row.at("cell").get<int>()][phase] += row.at("share").get<double>();
    if (std::find(phases.begin(), phases.end(), phase) == phases.end()) phases.push_back(phase);
  }
  std::printf("share of the threads' time, %%\n%-16s", "cell");
  for (const auto& [cell, shares] : cells) {
    if (cell >= 0) std::printf("%6d", cell);
  }
  std::printf("%8s\n", "all");
  for (const std::string& phase : phases) {
    double all = 0;
    std::printf("%-16s", phase.c_str());
    for (auto& [cell, shares] : cells) {
      if (cell >= 0) std::printf("%6.1f", 100 * shares[phase]);
      all += shares[phase];
    }
    std::printf("%8.1f\n", 100 * all);
  }
}

void print_measured(const BenchOptions& options, const Json& result) {
  std::printf("%s, %s, C %lld, %lld cells, batch %lld, %lldx%lld images\n", options.work.c_str(),
              options.space.c_str(), static_cast<long long>(options.channels),
              static_cast<long long>(options.cells), static_cast<long long>(options.batch),
              static_cast<long long>(options.image_size), static_cast<long long>(options.image_size));
  for (const auto& entry : result.items()) {
    const std::string& name = entry.key();
    const Json& figures = entry.value();
    if (name == "profile") continue;
    const bool ratio = name == "ratio";
    const char* suffix = ratio ? "" : "_s";
    const auto figure = [&](const char* key) { return figures.at(std::string(key) + suffix).get<double>(); };
    std::printf("%-12s median %9.4f  min %9.4f  max %9.4f  %s\n", name.c_str(), figure("median"),
                figure("min"), figure("max"), ratio ? "times (plain / fused, pairwise)" : "s");
    if (ratio) continue;
    std::printf("%-12s %.1f GFLOP/s, peak memory %.2f GB\n", "", figures.at("gflops").get<double>(),
                1e-9 * figures.at("peak_bytes").get<double>());
  }
  if (result.contains("profile")) print_profile(result.at("profile"));
}

void print_kernels(const Json& result) {
  std::printf("%s, peak %.1f GFLOP/s a thread\n", result.at("vector_target").get<std::string>().c_str(),
              result.at("peak_gflops").get<double>());
  for (const Json& row : result.at("kernels")) {
    std::printf("%-24s C %3d  %3dx%-3d  %9.1f us  %7.1f GFLOP/s  %5.1f %% of peak\n",
                row.at("name").get<std::string>().c_str(), row.at("channels").get<int>(),
                row.at("size").get<int>(), row.at("size").get<int>(), row.at("microseconds").get<double>(),
                row.at("gflops").get<double>(), 100 * row.at("share_of_peak").get<double>());
  }
}

}  // namespace

namespace {

void run_load(const BenchOptions& options, DataOptions data, bool json) {
  if (data.data.starts_with("imagenet:") || data.data.starts_with("folder:"))
    data.image_size = options.image_size;
  const Json result = bench_load(*open_dataset(data), options.batch, options.repeats,
                                 static_cast<int>(data.loader_threads), options.seed);
  if (json) {
    std::printf("%s\n", result.dump().c_str());
    return;
  }
  std::printf("%lld batches of %lld augmented images of %s, %lld loader threads: %.1f images/s\n",
              static_cast<long long>(options.repeats), static_cast<long long>(options.batch),
              data.data.c_str(), static_cast<long long>(data.loader_threads),
              result.at("images_per_s").get<double>());
}

}  // namespace

void add_bench_command(CommandBuilder& builder) {
  auto options = std::make_shared<BenchOptions>();
  auto runtime = std::make_shared<RuntimeOptions>();
  auto json = std::make_shared<bool>(false);
  auto data = std::make_shared<DataOptions>();
  CLI::App& command =
      builder.add(builder.root(), "bench", "Time the engines against each other, results verified",
                  [options, runtime, json, data] {
                    runtime->engine = options->engine;
                    options->seed = runtime->seed;
                    configure_threads(*runtime);
                    if (options->work == "kernels") {
                      const Json result = bench_kernels();
                      if (*json) std::printf("%s\n", result.dump().c_str());
                      if (!*json) print_kernels(result);
                      return;
                    }
                    if (options->work == "load") {
                      run_load(*options, *data, *json);
                      return;
                    }
                    const Json result = run_bench(*options);
                    if (*json) {
                      std::printf("%s\n", result.dump().c_str());
                    } else {
                      print_measured(*options, result);
                    }
                  });
  command.add_option("work", options->work, "what to time")->required()->check(CLI::IsMember(bench_works()));
  command.add_option("--space", options->space, "search space")->capture_default_str();
  command.add_option("--channels", options->channels, "channels of the first cell")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--cells", options->cells, "cells")->capture_default_str()->check(CLI::PositiveNumber);
  command.add_option("--batch", options->batch, "images a batch")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--image-size", options->image_size, "height and width of an image")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--classes", options->classes, "classes")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--genotype", options->genotype,
                     "of `retrain`: file or text; a published one unless given");
  command.add_option("--data", data->data, "of `load`: data set, NAME[:PATH]")->capture_default_str();
  command.add_option("--loader-threads", data->loader_threads, "of `load`: threads that prepare batches")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--stem", options->stem, "of `retrain`: cifar or imagenet")
      ->capture_default_str()
      ->check(CLI::IsMember({"cifar", "imagenet"}));
  command.add_option("--engine", options->engine, "which to time")
      ->capture_default_str()
      ->check(CLI::IsMember({"fused", "plain", "both"}));
  command.add_option("--memory-format", options->memory_format, "of the plain engine")
      ->capture_default_str()
      ->check(CLI::IsMember({"channels-last", "nchw"}));
  command.add_option("--edge", options->edge, "of a score: one edge of the cell; -1: all in turn")
      ->capture_default_str();
  command.add_option("--cell-type", options->cell_type, "of a score: which cells' edges")
      ->capture_default_str()
      ->check(CLI::IsMember({"normal", "reduction", "both"}));
  command.add_flag("--profile", options->profile, "where the fused engine's time goes, by phase and cell");
  command.add_option("--repeats", options->repeats, "times each is run")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--threads", runtime->threads, "computing threads; 0: all cores")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
  command.add_option("--seed", runtime->seed, "seed of weights and images")->capture_default_str();
  command.add_flag("--json", *json, "one JSON object");
}

}  // namespace ptnas
