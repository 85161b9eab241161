#include "ptnas/core/json.h"

#include <gtest/gtest.h>

#include <limits>

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

TEST(JsonTest, WrittenValuesReadBackTheSameAndInOrder) {
  const ScratchDirectory scratch;
  Json value = versioned("ptnas-thing", 3);
  value["zebra"] = 0.1;
  value["apple"] = {1e-320, std::numeric_limits<double>::max(), -0.0, 1.0 / 3};
  write_json(scratch / "x.json", value);
  EXPECT_EQ(read_json(scratch / "x.json"), value);
  const std::string text = read_file(scratch / "x.json");
  EXPECT_TRUE(text.starts_with("{\n  \"format\": \"ptnas-thing\",\n  \"version\": 3,\n  \"zebra\"")) << text;
  EXPECT_EQ(text.back(), '\n');
}

TEST(JsonTest, BytesThatAreNotTextAreReplaced) {
  const ScratchDirectory scratch;
  write_json(scratch / "x.json", Json{{"name", "a\xff"}});
  EXPECT_EQ(read_json(scratch / "x.json")["name"], "a\xef\xbf\xbd");
}

TEST(JsonTest, BrokenFilesAreNamed) {
  const ScratchDirectory scratch;
  expect_error([&] { read_json(scratch / "absent.json"); }, {"absent.json", "No such file"});
  for (const char* text : {"", "{", "[1,]", "\xff", "{} x"}) {
    expect_error([&] { parse_json(text, "thing.json of x"); }, {"thing.json of x is not valid JSON"});
  }
  expect_error([&] { read_json(scratch.path()); }, {"found a directory"});
}

TEST(JsonTest, DeepNestingIsNoDanger) {
  const std::string opening(300000, '['), closing(300000, ']');
  for (const std::string& text :
       {opening, opening + closing, R"({"a": )" + opening + closing + R"(, "b": 1})"}) {
    expect_error([&] { parse_json(text, "deep"); }, {"deep is not valid JSON (nested deeper"});
  }
  EXPECT_NO_THROW(parse_json(std::string(50, '[') + std::string(50, ']'), "not so deep"));
}

TEST(JsonTest, AKeyMayStandOnlyOnceInAnObject) {
  EXPECT_EQ(parse_json(R"([{"a": {"a": 1}}, {"a": 2}])", "x").size(), 2u);
  expect_error([] { parse_json(R"({"b": [], "a": {"b": 1, "b": 2}})", "x.json"); },
               {"x.json is not valid JSON (the key \"b\" stands twice)"});
}

TEST(JsonTest, OtherFormatsAndNewerVersionsAreRefusedByName) {
  EXPECT_NO_THROW(check_version(versioned("ptnas-x", 2), "ptnas-x", 2, "f"));
  EXPECT_NO_THROW(check_version(versioned("ptnas-x", 1), "ptnas-x", 2, "f"));
  expect_error([] { check_version(versioned("ptnas-x", 3), "ptnas-x", 2, "f.json"); },
               {"f.json", "version 3", "ptnas-x", "up to 2", "newer ptnas"});
  Json huge = versioned("ptnas-x", 1);
  huge["version"] = (1ull << 32) + 1;
  expect_error([&] { check_version(huge, "ptnas-x", 2, "f.json"); }, {"newer ptnas"});
  expect_error([] { check_version(versioned("ptnas-x", 0), "ptnas-x", 2, "f.json"); }, {"damaged"});
  for (const Json& foreign : {versioned("ptnas-y", 1), Json(), Json::array(), Json{{"format", "ptnas-x"}},
                              Json{{"format", 1}, {"version", 1}}}) {
    expect_error([&] { check_version(foreign, "ptnas-x", 2, "f.json"); },
                 {"f.json is not a file of format ptnas-x"});
  }
}

}  // namespace
}  // namespace ptnas
