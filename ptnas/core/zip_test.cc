#include "ptnas/core/zip.h"

#include "ptnas/core/testing.h"
#include "ptnas/core/torch_file_testing.h"

namespace ptnas {
namespace {

using namespace testing_torch;

const Named kMembers = {{"a", "first"}, {"folder/b", std::string(5000, 'x')}, {"empty", ""}};

TEST(Zip, ReadsStoredDeflatedAndZip64Members) {
  for (const ZipOptions options : {ZipOptions{}, ZipOptions{true, false}, ZipOptions{false, true}}) {
    const ZipArchive archive(zip(kMembers, options), "x.zip");
    EXPECT_EQ(archive.names(), (std::vector<std::string>{"a", "empty", "folder/b"}));
    for (const auto& [name, data] : kMembers) EXPECT_EQ(archive.read(name), data);
    EXPECT_TRUE(archive.has("a"));
    EXPECT_FALSE(archive.has("b"));
    expect_error([&] { archive.read("b"); }, {"x.zip", "no member b"});
  }
}

TEST(Zip, ReadsAnArchiveWithAComment) {
  std::string archive = zip(kMembers);
  archive[archive.size() - 2] = 3;
  EXPECT_EQ(ZipArchive(archive + "abc", "x.zip").read("a"), "first");
}

TEST(Zip, KnowsItsOwnKind) {
  EXPECT_TRUE(ZipArchive::looks_like_one(zip(kMembers)));
  EXPECT_TRUE(ZipArchive::looks_like_one(zip({})));
  EXPECT_FALSE(ZipArchive::looks_like_one("\x80\x02."));
  EXPECT_FALSE(ZipArchive::looks_like_one(""));
}

// Reads all members; damage must end in an Error or in the right content, never in anything else.
void read_damaged(const std::string& content) {
  try {
    const ZipArchive archive(content, "x.zip");
    for (const std::string& name : archive.names()) archive.read(name);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("x.zip"), std::string::npos) << error.what();
  }
}

TEST(Zip, EveryTruncationIsRefused) {
  for (const ZipOptions options : {ZipOptions{}, ZipOptions{true, false}, ZipOptions{false, true}}) {
    const std::string archive = zip({{"a", "first"}, {"b", "second"}}, options);
    for (std::size_t size = 0; size < archive.size(); ++size)
      expect_error([&] { ZipArchive(archive.substr(0, size), "x.zip"); }, {"x.zip"});
  }
}

TEST(Zip, AnyAlteredByteIsAnErrorOrHarmless) {
  for (const ZipOptions options : {ZipOptions{}, ZipOptions{true, false}, ZipOptions{false, true}}) {
    const std::string archive = zip({{"a", "first"}, {"b", std::string(300, 'y')}}, options);
    for (std::size_t i = 0; i < archive.size(); ++i) {
      for (const char value : {'\0', '\x7f', '\xff'}) {
        std::string damaged = archive;
        damaged[i] = value;
        read_damaged(damaged);
      }
    }
  }
}

TEST(Zip, AlteredDataFailsItsChecksum) {
  std::string archive = zip({{"a", "first"}});
  archive[archive.find("first")] = 'F';
  expect_error([&] { ZipArchive(archive, "x.zip").read("a"); }, {"x.zip", "a", "checksum"});
}

TEST(Zip, RefusesLengthsThatTheArchiveCannotHave) {
  std::string archive = zip({{"a", "first"}});
  const std::size_t entry = archive.find("PK\x01\x02");
  archive.replace(entry + 20, 8, std::string(8, '\xfe'));
  expect_error([&] { ZipArchive(archive, "x.zip").read("a"); }, {"x.zip", "larger than can be"});
}

TEST(Zip, RefusesMembersThatShareTheirBytes) {
  // A second entry of the directory names the first one's data again.
  const std::string large(1000, 'z');
  std::string archive = zip({{"a", large}, {"b", large}});
  const std::size_t second = archive.find("PK\x01\x02", archive.find("PK\x01\x02") + 4);
  const std::string rest = archive.substr(archive.find("PK\x01\x02"));
  archive = archive.substr(0, archive.find("PK\x03\x04", 4)) + rest;
  const std::size_t moved = second - 1000 - 31;
  archive.replace(moved + 42, 4, little_endian(0, 4));
  archive.replace(archive.size() - 6, 4, little_endian(1031, 4));
  expect_error([&] { ZipArchive(archive, "x.zip"); }, {"x.zip", "larger than can be"});
}

TEST(Zip, RefusesAMemberThatInflatesWithoutMeasure) {
  std::string archive = zip({{"a", std::string(100000, 'x')}}, {true, false});
  archive.replace(archive.find("PK\x01\x02") + 24, 4, little_endian(0x3fffffff, 4));
  expect_error([&] { ZipArchive(archive, "x.zip").read("a"); }, {"x.zip", "cannot be decompressed"});
}

TEST(Zip, RefusesANameThatStandsTwice) {
  expect_error([&] { ZipArchive(zip({{"a", "1"}, {"a", "2"}}), "x.zip"); }, {"x.zip", "a twice"});
}

}  // namespace
}  // namespace ptnas
