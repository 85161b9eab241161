#include "ptnas/core/pickle.h"
#include "ptnas/core/testing.h"
#include "ptnas/core/value_pickle_testing.h"

namespace ptnas {
namespace {

using namespace testing_values;
using Kind = PickleValue::Kind;

Pickle read(const std::string& body) { return read_value_pickle(pickle(body), "x.pbz2"); }

void expect_refused(const std::string& body, const std::vector<std::string>& says) {
  expect_error([&] { read(body); }, says);
}

std::string eight_bytes(double value) { return little_endian(std::bit_cast<std::uint64_t>(value), 8); }

TEST(ValuePickle, ReadsPlainValuesAndContainers) {
  const Pickle value =
      read(tuple({"N", "\x88", integer(-5), real(1.5), text("name"), bytes(std::string("\0b", 2)),
                  list({integer(1), integer(2)}), set({integer(7)}), set({}),
                  ordered_dict({{integer(199), real(2)}, {text("key"), text("value")}}),
                  "B" + little_endian(3, 4) + "abc"}));
  const auto& items = value.root().items;
  ASSERT_EQ(items.size(), 11u);
  EXPECT_EQ(items[0]->kind, Kind::kNone);
  EXPECT_EQ(items[2]->integer, -5);
  EXPECT_EQ(items[3]->real, 1.5);
  EXPECT_EQ(items[4]->text, "name");
  EXPECT_EQ(items[5]->kind, Kind::kBytes);
  EXPECT_EQ(items[5]->text, std::string("\0b", 2));
  EXPECT_EQ(items[6]->items.size(), 2u);
  EXPECT_EQ(items[7]->kind, Kind::kSet);
  EXPECT_EQ(items[7]->items.at(0)->integer, 7);
  EXPECT_TRUE(items[8]->items.empty());
  EXPECT_EQ(items[9]->find(199)->real, 2);
  EXPECT_EQ(items[9]->find("key")->text, "value");
  EXPECT_EQ(items[9]->find(7), nullptr);
  EXPECT_EQ(items[10]->text, "abc");
}

TEST(ValuePickle, TheMemoCountsByItself) {
  // "a" is entry 0, "b" entry 1; both come again.
  const Pickle value = read("(" + text("a") + text("b") + "h\x01j" + little_endian(0, 4) + "t");
  EXPECT_EQ(value.root().items[2]->text, "b");
  EXPECT_EQ(value.root().items[3]->text, "a");
}

TEST(ValuePickle, NumPyNumbersBecomePlainOnes) {
  EXPECT_EQ(read(scalar("f8", eight_bytes(0.129306))).root().real, 0.129306);
  EXPECT_EQ(read(scalar("f4", little_endian(std::bit_cast<std::uint32_t>(-2.5f), 4))).root().real, -2.5);
  EXPECT_EQ(read(scalar("i8", std::string(8, '\xff'))).root().integer, -1);
  EXPECT_EQ(read(scalar("i4", std::string(4, '\xfe'))).root().integer, -0x1010102);
  EXPECT_EQ(read(scalar("i4", std::string(4, '\1'))).root().kind, Kind::kInteger);
}

TEST(ValuePickle, OtherNumPyTypesAreRefused) {
  expect_refused(scalar("O8", eight_bytes(1)), {"x.pbz2", "`O8`", "Python number"});
  expect_refused(scalar("f8", eight_bytes(1), ">"), {"x.pbz2", "byte order `>`"});
  expect_refused(scalar("f8", "short"), {"x.pbz2", "damaged"});
  expect_refused(global("numpy", "dtype") + tuple({text("f8")}) + "R" + integer(3) + "b", {"damaged"});
}

TEST(ValuePickle, OtherGlobalsAreRefusedByName) {
  expect_refused(global("os", "system") + tuple({text("touch /tmp/ptnas-was-here")}) + "R",
                 {"x.pbz2", "`os.system`", "nothing was executed"});
  expect_refused("cposix\nsystem\n", {"posix.system"});
  expect_refused(global("builtins", "eval"), {"builtins.eval"});
  expect_refused(global("builtins", "getattr"), {"builtins.getattr"});
  expect_refused(global("numpy.core.multiarray", "_reconstruct"), {"numpy.core.multiarray._reconstruct"});
  expect_refused(global("numpy", "load"), {"numpy.load"});
  expect_refused(global("numpy", "dtype.__class__"), {"not allowed"});
  expect_refused(global("torch._utils", "_rebuild_tensor_v2"), {"torch._utils._rebuild_tensor_v2"});
  expect_refused(integer(1) + text("system") + "\x93", {"damaged"});
}

TEST(ValuePickle, KnownGlobalsAreNotCalledInOtherWays) {
  expect_refused(global("collections", "OrderedDict") + tuple({list({})}) + "R", {"unknown way"});
  expect_refused(global("numpy", "dtype") + tuple({integer(8)}) + "R", {"unknown way"});
  expect_refused(global("numpy", "dtype") + ")R", {"unknown way"});
  expect_refused(global("numpy.core.multiarray", "scalar") + tuple({text("f8"), bytes("x")}) + "R",
                 {"unknown way"});
  expect_refused(global("collections", "OrderedDict") + dict({}) + "b", {"builds an object"});
  expect_refused(text("f") + ")R", {"damaged"});
}

TEST(ValuePickle, OtherInstructionsAndProtocolsAreRefused) {
  for (const char* code : {"i", "o", "\x81", "\x82", "\x92", "P", "Q", "p", "I", "F", "\x8d", "\x96", "0"})
    expect_refused(std::string("N") + code + "1\n2\n", {"x.pbz2", "instruction", "NATS-Bench"});
  for (const char* start : {"\x80\x02N.", "\x80\x03N.", "\x80\x05N.", "N."})
    expect_error([&] { read_value_pickle(start, "x.pbz2"); }, {"x.pbz2", "protocol 4"});
}

TEST(ValuePickle, EveryTruncationIsRefusedAndNoAlteredByteCrashes) {
  const std::string whole =
      pickle(ordered_dict({{text("12"), dict({{text("params"), scalar("f8", eight_bytes(1))}})},
                           {text("names"), list({text("x"), integer(3)})},
                           {text("none"), set({integer(1)})}}));
  EXPECT_EQ(read_value_pickle(whole + "more", "x.pbz2").size(), whole.size());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(read_value_pickle(std::string_view(whole).substr(0, size), "x.pbz2"), Error) << size;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(value);
      try {
        read_value_pickle(damaged, "x.pbz2");
      } catch (const Error&) {
      }
    }
  }
}

TEST(ValuePickle, RefusesGiantLengthsAndSelfReference) {
  expect_refused("B" + little_endian(0xffffffff, 4) + "abc", {"x.pbz2", "truncated"});
  expect_refused("\x95" + little_endian(std::uint64_t{1} << 62, 8), {"x.pbz2", "truncated"});
  expect_refused("]\x94h" + std::string(1, '\0') + "a", {"x.pbz2", "holds itself"});
  expect_refused("\x8f\x94(h" + std::string(1, '\0') + "\x90", {"x.pbz2", "holds itself"});
  expect_refused("(" + std::string(3000000, 'N') + "t", {"x.pbz2", "values"});
}

}  // namespace
}  // namespace ptnas
