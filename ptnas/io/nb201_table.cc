#include "ptnas/io/nb201_table.h"

#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/io/nb201_layouts.h"

namespace ptnas {

namespace {

void check_number(const std::optional<double>& number, double most, const std::string& quantity,
                  const std::string& what) {
  if (!number || (*number >= 0 && *number <= most && std::isfinite(*number))) return;
  fail("{}: expected {}, found {}; the table is damaged, get it again", what, quantity, *number);
}

}  // namespace

std::string_view name_of(Nb201Dataset dataset) {
  constexpr std::string_view kNames[] = {"cifar10", "cifar100", "ImageNet16-120", "cifar10-valid"};
  return kNames[static_cast<std::size_t>(dataset)];
}

int epochs_of(Nb201Protocol protocol) { return protocol == Nb201Protocol::k12Epochs ? 12 : 200; }

void check_nb201_record(const Nb201Record& record, const std::string& what) {
  for (const auto& protocols : record.results) {
    for (const Nb201Result& result : protocols) {
      for (const auto& accuracy : {result.train, result.valid, result.test})
        check_number(accuracy, 100, "an accuracy of 0 to 100 percent", what);
      check_number(result.train_seconds, HUGE_VAL, "a training time", what);
    }
  }
  for (const Nb201Cost& cost : record.costs) {
    for (const auto& number : {cost.parameters, cost.flops})
      check_number(number, 1e15, "a number of parameters or multiply-adds", what);
  }
}

std::unique_ptr<Nb201Table> Nb201Table::open(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_nb201_nats(path);
  if (std::filesystem::is_regular_file(path, ignored)) return open_nb201_csv(path);
  fail(
      "expected a table of NAS-Bench-201 at {}, found no file or folder there; name the CSV file or the "
      "folder of NATS-Bench's -simple archive",
      path.string());
}

Nb201Record Nb201Table::find(std::int64_t index) const {
  if (index < 0 || index >= kNb201ArchitectureCount) {
    fail_usage("expected the index of an architecture of NAS-Bench-201, 0 to {}, found {}",
               kNb201ArchitectureCount - 1, index);
  }
  return find_index(static_cast<int>(index));
}

Nb201Record Nb201Table::find(const Nb201Architecture& architecture) const {
  return find_architecture(architecture);
}

}  // namespace ptnas
