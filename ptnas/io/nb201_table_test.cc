#include "ptnas/io/nb201_table.h"

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"
#include "ptnas/core/value_pickle_testing.h"

namespace ptnas {
namespace {

using namespace testing_values;
using Dataset = Nb201Dataset;
using Protocol = Nb201Protocol;
constexpr auto k12 = Protocol::k12Epochs, k200 = Protocol::k200Epochs;

constexpr const char* kFirst =
    "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|";
constexpr const char* kSecond = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|";
constexpr const char* kAbsent =
    "|skip_connect~0|+|skip_connect~0|none~1|+|skip_connect~0|none~1|skip_connect~2|";

Nb201Architecture architecture(const std::string& text) { return parse_nb201_architecture(text, "test"); }

// ---- The tables: indices 0 (kFirst) and 1 (kSecond)

const std::string kHeader =
    "index,arch,n_seeds,params_m,flops_m_c10,train_time_c10valid_s,c10_valid_200,c10_test_200,"
    "c10valid_test_200,c100_valid_200,c100_test_200,in16_valid_200,in16_test_200,c10_valid_12,c10_test_12,"
    "c100_valid_12,c100_test_12,in16_valid_12,in16_test_12\n";
const std::string kNumbers = "0.129306,15.64737,1444.22,82,86,81,53,52,28,26,63,69.55,31,30,18,";

std::string csv_row(int index, const std::string& text, const std::string& last = "17") {
  return fmt::format("{},{},3,{}{}\n", index, text, kNumbers, last);
}
std::string csv() { return kHeader + csv_row(0, kFirst) + csv_row(1, kSecond); }

// A training whose accuracies are `accuracy` (validation), one more (test) and nine more (training).
std::string trial(double accuracy, int epochs) {
  const std::string last = fmt::format("@{}", epochs - 1);
  Entries times;
  for (int epoch = 0; epoch < epochs; ++epoch) times.emplace_back(integer(epoch), real(0.5));
  return dict(
      {{text("params"), scalar("f8", little_endian(std::bit_cast<std::uint64_t>(0.25), 8))},
       {text("flop"), real(15.5)},
       {text("train_acc1es"), dict({{integer(0), real(1)}, {integer(epochs - 1), real(accuracy + 9)}})},
       {text("train_times"), ordered_dict(times)},
       {text("eval_acc1es"), dict({{text("x-valid@0"), real(1)},
                                   {text("x-valid" + last), real(accuracy)},
                                   {text("x-test" + last), real(accuracy + 1)},
                                   {text("ori-test" + last), real(accuracy + 1)}})},
       {text("net_state_dict"), "N"}});
}
std::string results(int index, const std::string& arch, int epochs) {
  const auto key = [](const char* name, int seed) { return tuple({text(name), integer(seed)}); };
  return dict({{text("arch_index"), integer(index)},
               {text("arch_str"), text(arch)},
               {text("all_results"), dict({{key("cifar10-valid", 777), trial(40, epochs)},
                                           {key("cifar10-valid", 888), trial(44, epochs)},
                                           {key("cifar10", 777), trial(50, epochs)},
                                           {key("cifar100", 777), trial(30, epochs)}})},
               {text("dataset_seed"), dict({{text("cifar10-valid"), list({integer(777), integer(888)})},
                                            {text("cifar10"), list({integer(777)})},
                                            {text("cifar100"), list({integer(777)})}})}});
}
std::string trial_file(int index, const std::string& arch) {
  return pickle(
      ordered_dict({{text("12"), results(index, arch, 12)}, {text("200"), results(index, arch, 200)}}));
}
std::string meta_file(const std::vector<std::string>& names) {
  std::vector<std::string> pieces;
  for (const std::string& name : names) pieces.push_back(text(name));
  return pickle(dict({{text("meta_archs"), list(pieces)}, {text("evaluated_indexes"), set({})}}));
}

class Nb201TableTest : public ::testing::Test {
 protected:
  std::filesystem::path write_csv(const std::string& content) {
    write_file(folder / "table.csv", content);
    return folder / "table.csv";
  }
  // The NATS folder, with these bytes as architecture 0 where given.
  std::filesystem::path write_nats(const std::optional<std::string>& first = std::nullopt) {
    const std::filesystem::path path = folder / "nats";
    std::filesystem::create_directories(path);
    write_file(path / "meta.pickle.pbz2", bzip2(meta_file({kFirst, kSecond})));
    write_file(path / "000000.pickle.pbz2", first ? *first : bzip2(trial_file(0, kFirst)));
    return path;
  }
  void expect_csv_refused(const std::string& content, const std::vector<std::string>& says, int index = 1) {
    const std::filesystem::path path = write_csv(content);
    expect_error([&] { Nb201Table::open(path)->find(index); }, says);
  }
  void expect_nats_refused(const std::string& first, const std::vector<std::string>& says) {
    const std::filesystem::path path = write_nats(first);
    expect_error([&] { Nb201Table::open(path)->find(0); }, says);
  }

  ScratchDirectory folder;
};

// ---- Reading

TEST_F(Nb201TableTest, ACsvAnswersByIndexAndByName) {
  const auto table = Nb201Table::open(write_csv(csv()));
  for (const Nb201Record& record : {table->find(0), table->find(architecture(kFirst))}) {
    EXPECT_EQ(record.index, 0);
    EXPECT_EQ(record.architecture, architecture(kFirst));
    EXPECT_DOUBLE_EQ(*record.cost(Dataset::kCifar10).parameters, 129306);
    EXPECT_DOUBLE_EQ(*record.cost(Dataset::kCifar10).flops, 15647370);
    EXPECT_EQ(record.cost(Dataset::kCifar100).parameters, std::nullopt);
    EXPECT_EQ(record.result(Dataset::kCifar10, k200).valid, 82);
    EXPECT_EQ(record.result(Dataset::kCifar10, k200).test, 86);
    EXPECT_EQ(record.result(Dataset::kCifar10, k200).train, std::nullopt);
    EXPECT_EQ(record.result(Dataset::kCifar10, k200).seeds, 3);
    EXPECT_EQ(record.result(Dataset::kCifar10Valid, k200).test, 81);
    EXPECT_EQ(record.result(Dataset::kCifar10Valid, k200).train_seconds, 1444.22);
    EXPECT_EQ(record.result(Dataset::kCifar100, k200).test, 52);
    EXPECT_EQ(record.result(Dataset::kImageNet16_120, k200).valid, 28);
    EXPECT_EQ(record.result(Dataset::kCifar10, k12).valid, 63);
    EXPECT_EQ(record.result(Dataset::kCifar10, k12).test, 69.55);
    EXPECT_EQ(record.result(Dataset::kImageNet16_120, k12).test, 17);
  }
  EXPECT_EQ(table->find(architecture(kSecond)).index, 1);
}

TEST_F(Nb201TableTest, ACsvMayHaveWindowsLineEndsAndGaps) {
  std::string content;
  for (const char character : kHeader + csv_row(0, kFirst, "")) {
    if (character == '\n') content += '\r';
    content += character;
  }
  const Nb201Record record = Nb201Table::open(write_csv(content))->find(0);
  EXPECT_EQ(record.result(Dataset::kImageNet16_120, k12).test, std::nullopt);
  EXPECT_EQ(record.result(Dataset::kImageNet16_120, k12).valid, 18);
}

TEST_F(Nb201TableTest, ANatsFolderAnswersByIndexAndByName) {
  const auto table = Nb201Table::open(write_nats());
  for (const Nb201Record& record : {table->find(0), table->find(architecture(kFirst))}) {
    EXPECT_EQ(record.index, 0);
    EXPECT_EQ(record.architecture, architecture(kFirst));
    EXPECT_EQ(record.cost(Dataset::kCifar100).parameters, 250000);
    EXPECT_EQ(record.cost(Dataset::kCifar10).flops, 15500000);
    EXPECT_EQ(record.cost(Dataset::kImageNet16_120).flops, std::nullopt);
    for (const Protocol protocol : kNb201Protocols) {
      EXPECT_EQ(record.result(Dataset::kCifar10Valid, protocol).valid, 42);  // the mean of both seeds
      EXPECT_EQ(record.result(Dataset::kCifar10Valid, protocol).seeds, 2);
      EXPECT_EQ(record.result(Dataset::kCifar10, protocol).valid, 42);
      EXPECT_EQ(record.result(Dataset::kCifar10, protocol).test, 51);
      EXPECT_EQ(record.result(Dataset::kCifar10, protocol).train, 59);
      EXPECT_EQ(record.result(Dataset::kCifar100, protocol).test, 31);
      EXPECT_EQ(record.result(Dataset::kImageNet16_120, protocol).test, std::nullopt);
      EXPECT_EQ(record.result(Dataset::kCifar100, protocol).train_seconds, 0.5 * epochs_of(protocol));
    }
  }
}

TEST_F(Nb201TableTest, AnIndexNeedsOnlyItsOwnFile) {
  const std::filesystem::path path = write_nats();
  write_file(path / "meta.pickle.pbz2", "not read");
  EXPECT_EQ(Nb201Table::open(path)->find(0).index, 0);
}

// ---- Bad input

TEST_F(Nb201TableTest, AnIndexOutOfRangeIsWrongUse) {
  for (const auto& path : {write_csv(csv()), write_nats()}) {
    for (const std::int64_t index : {std::int64_t{-1}, std::int64_t{15625}, std::int64_t{1} << 40})
      expect_error([&] { Nb201Table::open(path)->find(index); }, {"0 to 15624"}, ErrorKind::kUsage);
  }
}

TEST_F(Nb201TableTest, AMissingArchitectureIsNamed) {
  for (const auto& path : {write_csv(csv()), write_nats()}) {
    expect_error([&] { Nb201Table::open(path)->find(7); }, {"architecture 7", path.string(), "not whole"});
    expect_error([&] { Nb201Table::open(path)->find(architecture(kAbsent)); },
                 {kAbsent, path.string(), "found 2 other architectures of 15625"});
  }
}

TEST_F(Nb201TableTest, OtherFilesAreNoTables) {
  expect_error([&] { Nb201Table::open(folder / "nowhere.csv"); }, {"nowhere.csv", "no file or folder"});
  expect_error([&] { Nb201Table::open(folder.path()); }, {"meta.pickle.pbz2", "-simple"});
  expect_csv_refused("", {"table.csv", "no column `index`"});
  expect_csv_refused("module_hash,params,accuracy\n1,2,3\n", {"table.csv", "other benchmark"});
  expect_csv_refused(bzip2(trial_file(0, kFirst)), {"table.csv", "other benchmark"});
  expect_csv_refused(std::string(1000000, 'x'), {"table.csv", "line 1", "another benchmark"});
}

TEST_F(Nb201TableTest, ACsvCutAnywhereGivesAnErrorOrTheRow) {
  const std::string whole = csv();
  for (std::size_t size = 0; size < whole.size(); size += 7)
    expect_csv_refused(whole.substr(0, size), {"table.csv"});
  expect_csv_refused(whole.substr(0, whole.size() - 1), {"line 3", "truncated", "file's end"});
  expect_csv_refused(whole.substr(0, whole.size() - 60), {"line 3", "expected 19 fields", "truncated"});
  expect_csv_refused(kHeader + csv_row(0, kFirst), {"architecture 1", "found 1 other"});
}

TEST_F(Nb201TableTest, DamagedFieldsAreNamed) {
  expect_csv_refused(kHeader + csv_row(1, kSecond, "170"), {"line 2", "0 to 100 percent", "170"});
  expect_csv_refused(kHeader + csv_row(1, kSecond, "nan"), {"line 2", "0 to 100 percent", "nan"});
  expect_csv_refused(kHeader + csv_row(1, kSecond, "1.7x"), {"in16_test_12", "`1.7x`"});
  expect_csv_refused(kHeader + csv_row(1, "|none~0|"), {"line 2", "not an architecture"});
  expect_csv_refused(kHeader + "1," + kSecond + ",three," + kNumbers + "1\n", {"n_seeds", "`three`"});
}

TEST_F(Nb201TableTest, ANatsFileCutAnywhereIsRefused) {
  const std::string whole = bzip2(trial_file(0, kFirst));
  for (std::size_t size = 0; size < whole.size(); size += 101)
    expect_nats_refused(whole.substr(0, size), {"000000.pickle.pbz2", "truncated"});
  const std::string pickled = trial_file(0, kFirst);
  expect_nats_refused(bzip2(pickled.substr(0, pickled.size() / 2)), {"000000.pickle.pbz2", "truncated"});
}

TEST_F(Nb201TableTest, AForeignGlobalIsRefusedByName) {
  expect_nats_refused(bzip2(pickle(global("os", "system") + tuple({text("true")}) + "R")),
                      {"000000.pickle.pbz2", "`os.system`", "nothing was executed"});
}

TEST_F(Nb201TableTest, OtherPicklesAreAnotherBenchmarks) {
  expect_nats_refused(bzip2(pickle(list({}))), {"000000.pickle.pbz2", "another benchmark"});
  expect_nats_refused(bzip2(pickle(dict({{text("01"), dict({})}}))), {"`12`", "another benchmark"});
  expect_nats_refused(bzip2(pickle(dict({{text("12"), integer(1)}}))), {"`12`", "another benchmark"});
  expect_nats_refused(bzip2(trial_file(0, "64:64:64:64:64")), {"64:64", "not an architecture"});
  expect_nats_refused(bzip2(trial_file(5, kFirst)), {"expected architecture 0, found 5"});
  const std::filesystem::path path = write_nats(bzip2(trial_file(0, kSecond)));
  expect_error([&] { Nb201Table::open(path)->find(architecture(kFirst)); }, {"not of one table"});
  write_file(path / "meta.pickle.pbz2", bzip2(meta_file({"8:8:8:8:8"})));
  expect_error([&] { Nb201Table::open(path)->find(architecture(kFirst)); }, {"8:8:8:8:8", "meta"});
  write_file(path / "meta.pickle.pbz2", bzip2(pickle(dict({}))));
  expect_error([&] { Nb201Table::open(path)->find(architecture(kFirst)); }, {"meta_archs"});
}

// ---- The real tables

const std::filesystem::path kShared = std::filesystem::path(PTNAS_SOURCE_DIR) / "../shared/data/nb201";
const std::filesystem::path kCsv = kShared / "nb201.csv", kNats = kShared / "NATS-tss-v1_0-3ffb9-simple";

TEST(Nb201, TheBestAndTheAllSkipArchitecture) {
  if (!std::filesystem::exists(kCsv)) GTEST_SKIP() << "no table " << kCsv;
  const auto table = Nb201Table::open(kCsv);
  EXPECT_NEAR(*table->find(6111).result(Dataset::kCifar10, k200).test, 94.3733, 1e-4);
  EXPECT_NEAR(*table->find(9930).result(Dataset::kCifar100, k200).test, 73.5133, 1e-4);
  EXPECT_NEAR(*table->find(857).result(Dataset::kImageNet16_120, k200).test, 47.3111, 1e-4);
  const Nb201Record skip = table->find(architecture(
      "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"));
  EXPECT_EQ(skip.index, 1835);
  EXPECT_NEAR(*skip.result(Dataset::kCifar10, k200).test, 54.30, 0.005);
  EXPECT_NEAR(*skip.result(Dataset::kCifar100, k200).test, 15.61, 0.005);
  EXPECT_NEAR(*skip.result(Dataset::kImageNet16_120, k200).test, 16.32, 0.005);
}

// `rounded`, where there is one, is `exact` to half a unit of its last place.
void expect_rounded(const std::optional<double>& rounded, const std::optional<double>& exact, double half,
                    int& compared) {
  if (!rounded) return;
  ASSERT_TRUE(exact.has_value());
  EXPECT_NEAR(*rounded, *exact, half * 1.001);
  ++compared;
}

TEST(Nb201, BothLayoutsAgreeInEveryColumn) {
  if (!std::filesystem::exists(kCsv) || !std::filesystem::exists(kNats))
    GTEST_SKIP() << "no tables in " << kShared;
  const auto csv = Nb201Table::open(kCsv), nats = Nb201Table::open(kNats);
  for (const int index : {0, 11, 284}) {
    const Nb201Record rounded = csv->find(index), exact = nats->find(index);
    EXPECT_EQ(rounded.architecture, exact.architecture);
    EXPECT_EQ(nats->find(rounded.architecture).index, index);
    int compared = 0;
    for (const Dataset dataset : kNb201Datasets) {
      expect_rounded(rounded.cost(dataset).parameters, exact.cost(dataset).parameters, 0.5, compared);
      expect_rounded(rounded.cost(dataset).flops, exact.cost(dataset).flops, 5, compared);
      EXPECT_EQ(rounded.result(dataset, k200).seeds, exact.result(dataset, k200).seeds);
      for (const Protocol protocol : kNb201Protocols) {
        const Nb201Result &a = rounded.result(dataset, protocol), &b = exact.result(dataset, protocol);
        expect_rounded(a.valid, b.valid, 5e-5, compared);
        expect_rounded(a.test, b.test, 5e-5, compared);
        expect_rounded(a.train_seconds, b.train_seconds, 5e-3, compared);
        EXPECT_TRUE(b.train.has_value());
      }
    }
    EXPECT_EQ(compared, 18);  // the CSV's 16 columns of numbers; c10_valid_* stand under two data sets
  }
}

}  // namespace
}  // namespace ptnas
