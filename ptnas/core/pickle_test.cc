#include "ptnas/core/pickle.h"

#include "ptnas/core/testing.h"
#include "ptnas/core/torch_file_testing.h"

namespace ptnas {
namespace {

using namespace testing_torch;
using Kind = PickleValue::Kind;

Pickle read(const std::string& body) { return read_pickle(pickle(body), "x.pt"); }

void expect_refused(const std::string& body, const std::vector<std::string>& says) {
  expect_error([&] { read(body); }, says);
}

TEST(Pickle, ReadsPlainValues) {
  const Pickle value =
      read(tuple({"N", "\x88", "\x89", integer(-5), "K\x07", "M" + little_endian(300, 2),
                  "J" + little_endian(0xffffffff, 4), "G" + std::string("\x3f\xf8\0\0\0\0\0\0", 8),
                  text("name"), "U\x02xy", "T" + little_endian(1, 4) + "z", list({integer(1), integer(2)}),
                  dict({{"key", text("value")}})}));
  const auto& items = value.root().items;
  ASSERT_EQ(items.size(), 13u);
  EXPECT_EQ(items[0]->kind, Kind::kNone);
  EXPECT_EQ(items[1]->integer, 1);
  EXPECT_EQ(items[2]->integer, 0);
  EXPECT_EQ(items[3]->integer, -5);
  EXPECT_EQ(items[4]->integer, 7);
  EXPECT_EQ(items[5]->integer, 300);
  EXPECT_EQ(items[6]->integer, -1);
  EXPECT_EQ(items[7]->real, 1.5);
  EXPECT_EQ(items[8]->text, "name");
  EXPECT_EQ(items[9]->text, "xy");
  EXPECT_EQ(items[10]->text, "z");
  EXPECT_EQ(items[11]->items.size(), 2u);
  EXPECT_EQ(items[12]->find("key")->text, "value");
  EXPECT_EQ(items[12]->find("other"), nullptr);
}

TEST(Pickle, ReadsSingleInstructionsAndTheMemo) {
  // [1] by APPEND, {"a": that list} by SETITEM, the list taken from the memo twice.
  const Pickle value = read("}" + text("a") +
                            "]q\x05K\x01"
                            "as" +
                            text("b") + "h\x05s");
  EXPECT_EQ(value.root().find("a")->items.size(), 1u);
  EXPECT_EQ(value.root().find("a"), value.root().find("b"));
  const Pickle wide =
      read(std::string("]r") + little_endian(70000, 4) + "j" + little_endian(70000, 4) + "\x86");
  EXPECT_EQ(wide.root().items[0], wide.root().items[1]);
  EXPECT_EQ(read("K\x01\x85").root().items.size(), 1u);
  EXPECT_EQ(read("K\x01K\x02K\x03\x87").root().items[2]->integer, 3);
}

TEST(Pickle, ReadsTensorsOfAnyDeviceAndParameters) {
  const Pickle value = read(tensor(storage("FloatStorage", "7", 12, "cuda:3"), {2, 3}, {3, 1}, 4));
  const PickleValue& root = value.root();
  EXPECT_EQ(root.kind, Kind::kTensor);
  EXPECT_EQ(root.integer, 4);
  EXPECT_EQ(root.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(root.strides, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(root.storage->text, "FloatStorage");
  EXPECT_EQ(root.storage->key, "7");
  EXPECT_EQ(root.storage->integer, 12);

  const Pickle parameter =
      read(global("torch._utils", "_rebuild_parameter") +
           tuple({tensor(storage("LongStorage", "k", 1), {}, {}), "\x88", ordered_dict({})}) + "R");
  EXPECT_EQ(parameter.root().kind, Kind::kTensor);
  EXPECT_EQ(parameter.root().storage->text, "LongStorage");
}

TEST(Pickle, AViewOfAStorageMovesItsTensors) {
  const auto viewed = [](const std::string& view) {
    return tensor(
        tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), integer(10), view}) +
            "Q",
        {2}, {1}, 1);
  };
  EXPECT_EQ(read(viewed("N")).root().integer, 1);
  EXPECT_EQ(read(viewed(tuple({text("v"), integer(4), integer(5)}))).root().integer, 5);
  expect_refused(viewed(tuple({text("v"), integer(-4), integer(5)})), {"x.pt", "view"});
  expect_refused(viewed(text("v")), {"x.pt", "view"});
}

TEST(Pickle, AnOrderedDictMayCarryAttributes) {
  const Pickle value =
      read(ordered_dict({{"a", integer(1)}}) + dict({{"_metadata", ordered_dict({})}}) + "b");
  EXPECT_EQ(value.root().find("a")->integer, 1);
  EXPECT_EQ(value.root().find("_metadata"), nullptr);
}

TEST(Pickle, OtherGlobalsAreRefusedByName) {
  expect_refused(global("os", "system") + tuple({text("touch /tmp/ptnas-was-here")}) + "R",
                 {"x.pt", "`os.system`", "nothing was executed"});
  expect_refused(global("posix", "system"), {"posix.system"});
  expect_refused(global("builtins", "eval"), {"builtins.eval"});
  expect_refused(global("torch", "load"), {"torch.load"});
  expect_refused(global("torch._utils", "_rebuild_tensor_v2.__globals__"), {"not allowed"});
  expect_refused(global("numpy.core.multiarray", "scalar"), {"numpy.core.multiarray.scalar"});
}

TEST(Pickle, KnownGlobalsAreNotCalledInOtherWays) {
  expect_refused(global("collections", "OrderedDict") + tuple({list({})}) + "R", {"unknown way"});
  expect_refused(global("torch", "FloatStorage") + tuple({integer(1000000000)}) + "R", {"unknown way"});
  expect_refused(global("torch._utils", "_rebuild_tensor_v2") + tuple({}) + "R", {"unknown way"});
  expect_refused(global("torch", "FloatStorage") + dict({}) + "b", {"builds an object"});
  expect_refused(text("f") + tuple({}) + "R", {"damaged"});
}

TEST(Pickle, OtherInstructionsAreRefused) {
  for (const char* code : {"i", "o", "\x81", "\x82", "\x92", "\x93", "P", "p", "I", "F", "\x8c", "\x94", "0"})
    expect_refused(std::string("N") + code + "1\n2\n", {"x.pt", "instruction", "nothing was executed"});
}

TEST(Pickle, OtherProtocolsAreRefused) {
  for (const char* bytes : {"\x80\x03N.", "\x80\x04N.", "N.", "\x80"})
    EXPECT_THROW(read_pickle(bytes, "x.pt"), Error) << bytes;
  expect_error([] { read_pickle("\x80\x04N.", "x.pt"); }, {"x.pt", "protocol 2"});
  expect_error([] { read_pickle("", "x.pt"); }, {"x.pt", "truncated"});
}

TEST(Pickle, EveryTruncationIsRefused) {
  const std::string whole = pickle(
      dict({{"state_dict", ordered_dict({{"w", tensor(storage("FloatStorage", "0", 6), {2, 3}, {3, 1})}})},
            {"epoch", integer(3)},
            {"list", list({integer(1), text("x")})}}));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(read_pickle(std::string_view(whole).substr(0, size), "x.pt"), Error) << size;
  EXPECT_EQ(read_pickle(whole + "more", "x.pt").size(), whole.size());
}

TEST(Pickle, AnyAlteredByteIsAnErrorOrAnotherValue) {
  const std::string whole =
      pickle(dict({{"w", tensor(storage("FloatStorage", "0", 6), {2, 3}, {3, 1})}, {"n", integer(3)}}));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(value);
      try {
        read_pickle(damaged, "x.pt");
      } catch (const Error&) {
      }
    }
  }
}

TEST(Pickle, RefusesValuesThatHoldThemselves) {
  expect_refused(
      "]q\x01h\x01"
      "a",
      {"x.pt", "holds itself"});
  expect_refused("}q\x01" + text("me") + "h\x01s", {"x.pt", "holds itself"});
  expect_refused(
      "]q\x01h\x01\x85"
      "a",
      {"x.pt", "holds itself"});
}

TEST(Pickle, RefusesDeepNesting) {
  const auto nested = [](std::size_t depth) { return std::string(depth, ']') + std::string(depth - 1, 'a'); };
  EXPECT_EQ(read(nested(60)).root().items.size(), 1u);
  expect_refused(nested(1000), {"x.pt", "nested too deeply"});
  expect_refused(nested(1000000), {"x.pt", "nested too deeply"});
  std::string tuples = ")";
  for (int i = 0; i < 100000; ++i) tuples += "\x85";
  expect_refused(tuples, {"x.pt", "nested too deeply"});
  expect_refused(std::string(1000000, '('), {"x.pt", "damaged"});
}

TEST(Pickle, SharedValuesAreCheckedOnce) {
  // Each list holds the one before twice: 2^50 paths through it.
  std::string body = "]q\x01";
  for (int i = 0; i < 50; ++i)
    body = body +
           "](h\x01h\x01"
           "eq\x01";
  const Pickle value = read("(" + body + "t");
  EXPECT_EQ(value.root().items.size(), 51u);
}

TEST(Pickle, RefusesGiantLengthsAndCounts) {
  expect_refused("X" + little_endian(0xffffffff, 4) + "abc", {"x.pt", "truncated"});
  expect_refused("\x8a\xff" + std::string(255, 'x'), {"x.pt", "damaged"});
  expect_refused("(" + std::string(3000000, 'N') + "t", {"x.pt", "values"});
  expect_refused(tensor(storage("FloatStorage", "0", -1), {2}, {1}), {"x.pt", "storage"});
  expect_refused(tensor(storage("FloatStorage", "0", 4), {-2}, {1}), {"x.pt", "damaged"});
  expect_refused(tensor(storage("FloatStorage", "0", 4), {2}, {1, 1}), {"x.pt", "damaged"});
  expect_refused(tensor(storage("FloatStorage", "0", 4), {2}, {1}, -1), {"x.pt", "damaged"});
  expect_refused(tensor(storage("FloatStorage", "0", 4), std::vector<std::int64_t>(40, 1),
                        std::vector<std::int64_t>(40, 1)),
                 {"x.pt", "damaged"});
}

TEST(Pickle, RefusesAStackThatIsEmptyOrMarked) {
  for (const char* body :
       {"", "a", "s", "R", "b", "Q", "t", "e", "u", "\x85", "(", "Nh\x09", "q\x01", "(Nu", "N(N)R"})
    EXPECT_THROW(read(body), Error) << body;
}

}  // namespace
}  // namespace ptnas
