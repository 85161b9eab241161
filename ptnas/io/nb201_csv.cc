// NAS-Bench-201 as a CSV file: one architecture a line, read line by line up to the one asked for.

#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <vector>

#include "ptnas/core/error.h"
#include "ptnas/io/nb201_layouts.h"

namespace ptnas {

namespace {

constexpr std::size_t kLongestLine = 4096;

using Fields = std::vector<std::string_view>;
using Dataset = Nb201Dataset;
using Protocol = Nb201Protocol;

// Where a column's number goes, times `factor`.
struct Column {
  std::string_view name;
  double factor;
  std::function<std::optional<double>&(Nb201Record&)> target;
};

Column accuracy(std::string_view name, Dataset dataset, Protocol protocol,
                std::optional<double> Nb201Result::*part) {
  return {name, 1, [=](Nb201Record& record) -> std::optional<double>& {
            return record.result(dataset, protocol).*part;
          }};
}

const std::vector<Column>& columns() {
  constexpr auto k12 = Protocol::k12Epochs, k200 = Protocol::k200Epochs;
  constexpr auto kValid = &Nb201Result::valid, kTest = &Nb201Result::test;
  static const std::vector<Column> table = {
      {"params_m", kMillion,
       [](Nb201Record& r) -> std::optional<double>& { return r.cost(Dataset::kCifar10).parameters; }},
      {"flops_m_c10", kMillion,
       [](Nb201Record& r) -> std::optional<double>& { return r.cost(Dataset::kCifar10).flops; }},
      accuracy("train_time_c10valid_s", Dataset::kCifar10Valid, k200, &Nb201Result::train_seconds),
      accuracy("c10_valid_200", Dataset::kCifar10Valid, k200, kValid),
      accuracy("c10_test_200", Dataset::kCifar10, k200, kTest),
      accuracy("c10valid_test_200", Dataset::kCifar10Valid, k200, kTest),
      accuracy("c100_valid_200", Dataset::kCifar100, k200, kValid),
      accuracy("c100_test_200", Dataset::kCifar100, k200, kTest),
      accuracy("in16_valid_200", Dataset::kImageNet16_120, k200, kValid),
      accuracy("in16_test_200", Dataset::kImageNet16_120, k200, kTest),
      accuracy("c10_valid_12", Dataset::kCifar10Valid, k12, kValid),
      accuracy("c10_test_12", Dataset::kCifar10, k12, kTest),
      accuracy("c100_valid_12", Dataset::kCifar100, k12, kValid),
      accuracy("c100_test_12", Dataset::kCifar100, k12, kTest),
      accuracy("in16_valid_12", Dataset::kImageNet16_120, k12, kValid),
      accuracy("in16_test_12", Dataset::kImageNet16_120, k12, kTest),
  };
  return table;
}

Fields split(std::string_view line) {
  Fields fields;
  for (std::size_t comma = line.find(','); comma != line.npos; comma = line.find(',')) {
    fields.push_back(line.substr(0, comma));
    line.remove_prefix(comma + 1);
  }
  fields.push_back(line);
  return fields;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

// A field as errors show it, however wrong the file is.
std::string shown(std::string_view field) {
  constexpr std::size_t kMost = 40;
  return std::string(field.substr(0, kMost)) + (field.size() > kMost ? "..." : "");
}

// The lines of the file, one at a time; a line without its end is told apart: the file was cut in it.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& path) : what_(path.string()), stream_(path, std::ios::binary) {
    if (!stream_) fail("cannot read {}; check the permissions", what_);
  }

  bool next() {
    stream_.getline(buffer_, sizeof buffer_);
    const auto count = static_cast<std::size_t>(stream_.gcount());
    if (count == 0) return false;
    ++number_;
    cut_ = stream_.eof();
    if (stream_.fail() && !cut_) {
      fail(
          "{}, line {}: expected a line of NAS-Bench-201, found one of more than {} characters; is it "
          "another benchmark's file?",
          what_, number_, kLongestLine - 1);
    }
    text_ = {buffer_, cut_ ? count : count - 1};
    if (text_.ends_with('\r')) text_.remove_suffix(1);
    return true;
  }
  std::string_view text() const { return text_; }
  std::size_t number() const { return number_; }
  bool cut() const { return cut_; }

 private:
  std::string what_;
  std::ifstream stream_;
  char buffer_[kLongestLine];
  std::string_view text_;
  std::size_t number_ = 0;
  bool cut_ = false;
};

class CsvTable final : public Nb201Table {
 public:
  explicit CsvTable(const std::filesystem::path& path) : path_(path) {
    Lines lines(path);
    const Fields names = lines.next() ? split(lines.text()) : Fields{};
    width_ = names.size();
    for (std::size_t i = 0; i < names.size(); ++i) positions_.emplace(names[i], i);
    std::vector<std::string_view> wanted = {"index", "arch", "n_seeds"};
    for (const Column& column : columns()) wanted.push_back(column.name);
    for (const std::string_view name : wanted) {
      if (positions_.contains(name)) continue;
      fail(
          "expected {} to be a CSV table of NAS-Bench-201, found no column `{}` in its first line; name such "
          "a file (docs/formats.md lists the columns) or the folder of NATS-Bench's -simple archive, no "
          "other benchmark's file",
          path.string(), name);
    }
  }

 private:
  Nb201Record find_index(int index) const override {
    return find_row("index", std::to_string(index), "architecture " + std::to_string(index));
  }
  Nb201Record find_architecture(const Nb201Architecture& architecture) const override {
    const std::string text = format_nb201_architecture(architecture);
    return find_row("arch", text, text);
  }

  // The row with this text in `column`.
  Nb201Record find_row(std::string_view column, std::string_view text, const std::string& asked) const {
    Lines lines(path_);
    lines.next();  // the names
    const std::size_t position = positions_.find(column)->second;
    while (lines.next()) {
      const Fields fields = split(lines.text());
      if (fields.size() != width_ || lines.cut()) {
        fail(
            "{}: expected {} fields and a line's end, found {} fields{}; the table is truncated or damaged, "
            "get it again",
            where(lines), width_, fields.size(), lines.cut() ? " and the file's end" : "");
      }
      if (fields[position] == text) return record(fields, where(lines));
    }
    fail("expected {} in {}, found {} other architectures of {}; the table is not whole, get it again", asked,
         path_.string(), lines.number() - 1, kNb201ArchitectureCount);
  }
  std::string where(const Lines& lines) const {
    return fmt::format("{}, line {}", path_.string(), lines.number());
  }

  Nb201Record record(const Fields& fields, const std::string& what) const {
    const auto field = [&](std::string_view name) { return fields[positions_.find(name)->second]; };
    const auto integer = [&](std::string_view name, int least, int most) {
      const std::optional<int> value = parse_number<int>(field(name));
      if (!value || *value < least || *value > most) {
        fail("{}: expected {} to be {} to {}, found `{}`; the table is damaged, get it again", what, name,
             least, most, shown(field(name)));
      }
      return *value;
    };
    Nb201Record record;
    record.index = integer("index", 0, kNb201ArchitectureCount - 1);
    record.architecture = parse_nb201_architecture(field("arch"), what);
    const int seeds = integer("n_seeds", 1, 1000);
    for (const Dataset dataset : kNb201Datasets) record.result(dataset, Protocol::k200Epochs).seeds = seeds;
    for (const Column& column : columns()) {
      const std::string_view text = field(column.name);
      const std::optional<double> value = parse_number<double>(text);
      if (!value && !text.empty()) {
        fail("{}: expected {} to be a number, found `{}`; the table is damaged, get it again", what,
             column.name, shown(text));
      }
      if (value) column.target(record) = *value * column.factor;
    }
    for (const Protocol protocol : kNb201Protocols)
      record.result(Dataset::kCifar10, protocol).valid =
          record.result(Dataset::kCifar10Valid, protocol).valid;
    check_nb201_record(record, what);
    return record;
  }

  std::filesystem::path path_;
  std::map<std::string, std::size_t, std::less<>> positions_;  // of columns, by name
  std::size_t width_ = 0;
};

}  // namespace

std::unique_ptr<Nb201Table> open_nb201_csv(const std::filesystem::path& path) {
  return std::make_unique<CsvTable>(path);
}

}  // namespace ptnas
