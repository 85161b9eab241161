#include "ptnas/core/options.h"

#include <gtest/gtest.h>

#include <limits>

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

struct Sample {
  bool flag = false;
  std::int64_t epochs = 50;
  double rate = 0.025;
  std::string name = "plain";
  std::vector<std::int64_t> order;
  std::string space = "darts";

  void declare(OptionVisitor& v) {
    v.group("Sample");
    v.option("flag", flag, "a flag");
    v.option("epochs", epochs, "a whole number");
    v.option("rate", rate, "a number");
    v.option("name", name, "a text");
    v.option("order", order, "a list");
    v.choice("space", space, {"darts", "s1"}, "a choice");
  }
  bool operator==(const Sample&) const = default;
};

std::string toml_of(Sample& sample) {
  std::string text;
  for (const NamedValue& value : option_values(sample)) text += value.name + " = " + value.toml + "\n";
  return text;
}

TEST(OptionsTest, ValuesAreAssignedByNameAndOthersStay) {
  Sample sample;
  const auto unknown = assign_options(sample,
                                      {{"flag", "true"},
                                       {"epochs", "+7"},
                                       {"rate", "-1e-3"},
                                       {"order", "3,-1,2"},
                                       {"space", "s1"},
                                       {"colour", "red"}},
                                      "command line");
  EXPECT_EQ(unknown, std::vector<std::string>{"colour"});
  EXPECT_EQ(sample, (Sample{true, 7, -1e-3, "plain", {3, -1, 2}, "s1"}));
  assign_options(sample, {{"order", ""}, {"flag", "false"}, {"name", ""}}, "command line");
  EXPECT_EQ(sample, (Sample{false, 7, -1e-3, "", {}, "s1"}));
}

TEST(OptionsTest, BadValuesAreUsageErrorsThatNameOptionValueAndSource) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"flag", "yes"},   {"flag", ""},       {"epochs", ""},
      {"epochs", "5.0"}, {"epochs", "x"},    {"epochs", "+-5"},
      {"epochs", "5 "},  {"epochs", "0x10"}, {"rate", "fast"},
      {"rate", "nan"},   {"rate", "inf"},    {"rate", "1e999"},
      {"rate", "1,5"},   {"rate", ""},       {"order", "1,,2"},
      {"order", "1,2,"}, {"order", ","},     {"order", "a"},
      {"space", "s9"},   {"space", ""},      {"epochs", "9223372036854775808"},
  };
  for (const auto& [name, value] : bad) {
    Sample sample;
    expect_error(
        [&] {
          assign_options(sample, {{name, value}}, "file.toml");
        },
        {"file.toml", name, "`" + value + "`"}, ErrorKind::kUsage);
    EXPECT_TRUE(sample == Sample()) << name << " was changed by `" << value << "`";
  }
  Sample sample;
  expect_error(
      [&] {
        assign_options(sample, {{"space", "s9"}}, "x");
      },
      {"one of darts, s1"}, ErrorKind::kUsage);
}

TEST(OptionsTest, AWrittenFileReadsBackIdentical) {
  const ScratchDirectory scratch;
  for (const double rate : {0.1, 1.0 / 3, 5.0, 1e22, 1e-7, 3e-320, -0.0, 123456789.125,
                            std::numeric_limits<double>::max(), std::numeric_limits<double>::min()}) {
    Sample sample{true,       std::numeric_limits<std::int64_t>::min(),
                  rate,       "quote \" back \\ tab \t line \n bell \x07 del \x7f umlaut \xc3\xa4 # = [",
                  {5, 0, -3}, "s1"};
    const std::string text = toml_of(sample);
    write_file(scratch / "config.toml", text);
    Sample read;
    EXPECT_TRUE(assign_options(read, read_option_file(scratch / "config.toml"), "config.toml").empty());
    EXPECT_EQ(read, sample) << text;
    EXPECT_EQ(std::signbit(read.rate), std::signbit(rate));
    EXPECT_EQ(toml_of(read), text);
    for (const NamedValue& value : option_values(sample)) {
      EXPECT_EQ(read_option_file(scratch / "config.toml").at(value.name), value.value);
    }
  }
}

TEST(OptionsTest, AWholeNumberInAFileServesAsANumber) {
  const ScratchDirectory scratch;
  write_file(scratch / "c.toml", "rate = 5 # a comment\norder = []\n");
  Sample sample;
  assign_options(sample, read_option_file(scratch / "c.toml"), "c.toml");
  EXPECT_EQ(sample.rate, 5.0);
}

TEST(OptionsTest, TextThatIsNotUtf8CannotBeSaved) {
  Sample sample;
  sample.name = "folder:/pictures\xff";
  expect_error([&] { option_values(sample); }, {"name", "UTF-8"}, ErrorKind::kUsage);
}

TEST(OptionsTest, BadFilesAreUsageErrorsThatNameFileAndKey) {
  const ScratchDirectory scratch;
  expect_error([&] { read_option_file(scratch / "absent.toml"); }, {"absent.toml", "No such file"},
               ErrorKind::kUsage);
  const std::vector<std::pair<std::string, std::vector<std::string>>> bad = {
      {"epochs = ", {"c.toml, line 1", "not valid TOML"}},
      {"a = 1\na = 2", {"c.toml, line 2", "not valid TOML"}},
      {"name = \"a\xff\"", {"c.toml", "not valid TOML"}},
      {"a = 1\n\n[search]\nepochs = 5\n", {"c.toml, line 3", "`search`", "without tables"}},
      {"search.epochs = 5", {"c.toml", "`search`", "without tables"}},
      {"when = 2024-01-01", {"c.toml", "`when`"}},
      {"order = [1, 2.5]", {"c.toml", "`order`", "whole numbers"}},
      {"order = [[1]]", {"c.toml", "`order`", "whole numbers"}},
      {"x = [" + std::string(100000, '[') + "]", {"c.toml", "not valid TOML"}},
  };
  for (const auto& [text, says] : bad) {
    write_file(scratch / "c.toml", text);
    expect_error([&] { read_option_file(scratch / "c.toml"); }, says, ErrorKind::kUsage);
  }
}

}  // namespace
}  // namespace ptnas
