// ptnas predict: the classes that a trained network sees in images.

#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "ptnas/cli/program.h"
#include "ptnas/core/error.h"
#include "ptnas/core/log.h"
#include "ptnas/data/sources.h"
#include "ptnas/job/prediction.h"

namespace ptnas {

namespace {

struct PredictArguments {
  std::string model;
  std::vector<std::string> images, classes;
  std::int64_t top = 5, batch = 64, loader_threads = 0;
  bool skip_bad = false, csv = false;
  Flags flags;
};

// What is printed of one image.
struct Answer {
  std::string image;
  std::vector<std::pair<std::string, float>> classes;  ///< name and probability
};

std::vector<std::filesystem::path> listed_images(const std::vector<std::string>& arguments) {
  std::vector<std::filesystem::path> files;
  const auto add = [&files](const std::string& path) {
    const std::vector<std::filesystem::path> found = find_images(path);
    files.insert(files.end(), found.begin(), found.end());
  };
  for (const std::string& argument : arguments) {
    if (argument != "-") {
      add(argument);
      continue;
    }
    for (std::string line; std::getline(std::cin, line);)
      if (!line.empty()) add(line);
  }
  if (files.empty()) fail("there are no images: standard input lists none; expected one path a line");
  return files;
}

// The numbers of the classes that were asked for by name.
std::vector<std::int64_t> chosen_classes(const std::vector<std::string>& names,
                                         const std::vector<std::string>& all) {
  std::vector<std::int64_t> numbers;
  for (const std::string& name : names) {
    const auto found = std::find(all.begin(), all.end(), name);
    if (found == all.end())
      fail_usage("--class {} is none of the network's {} classes: {}{}", name, all.size(),
                 fmt::join(all.begin(), all.begin() + std::min<std::ptrdiff_t>(10, std::ssize(all)), ", "),
                 all.size() > 10 ? ", .." : "");
    numbers.push_back(found - all.begin());
  }
  return numbers;
}

// The `top` most probable classes of each image that could be read, or those chosen, in that order.
std::vector<Answer> answers_of(const torch::Tensor& probabilities, const ImageFiles& images,
                               const std::vector<std::int64_t>& chosen, std::int64_t top) {
  const std::vector<std::string>& classes = images.info().classes;
  const auto count = std::min<std::int64_t>(top, std::ssize(classes));
  std::vector<Answer> answers;
  for (std::int64_t i = 0; i < probabilities.size(0); ++i) {
    if (!images.fault(i).empty()) continue;
    const torch::Tensor row = probabilities[i].contiguous();
    std::vector<std::int64_t> numbers = chosen;
    if (numbers.empty()) {
      const torch::Tensor best = std::get<1>(row.topk(count)).contiguous();
      numbers.assign(best.data_ptr<std::int64_t>(), best.data_ptr<std::int64_t>() + count);
    }
    Answer answer{images.files()[static_cast<std::size_t>(i)].string(), {}};
    for (const std::int64_t number : numbers)
      answer.classes.emplace_back(classes[static_cast<std::size_t>(number)], row.data_ptr<float>()[number]);
    answers.push_back(std::move(answer));
  }
  return answers;
}

// For a terminal: control characters would steer it.
std::string printable(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 32 || byte == 127 ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return result;
}

void print_table(const std::vector<Answer>& answers) {
  std::size_t width = 5, name_width = 5;
  for (const Answer& answer : answers) {
    width = std::max(width, printable(answer.image).size());
    for (const auto& [name, probability] : answer.classes)
      name_width = std::max(name_width, printable(name).size());
  }
  fmt::print("{:{}}  {:{}}  probability\n", "image", width, "class", name_width);
  for (const Answer& answer : answers) {
    std::string image = printable(answer.image);
    for (const auto& [name, probability] : answer.classes) {
      fmt::print("{:{}}  {:{}}  {:9.2f} %\n", image, width, printable(name), name_width, 100 * probability);
      image.clear();
    }
  }
}

// RFC 4180.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

void print_csv(const std::vector<Answer>& answers) {
  fmt::print("image,rank,class,probability\n");
  for (const Answer& answer : answers) {
    int rank = 0;
    for (const auto& [name, probability] : answer.classes)
      fmt::print("{},{},{},{:.6g}\n", csv_field(answer.image), ++rank, csv_field(name), probability);
  }
}

void print_json(const std::vector<Answer>& answers, const PredictArguments& arguments) {
  Json json = versioned("ptnas-predictions", 1);
  json["model"] = valid_utf8(arguments.model);
  json["images"] = Json::array();
  for (const Answer& answer : answers) {
    Json row = Json::object();
    row["image"] = valid_utf8(answer.image);
    row["predictions"] = Json::array();
    for (const auto& [name, probability] : answer.classes)
      row["predictions"].push_back({{"class", name}, {"probability", probability}});
    json["images"].push_back(std::move(row));
  }
  fmt::print("{}\n", json.dump(2));
}

void run_predict(const PredictArguments& arguments) {
  if (arguments.flags.json && arguments.csv)
    fail_usage("--json and --csv exclude each other; give one of them");
  const RuntimeOptions runtime = resolve_configuration({{"command line", arguments.flags.values}}).runtime;
  configure_threads(runtime);
  const std::unique_ptr<Predictor> predictor = open_predictor(arguments.model, runtime);
  const std::vector<std::int64_t> chosen = chosen_classes(arguments.classes, predictor->info().classes);
  const ImageFiles images(predictor->info(), listed_images(arguments.images), arguments.skip_bad);
  const int threads =
      arguments.loader_threads > 0 ? static_cast<int>(arguments.loader_threads) : available_cores();
  const auto start = std::chrono::steady_clock::now();
  const torch::Tensor probabilities = predict(*predictor, images, arguments.batch, threads, runtime);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::vector<Answer> answers = answers_of(probabilities, images, chosen, arguments.top);
  for (std::int64_t i = 0; i < probabilities.size(0); ++i)
    if (!images.fault(i).empty()) log_warning("left out: " + images.fault(i));
  if (answers.empty()) fail("none of the {} images could be read", probabilities.size(0));
  log_info("{} images in {} ({:.0f} images/s)", probabilities.size(0), format_duration(seconds),
           static_cast<double>(probabilities.size(0)) / seconds);
  if (arguments.flags.json) return print_json(answers, arguments);
  if (arguments.csv) return print_csv(answers);
  print_table(answers);
}

}  // namespace

void add_predict_command(CommandBuilder& builder) {
  auto arguments = std::make_shared<PredictArguments>();
  CLI::App& command =
      builder.add(builder.root(), "predict", "Name the classes that a trained network sees in images",
                  [arguments] { run_predict(*arguments); });
  command
      .add_option(
          "model", arguments->model,
          "run directory with a trained network, its model.safetensors, or a file that ptnas export wrote")
      ->type_name("RUN|MODEL")
      ->required();
  command
      .add_option(
          "images", arguments->images,
          "PNG or JPEG files, directories of them, or - for a list on standard input, one path a line")
      ->type_name("IMAGE")
      ->required();
  command.add_option("--top", arguments->top, "print the N most probable classes of each image")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--class", arguments->classes, "print this class instead; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command.add_flag("--json", arguments->flags.json, "print JSON");
  command.add_flag("--csv", arguments->csv, "print CSV: image,rank,class,probability");
  command.add_flag("--skip-bad-images", arguments->skip_bad,
                   "leave out images that cannot be read instead of stopping");
  command.add_option("--batch", arguments->batch, "images a batch, at most")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{65536}))
      ->capture_default_str();
  command
      .add_option("--loader-threads", arguments->loader_threads,
                  "threads that decode images ahead of the network; 0: as many as the cores")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{256}))
      ->capture_default_str();
  add_option_flags(command, arguments->flags, kRuntimePart, false, {"checkpoint-minutes", "stop-after"});
}

}  // namespace ptnas
