// ptnas query: an architecture of NAS-Bench-201 in the benchmark's stored results.

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "ptnas/cli/program.h"
#include "ptnas/core/error.h"
#include "ptnas/core/json.h"
#include "ptnas/io/nb201_table.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

namespace {

std::int64_t parse_index(const std::string& text) {
  std::int64_t index = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), index).ec != std::errc() ||
      index >= kNb201ArchitectureCount) {
    fail_usage("expected the index of an architecture of NAS-Bench-201, 0 to {}, found {}; see --help",
               kNb201ArchitectureCount - 1, text);
  }
  return index;
}

// A text, or a run directory or genotype file of the benchmark's space.
Nb201Architecture parse_architecture(const std::string& text) {
  std::error_code ignored;
  if (!text.empty() && std::filesystem::exists(text, ignored)) {
    const Genotype genotype = read_genotype(text);
    if (genotype.family != Family::kNasBench201)
      fail_usage("{} has no architecture of NAS-Bench-201, but one of the DARTS family", text);
    return nb201_architecture_of(genotype);
  }
  try {
    return parse_nb201_architecture(text, "ARCH");
  } catch (const Error& error) {
    throw Error(error.what(), ErrorKind::kUsage);  // it was typed, not read from a table
  }
}

// The argument is checked before the table is opened.
Nb201Record look_up(const std::string& architecture, const std::string& table) {
  const bool index = !architecture.empty() &&
                     std::all_of(architecture.begin(), architecture.end(),
                                 [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
  if (index) {
    const std::int64_t number = parse_index(architecture);
    return Nb201Table::open(table)->find(number);
  }
  const Nb201Architecture parsed = parse_architecture(architecture);
  return Nb201Table::open(table)->find(parsed);
}

// Numbers of parameters and multiply-adds are whole; tables have them in millions.
Json whole(const std::optional<double>& value) { return value ? Json(std::llround(*value)) : Json(); }
template <typename Number>
Json or_null(const std::optional<Number>& value) {
  return value ? Json(*value) : Json();
}

Json to_json(const Nb201Record& record) {
  Json json;
  json["index"] = record.index;
  json["architecture"] = format_nb201_architecture(record.architecture);
  json["accuracy_unit"] = "percent";
  for (const Nb201Dataset dataset : kNb201Datasets) {
    Json& entry = json["data_sets"][std::string(name_of(dataset))];
    entry["parameters"] = whole(record.cost(dataset).parameters);
    entry["multiply_adds"] = whole(record.cost(dataset).flops);
    for (const Nb201Protocol protocol : kNb201Protocols) {
      const Nb201Result& result = record.result(dataset, protocol);
      Json& numbers = entry["epochs"][std::to_string(epochs_of(protocol))];
      numbers["train_accuracy"] = or_null(result.train);
      numbers["valid_accuracy"] = or_null(result.valid);
      numbers["test_accuracy"] = or_null(result.test);
      numbers["train_seconds"] = or_null(result.train_seconds);
      numbers["seeds"] = or_null(result.seeds);
    }
  }
  return json;
}

std::string with_two_decimals(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f}", *value) : "-";
}
std::string in_millions(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value / 1e6) : "-";
}

void print_record(const Nb201Record& record) {
  std::printf("architecture %d: %s\n", record.index, format_nb201_architecture(record.architecture).c_str());
  std::printf("accuracy in %%, mean over the seeds; cifar10 is validated by cifar10-valid\n\n");
  std::string titles = fmt::format("{:14}", "");
  std::string columns = fmt::format("{:14}", "data set");
  for (const Nb201Protocol protocol : kNb201Protocols) {
    titles += fmt::format(" | {:>26}", fmt::format("{} epochs", epochs_of(protocol)));
    columns += fmt::format(" | {:>6} {:>6} {:>6} {:>5}", "train", "valid", "test", "seeds");
  }
  std::printf("%s | %21s\n%s | %10s %10s\n", titles.c_str(), "in millions", columns.c_str(), "parameters",
              "FLOPs");
  for (const Nb201Dataset dataset : kNb201Datasets) {
    std::string row = fmt::format("{:14}", name_of(dataset));
    for (const Nb201Protocol protocol : kNb201Protocols) {
      const Nb201Result& result = record.result(dataset, protocol);
      row += fmt::format(" | {:>6} {:>6} {:>6} {:>5}", with_two_decimals(result.train),
                         with_two_decimals(result.valid), with_two_decimals(result.test),
                         result.seeds ? std::to_string(*result.seeds) : "-");
    }
    const Nb201Cost& cost = record.cost(dataset);
    std::printf("%s | %10s %10s\n", row.c_str(), in_millions(cost.parameters).c_str(),
                in_millions(cost.flops).c_str());
  }
}

}  // namespace

void add_query_command(CommandBuilder& builder) {
  struct Arguments {
    std::string architecture, table;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = builder.add(
      builder.root(), "query", "Look an architecture up in the stored results of NAS-Bench-201", [arguments] {
        const Nb201Record record = look_up(arguments->architecture, arguments->table);
        if (arguments->json) {
          std::printf("%s\n", to_json(record).dump(2).c_str());
        } else {
          print_record(record);
        }
      });
  command
      .add_option(
          "architecture", arguments->architecture,
          "index, text |op~0|+|op~0|op~1|+|op~0|op~1|op~2| (in quotes), run directory or genotype file")
      ->type_name("ARCH")
      ->required();
  command
      .add_option("--table", arguments->table,
                  "CSV file, or the folder of NATS-Bench's -simple archive (docs/formats.md)")
      ->type_name("PATH")
      ->required();
  command.add_flag("--json", arguments->json, "print JSON");
}

}  // namespace ptnas
