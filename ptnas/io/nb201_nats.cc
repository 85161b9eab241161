// NAS-Bench-201 in the layout of NATS-Bench (Dong et al., TPAMI 2021), topology space, `-simple` archive: one
// pickle in bzip2 an architecture, and meta.pickle.pbz2 with all names in order. An index is answered from
// that architecture's file alone, a name from the meta file too.

#include "ptnas/core/bzip2.h"
#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/pickle.h"
#include "ptnas/io/nb201_layouts.h"

namespace ptnas {

namespace {

using Kind = PickleValue::Kind;
using Dataset = Nb201Dataset;

// The benchmark's files have 0.3 MB, the meta file 1.4 MB.
constexpr std::uint64_t kLargestFile = 1 << 25;
constexpr const char* kMeta = "meta.pickle.pbz2";

// The names under which a data set's accuracies are stored, by the last epoch.
constexpr std::string_view valid_name() { return "x-valid"; }
constexpr std::string_view test_name(Dataset dataset) {
  return dataset == Dataset::kCifar10 || dataset == Dataset::kCifar10Valid ? "ori-test" : "x-test";
}

Pickle read_pbz2(const std::filesystem::path& path) {
  const std::string what = path.string();
  return read_value_pickle(bunzip2(read_file(path), what, kLargestFile), what);
}

// One architecture's file.
class NatsFile {
 public:
  NatsFile(const std::filesystem::path& path, int index)
      : what_(path.string()), pickle_(read_pbz2(path)), index_(index) {}

  Nb201Record record() const {
    Nb201Record record;
    record.index = index_;
    for (const Nb201Protocol protocol : kNb201Protocols) read_protocol(protocol, record);
    check_nb201_record(record, what_);
    return record;
  }

 private:
  // The value of a key that every such file has.
  template <typename Key>
  const PickleValue& get(const PickleValue& dict, Key key, Kind kind) const {
    const PickleValue* value = dict.find(key);
    if (value == nullptr || value->kind != kind) {
      fail("{}: expected results of NAS-Bench-201, found none under `{}`; is it another benchmark's file?",
           what_, key);
    }
    return *value;
  }

  void read_protocol(Nb201Protocol protocol, Nb201Record& record) const {
    const std::string epochs = std::to_string(epochs_of(protocol));
    const PickleValue& info = get(pickle_.root(), std::string_view(epochs), Kind::kDict);
    const std::int64_t index = get(info, "arch_index", Kind::kInteger).integer;
    if (index != index_)
      fail("{}: expected architecture {}, found {}; name the file rightly", what_, index_, index);
    record.architecture = parse_nb201_architecture(get(info, "arch_str", Kind::kText).text, what_);
    for (const Dataset dataset : kNb201Datasets) {
      const std::vector<const PickleValue*> trials = trials_of(info, dataset);
      if (trials.empty()) continue;
      record.result(dataset, protocol) = result(trials, dataset, epochs_of(protocol));
      Nb201Cost& cost = record.cost(dataset);
      cost = {mean(trials, [&](const PickleValue& t) { return number(t.find("params"), kMillion); }),
              mean(trials, [&](const PickleValue& t) { return number(t.find("flop"), kMillion); })};
    }
    record.result(Dataset::kCifar10, protocol).valid = record.result(Dataset::kCifar10Valid, protocol).valid;
  }

  // The trainings on `dataset`, one a seed: all_results has them by (data set, seed).
  std::vector<const PickleValue*> trials_of(const PickleValue& info, Dataset dataset) const {
    const PickleValue* seeds = get(info, "dataset_seed", Kind::kDict).find(name_of(dataset));
    const PickleValue& results = get(info, "all_results", Kind::kDict);
    std::vector<const PickleValue*> trials;
    if (seeds == nullptr) return trials;
    for (const PickleValue* seed : seeds->items) {
      const PickleValue* trial = nullptr;
      for (const auto& [key, value] : results.entries) {
        if (key->items.size() == 2 && key->items[0]->text == name_of(dataset) &&
            key->items[1]->kind == Kind::kInteger && key->items[1]->integer == seed->integer)
          trial = value;
      }
      if (trial == nullptr || trial->kind != Kind::kDict) {
        fail("{}: expected a training on {} with seed {}, found none; the file is damaged, get it again",
             what_, name_of(dataset), seed->integer);
      }
      trials.push_back(trial);
    }
    return trials;
  }

  Nb201Result result(const std::vector<const PickleValue*>& trials, Dataset dataset, int epochs) const {
    const auto evaluated = [&](std::string_view name) {
      const std::string key = fmt::format("{}@{}", name, epochs - 1);
      return mean(trials, [&](const PickleValue& t) { return number(in(t, "eval_acc1es", key)); });
    };
    Nb201Result result;
    result.valid = evaluated(valid_name());
    result.test = evaluated(test_name(dataset));
    result.train = mean(trials, [&](const PickleValue& t) {
      return number(in(t, "train_acc1es", std::int64_t{epochs - 1}));
    });
    result.train_seconds =
        mean(trials, [&](const PickleValue& t) { return sum(t.find("train_times"), epochs); });
    result.seeds = static_cast<int>(trials.size());
    return result;
  }

  template <typename Key>
  static const PickleValue* in(const PickleValue& trial, std::string_view table, const Key& key) {
    const PickleValue* dict = trial.find(table);
    return dict == nullptr ? nullptr : dict->find(key);
  }
  std::optional<double> number(const PickleValue* value, double factor = 1) const {
    if (value == nullptr || value->kind == Kind::kNone) return std::nullopt;
    if (value->kind == Kind::kFloat) return value->real * factor;
    if (value->kind == Kind::kInteger) return static_cast<double>(value->integer) * factor;
    fail("{}: expected a number among the results, found something else; is it another benchmark's file?",
         what_);
  }
  // Absent where an epoch is.
  std::optional<double> sum(const PickleValue* times, int epochs) const {
    if (times == nullptr || times->entries.size() != static_cast<std::size_t>(epochs)) return std::nullopt;
    double result = 0;
    for (const auto& [epoch, seconds] : times->entries) {
      const std::optional<double> value = number(seconds);
      if (!value) return std::nullopt;
      result += *value;
    }
    return result;
  }
  // Over all trials; absent where one has no such number.
  template <typename Number>
  static std::optional<double> mean(const std::vector<const PickleValue*>& trials, const Number& number_of) {
    double sum = 0;
    for (const PickleValue* trial : trials) {
      const std::optional<double> value = number_of(*trial);
      if (!value) return std::nullopt;
      sum += *value;
    }
    return sum / static_cast<double>(trials.size());
  }

  std::string what_;
  Pickle pickle_;
  int index_;
};

class NatsTable final : public Nb201Table {
 public:
  explicit NatsTable(const std::filesystem::path& folder) : folder_(folder) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(folder / kMeta, ignored)) {
      fail(
          "expected {} to be the folder of NATS-Bench's -simple archive, found no {} in it; name the folder "
          "that has this file",
          folder.string(), kMeta);
    }
  }

 private:
  Nb201Record find_index(int index) const override {
    const std::filesystem::path path = folder_ / fmt::format("{:06}.pickle.pbz2", index);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      fail(
          "expected architecture {} in {}, found no such file; the table is not whole, unpack the archive "
          "again",
          index, path.string());
    }
    return NatsFile(path, index).record();
  }

  Nb201Record find_architecture(const Nb201Architecture& architecture) const override {
    const std::string text = format_nb201_architecture(architecture);
    const std::string what = (folder_ / kMeta).string();
    const Pickle meta = read_pbz2(folder_ / kMeta);
    const PickleValue* names = meta.root().find("meta_archs");
    if (names == nullptr || names->kind != Kind::kList || names->items.empty())
      fail("expected {} to list NAS-Bench-201 under `meta_archs`; is it another benchmark's file?", what);
    parse_nb201_architecture(names->items[0]->text, what);  // NATS-Bench's other space has 32,768 of sizes
    for (std::size_t i = 0; i < names->items.size(); ++i) {
      if (names->items[i]->text == text) return checked(find(static_cast<std::int64_t>(i)), architecture);
    }
    fail("expected {} in {}, found {} other architectures of {}; the table is not whole, get it again", text,
         what, names->items.size(), kNb201ArchitectureCount);
  }
  Nb201Record checked(Nb201Record record, const Nb201Architecture& architecture) const {
    if (record.architecture == architecture) return record;
    fail(
        "expected {} at index {}, as {} says, found {}; the files are not of one table, unpack the archive "
        "again",
        format_nb201_architecture(architecture), record.index, (folder_ / kMeta).string(),
        format_nb201_architecture(record.architecture));
  }

  std::filesystem::path folder_;
};

}  // namespace

std::unique_ptr<Nb201Table> open_nb201_nats(const std::filesystem::path& folder) {
  return std::make_unique<NatsTable>(folder);
}

}  // namespace ptnas
