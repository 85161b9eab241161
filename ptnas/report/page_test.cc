#include "ptnas/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptnas/report/resources.h"

namespace ptnas {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kEnding = "</script><script>alert(1)</script><!-- \"'&\u2028\U0001F600";

TEST(Page, WithoutDataHasNoScript) {
  Page page;
  page.title = "Title";
  page.body = "<p>text</p>\n";
  const std::string html = make_page(page);
  EXPECT_THAT(html, HasSubstr("<title>Title – ptnas</title>"));
  EXPECT_THAT(html, HasSubstr("<main>\n<p>text</p>\n</main>"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, Not(HasSubstr("script")));
}

TEST(Page, ScriptsCarryTheNonceOfThePolicy) {
  Page page;
  page.data = Json{{"name", kEnding}};
  page.scripts = {draw_once_script()};
  const std::string html = make_page(page);
  const std::size_t at = html.find("'nonce-") + 7;
  EXPECT_THAT(html, HasSubstr("<script nonce=\"" + html.substr(at, 16) + "\">"));
  EXPECT_THAT(html, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(html, Not(HasSubstr("connect-src")));
  page.asks_its_server = true;
  EXPECT_THAT(make_page(page), HasSubstr("connect-src 'self'"));
}

TEST(ScriptJson, CannotEndItsElementAndReadsBackTheSame) {
  const Json data = {{kEnding, kEnding}, {"number", 0.1}, {"nothing", nullptr}};
  const std::string text = script_json(data);
  EXPECT_EQ(text.find('<'), std::string::npos);
  for (const char c : text) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
  EXPECT_EQ(Json::parse(text), data);
}

TEST(ScriptJson, TakesBytesThatAreNoText) {
  EXPECT_EQ(script_json(Json(std::string("a\xff"))), "\"a\\ufffd\"");
}

}  // namespace
}  // namespace ptnas
