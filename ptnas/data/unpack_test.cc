#include "ptnas/data/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include "ptnas/core/files.h"
#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

struct TestEntry {
  std::string name, content;
  unsigned type = AE_IFREG;
  std::string symlink = "", hardlink = "";
};

class UnpackTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directory(into_); }
  fs::path pack(const std::vector<TestEntry>& entries, int filter = ARCHIVE_FILTER_GZIP,
                int format = ARCHIVE_FORMAT_TAR_PAX_RESTRICTED) {
    const fs::path path = folder_ / "archive";
    archive* writer = archive_write_new();
    archive_write_add_filter(writer, filter);
    archive_write_set_format(writer, format);
    archive_write_open_filename(writer, path.c_str());
    for (const TestEntry& entry : entries) {
      archive_entry* header = archive_entry_new();
      archive_entry_set_pathname(header, entry.name.c_str());
      archive_entry_set_filetype(header, entry.type);
      archive_entry_set_perm(header, 06777);
      archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
      if (!entry.symlink.empty()) archive_entry_set_symlink(header, entry.symlink.c_str());
      if (!entry.hardlink.empty()) archive_entry_set_hardlink(header, entry.hardlink.c_str());
      archive_write_header(writer, header);
      archive_write_data(writer, entry.content.data(), entry.content.size());
      archive_entry_free(header);
    }
    archive_write_free(writer);
    return path;
  }
  void expect_refusal(const std::vector<TestEntry>& entries, const std::string& says) {
    fs::remove_all(into_);
    fs::create_directory(into_);
    const fs::path path = pack(entries);
    expect_error([&] { unpack(path, into_); }, {says});
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    EXPECT_THAT(names, testing::UnorderedElementsAre("archive", "into"));
    for (const auto& entry : fs::recursive_directory_iterator(into_)) EXPECT_FALSE(entry.is_symlink());
  }
  ScratchDirectory folder_;
  fs::path into_ = folder_ / "into";
};

TEST_F(UnpackTest, FormatsAndFiltersWithoutTheFolderAround) {
  const std::vector<TestEntry> entries = {
      {"set/", "", AE_IFDIR}, {"set/a.bin", "a"}, {"set/sub/b.bin", std::string(300'000, 'b')}};
  for (const int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ,
                           ARCHIVE_FILTER_ZSTD}) {
    fs::remove_all(into_);
    fs::create_directory(into_);
    unpack(pack(entries, filter), into_);
    EXPECT_EQ(read_file(into_ / "a.bin"), "a") << filter;
    EXPECT_EQ(read_file(into_ / "sub/b.bin").size(), 300'000u) << filter;
  }
  fs::remove_all(into_);
  fs::create_directory(into_);
  unpack(pack({{"./a.bin", "a"}, {"./b.bin", "b"}}, ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_ZIP), into_);
  EXPECT_EQ(read_file(into_ / "b.bin"), "b");
  EXPECT_EQ(fs::status(into_ / "b.bin").permissions() & (fs::perms::set_uid | fs::perms::owner_exec),
            fs::perms::none);
}

TEST_F(UnpackTest, NothingLeavesTheFolder) {
  expect_refusal({{"../evil", "x"}}, "leaves the folder");
  expect_refusal({{"a/../../evil", "x"}}, "leaves the folder");
  expect_refusal({{"/tmp/ptnas-evil", "x"}}, "absolute");
  expect_refusal({{"link", "", AE_IFLNK, "/tmp"}, {"link/evil", "x"}}, "a link");
  expect_refusal({{"link", "", AE_IFLNK, ".."}}, "a link");
  expect_refusal({{"hard", "", AE_IFREG, "", "../archive"}}, "a link");
  expect_refusal({{"pipe", "", AE_IFIFO}}, "neither a file nor a folder");
  expect_refusal({{"device", "", AE_IFCHR}}, "neither a file nor a folder");
  expect_refusal({{"a", "1"}, {"a", "2"}}, "there twice");
  expect_refusal({{"a", "1"}, {"a/b", "2"}}, "a folder where a file is");
  expect_refusal({{"..\\evil", "x"}}, "backslash");
  expect_refusal({{"a\nb", "x"}}, "control character");
}

TEST_F(UnpackTest, LimitsAndDamage) {
  const fs::path path = pack({{"a", std::string(100'000, '\0')}, {"b", "b"}});
  expect_error([&] { unpack(path, into_, {.bytes = 99'999}); }, {"99999 bytes"});
  fs::remove(into_ / "a");
  expect_error([&] { unpack(path, into_, {.entries = 1}); }, {"1 entries"});
  const std::string whole =
      read_file(pack({{"c", std::string(3'000'000, 'x') + std::string(1000, 'y')}}, ARCHIVE_FILTER_NONE));
  write_file(folder_ / "cut", whole.substr(0, whole.size() / 2));
  expect_error([&] { unpack(folder_ / "cut", into_); }, {"cut", "fetch it again"});
  write_file(folder_ / "text", "This is no archive.\n");
  expect_error([&] { unpack(folder_ / "text", into_); }, {"text"});
  expect_error([&] { unpack(folder_ / "nowhere", into_); }, {"nowhere"});
}

}  // namespace
}  // namespace ptnas
