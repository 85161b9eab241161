#include "ptnas/cli/command_tree.h"

#include <gmock/gmock.h>

#include "ptnas/cli/completion.h"
#include "ptnas/cli/manual.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CommandTreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    app_.set_version_flag("--version", "1");
    CLI::App& data = *app_.add_subcommand("data", "Look at it's data");
    CLI::App& show = *data.add_subcommand("show", "Show [all]: a\\b");
    show.add_option("what", text_, "which one")->required()->check(CLI::IsMember({"one", "two"}));
    show.add_option("--out", text_, "a file \u2192 here")->type_name("FILE");
    show.add_option("--engine", text_, "which")->type_name("{fused,plain}");
    show.add_option("-n,--number", number_, "how many")->capture_default_str();
    show.add_flag("--json,!--no-json", flag_, ".dots and -dashes")->group("Others");
    show.add_option("--hidden", text_, "not to be seen")->group("");
  }
  CLI::App app_{"A program.", "ptnas"};
  std::string text_;
  int number_ = 4;
  bool flag_ = false;
};

TEST_F(CommandTreeTest, HasWhatWasDeclared) {
  const CommandShape root = shape_of(app_);
  ASSERT_EQ(all_commands(root).size(), 3u);
  const CommandShape& show = *all_commands(root)[2];
  EXPECT_EQ(show.path, "data show");
  ASSERT_EQ(show.options.size(), 6u);  // with --help
  const auto option = [&](const std::string& name) {
    for (const OptionShape& one : show.options) {
      if (one.names.back() == name) return one;
    }
    ADD_FAILURE() << name;
    return OptionShape{};
  };
  EXPECT_THAT(option("what").values, ElementsAre("one", "two"));
  EXPECT_TRUE(option("what").positional);
  EXPECT_TRUE(option("what").required);
  EXPECT_EQ(option("--out").type, "FILE");
  EXPECT_THAT(option("--engine").values, ElementsAre("fused", "plain"));
  EXPECT_THAT(option("--number").names, ElementsAre("-n", "--number"));
  EXPECT_THAT(option("--number").help, HasSubstr("[4]"));
  EXPECT_FALSE(option("--no-json").takes_value());
}

TEST_F(CommandTreeTest, CompletionsHaveCommandsOptionsAndValues) {
  const CommandShape root = shape_of(app_);
  for (const std::string& shell : completion_shells()) {
    const std::string script = completion_script(root, shell);
    for (const char* text : {"show", "no-json", "fused plain", "one two"})
      EXPECT_THAT(script, HasSubstr(text)) << shell;
    EXPECT_EQ(script.find("hidden"), std::string::npos);
  }
  expect_error([&] { completion_script(root, "csh"); }, {"csh", "bash, fish, zsh"}, ErrorKind::kUsage);
}

TEST_F(CommandTreeTest, TheManualHasEveryOption) {
  const std::string page = manual_page(shape_of(app_));
  for (const char* text :
       {".SS ptnas data show", "\\fB\\-n\\fR, \\fB\\-\\-number\\fR \\fIINT\\fR", "\\fIwhat\\fR", "\\[u2192]",
        "one of fused, plain", "\n\\&.dots and \\-dashes", "Look at it\\(aqs data"})
    EXPECT_THAT(page, HasSubstr(text));
}

TEST(TroffText, WritesOutWhatWouldBeACommand) {
  EXPECT_EQ(troff_text(".TH"), "\\&.TH");
  EXPECT_EQ(troff_text("a\\b"), "a\\eb");
  EXPECT_EQ(troff_text("k\u2212\U0001F600"), "k\\[u2212]\\[u1F600]");
}

}  // namespace
}  // namespace ptnas
