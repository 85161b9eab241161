#include "ptnas/core/array_pickle_testing.h"
#include "ptnas/core/pickle.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

using namespace testing_arrays;
using Kind = PickleValue::Kind;

constexpr Writer kWriters[] = {Writer::kPython2, Writer::kProtocol2, Writer::kProtocol3, Writer::kProtocol4};

Pickle read(Writer writer, const std::string& body) { return read_array_pickle(pickle(writer, body), "x"); }

void expect_refused(const std::string& body, const std::vector<std::string>& says,
                    Writer writer = Writer::kProtocol4) {
  expect_error([&] { read(writer, body); }, says);
}

std::string unhex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

TEST(ArrayPickle, ReadsArraysOfEveryWriter) {
  std::string all;
  for (int value = 0; value < 256; ++value) all += static_cast<char>(value);
  for (const Writer writer : kWriters) {
    const Pickle value =
        read(writer, dict(writer, {{"data", array(writer, "u1", {2, 128}, all)},
                                   {"labels", list({integers({1, 300})})},
                                   {"wide", array(writer, "i8", {1}, all.substr(0, 8), false, "<")}}));
    const PickleValue* data = value.root().find("data");
    ASSERT_NE(data, nullptr);
    EXPECT_EQ(data->kind, Kind::kArray);
    EXPECT_EQ(data->text, "u1");
    EXPECT_EQ(data->shape, (std::vector<std::int64_t>{2, 128}));
    ASSERT_NE(data->storage, nullptr);
    EXPECT_EQ(data->storage->text, all);
    EXPECT_EQ(value.root().find("labels")->items.at(1)->integer, 300);
    EXPECT_EQ(value.root().find("wide")->text, "i8");
  }
}

// What NumPy 1.24 made of {"data": arange(250, 256) as bytes [2, 3], "labels": [1, 300]}.
TEST(ArrayPickle, ReadsNumPysOwn) {
  const char* const kPickles[] = {
      "80027d7100285804000000646174617101636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563"
      "740a"
      "7102636e756d70790a6e6461727261790a71034b00857104635f636f646563730a656e636f64650a7105580100000062710658"
      "0600"
      "00006c6174696e31710786710852710987710a52710b284b014b024b0386710c636e756d70790a64747970650a710d58020000"
      "0075"
      "31710e898887710f527110284b0358010000007c71114e4e4e4affffffff4affffffff4b0074711262896805580c000000c3ba"
      "c3bb"
      "c3bcc3bdc3bec3bf711368078671145271157471166258060000006c6162656c7371175d7118284b014d2c0165752e",
      "80037d7100285804000000646174617101636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563"
      "740a"
      "7102636e756d70790a6e6461727261790a71034b008571044301627105877106527107284b014b024b03867108636e756d7079"
      "0a64"
      "747970650a710958020000007531710a898887710b52710c284b0358010000007c710d4e4e4e4affffffff4affffffff4b0074"
      "710e"
      "62894306fafbfcfdfeff710f7471106258060000006c6162656c7371115d7112284b014d2c0165752e",
      "800495ad000000000000007d94288c0464617461948c156e756d70792e636f72652e6d756c74696172726179948c0c5f726563"
      "6f6e"
      "7374727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b014b024b03869468"
      "058c"
      "0564747970659493948c02753194898887945294284b038c017c944e4e4e4affffffff4affffffff4b00749462894306fafbfc"
      "fdfe"
      "ff947494628c066c6162656c73945d94284b014d2c0165752e"};
  for (const char* const digits : kPickles) {
    const Pickle value = read_array_pickle(unhex(digits), "x");
    const PickleValue* data = value.root().find("data");
    ASSERT_NE(data, nullptr);
    ASSERT_NE(data->storage, nullptr);
    EXPECT_EQ(data->shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(data->storage->text, "\xFA\xFB\xFC\xFD\xFE\xFF");
    EXPECT_EQ(value.root().find("labels")->items.at(0)->integer, 1);
  }
}

TEST(ArrayPickle, ReadsNumPyTwosName) {
  std::string body = array(Writer::kProtocol2, "u1", {1}, "z");
  body.replace(body.find("numpy.core"), 10, "numpy._core");
  EXPECT_EQ(read(Writer::kProtocol2, body).root().storage->text, "z");
}

TEST(ArrayPickle, OtherGlobalsAreRefusedByName) {
  for (const Writer writer : kWriters) {
    expect_refused(global(writer, "os", "system") + tuple({text(writer, "touch x")}) + "R",
                   {"x", "`os.system`", "nothing was executed"}, writer);
  }
  expect_refused(global(Writer::kProtocol4, "builtins", "eval"), {"builtins.eval"});
  expect_refused(global(Writer::kProtocol4, "numpy", "load"), {"numpy.load"});
  expect_refused(global(Writer::kProtocol4, "numpy.core.multiarray", "scalar"), {"multiarray.scalar"});
  expect_refused(global(Writer::kProtocol4, "_codecs", "decode"), {"_codecs.decode"});
  expect_refused(global(Writer::kProtocol4, "collections", "OrderedDict"), {"collections.OrderedDict"});
}

TEST(ArrayPickle, KnownGlobalsAreNotCalledInOtherWays) {
  const Writer w = Writer::kProtocol4;
  const std::string reconstruct = global(w, "numpy.core.multiarray", "_reconstruct");
  expect_refused(reconstruct + tuple({global(w, "numpy", "dtype")}) + "R", {"unknown way"});
  expect_refused(reconstruct + ")R", {"unknown way"});
  expect_refused(global(w, "numpy", "ndarray") + ")R", {"unknown way"});
  expect_refused(global(w, "numpy", "dtype") + tuple({testing_values::integer(8)}) + "R", {"unknown way"});
  expect_refused(global(w, "_codecs", "encode") + tuple({text(w, "x"), text(w, "zlib")}) + "R",
                 {"unknown way"});
  expect_refused(global(w, "_codecs", "encode") + tuple({text(w, "x")}) + "R", {"unknown way"});
  expect_refused("}}b", {"damaged"});
  expect_refused("]" + tuple({"N"}) + "b", {"damaged"});
}

TEST(ArrayPickle, ArraysThatCannotBe) {
  const Writer w = Writer::kProtocol4;
  expect_refused(array(w, "u1", {2, 3}, "12345"), {"damaged"});
  expect_refused(array(w, "u1", {2, -3}, "123456"), {"damaged"});
  expect_refused(array(w, "i8", {1 << 30, 1 << 30, 1 << 30}, ""), {"damaged"});
  expect_refused(array(w, "O8", {1}, "12345678"), {"`O8`", "plain numbers"});
  expect_refused(array(w, "f1", {1}, "1"), {"`f1`"});
  expect_refused(array(w, "u3", {1}, "123"), {"`u3`"});
  expect_refused(array(w, "i4", {1}, "1234", false, ">"), {"byte order `>`"});
  expect_refused(array(w, "u1", {2, 2}, "1234", true), {"Fortran"});
  EXPECT_EQ(read(w, array(w, "u1", {4}, "1234", true)).root().storage->text, "1234");
  // Characters that are no bytes, and half a character.
  for (const char* wrong : {"\xC4\x80", "\xC3", "\xC3(", "\xFF\xBF", "\x80"}) {
    expect_refused(global(Writer::kProtocol2, "_codecs", "encode") +
                       tuple({text(Writer::kProtocol2, wrong), text(Writer::kProtocol2, "latin1")}) + "R",
                   {"damaged"}, Writer::kProtocol2);
  }
}

TEST(ArrayPickle, OtherProtocolsAreRefused) {
  for (const char* start : {"\x80\x01N.", "\x80\x05N.", "N."})
    expect_error([&] { read_array_pickle(start, "x"); }, {"x", "protocol 2 to 4"});
  expect_error([] { read_array_pickle("", "x"); }, {"x", "truncated"});
  // Bytes came with protocol 3.
  expect_error(
      [] {
        read_array_pickle(
            "\x80\x02"
            "C\x01z.",
            "x");
      },
      {"instruction 0x43"});
}

TEST(ArrayPickle, EveryTruncationIsRefusedAndNoAlteredByteCrashes) {
  for (const Writer writer : {Writer::kProtocol2, Writer::kProtocol4}) {
    const std::string whole = pickle(
        writer,
        dict(writer, {{"data", array(writer, "u1", {2, 2}, "\xFE\x01z\x80")}, {"l", list({integers({1})})}}));
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_THROW(read_array_pickle(std::string_view(whole).substr(0, size), "x"), Error) << size;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (int value = 0; value < 256; ++value) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(value);
        try {
          read_array_pickle(damaged, "x");
        } catch (const Error&) {
        }
      }
    }
  }
}

}  // namespace
}  // namespace ptnas
