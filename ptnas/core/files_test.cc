#include "ptnas/core/files.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zlib.h>

#include <array>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

namespace fs = std::filesystem;

// Files of this process can't grow over `bytes` while the object lives: writing then fails as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

std::size_t files_in(const fs::path& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

std::string gzip(const std::string& content) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

TEST(FilesTest, WrittenFilesReadBackAndAreReplaced) {
  const ScratchDirectory scratch;
  const std::string content("a\0\n\r\xff", 5);
  write_file(scratch / "x", "longer than the next content");
  write_file(scratch / "x", content);
  EXPECT_EQ(read_file(scratch / "x"), content);
  const std::array<std::string_view, 3> parts = {"one", "", "two"};
  write_file(scratch / "x", parts);
  EXPECT_EQ(read_file(scratch / "x"), "onetwo");
  write_file(scratch / "x", "");
  EXPECT_EQ(read_file(scratch / "x"), "");
  EXPECT_EQ(files_in(scratch.path()), 1u);
}

TEST(FilesTest, LargeFilesAndFilesWithoutASizeAreReadWhole) {
  const ScratchDirectory scratch;
  const std::string large(3 << 20, 'x');
  write_file(scratch / "x", large);
  EXPECT_EQ(read_file(scratch / "x"), large);
  EXPECT_NE(read_file("/proc/self/status").find("Threads:"), std::string::npos);
}

TEST(FilesTest, UnreadableAndUnwritablePathsAreNamedWithTheReason) {
  const ScratchDirectory scratch;
  expect_error([&] { read_file(scratch / "absent"); }, {"cannot read", "absent", "No such file"});
  expect_error([&] { read_file(scratch.path()); }, {"found a directory"});
  expect_error([&] { write_file(scratch / "no/such/x", "a"); },
               {"cannot write", "no/such/x", "No such file"});
  write_file(scratch / "file", "");
  expect_error([&] { write_file(scratch / "file/x", "a"); }, {"cannot write", "Not a directory"});
  expect_error([&] { append_file(scratch / "file/x", "a"); }, {"cannot append", "Not a directory"});
  fs::create_directory(scratch / "directory");
  expect_error([&] { write_file(scratch / "directory", "a"); }, {"cannot write", "directory"});
  EXPECT_EQ(files_in(scratch.path()), 2u);
}

TEST(FilesTest, AFullDiskLeavesTheOldFileAndNoTemporaryOne) {
  const ScratchDirectory scratch;
  write_file(scratch / "x", "old");
  {
    const FileSizeLimit limit(1 << 16);
    expect_error([&] { write_file(scratch / "x", std::string(1 << 20, 'n')); },
                 {"cannot write", "too large", "free some space"});
  }
  EXPECT_EQ(read_file(scratch / "x"), "old");
  EXPECT_EQ(files_in(scratch.path()), 1u);
}

TEST(FilesTest, AFullDiskLeavesAnAppendedFileAsItWas) {
  const ScratchDirectory scratch;
  append_file(scratch / "x", "first\n");
  {
    const FileSizeLimit limit(100);
    expect_error([&] { append_file(scratch / "x", std::string(1000, 'n')); },
                 {"cannot append", "free some space"});
  }
  EXPECT_EQ(read_file(scratch / "x"), "first\n");
  append_file(scratch / "x", "second\n");
  EXPECT_EQ(read_file(scratch / "x"), "first\nsecond\n");
}

TEST(FilesTest, AppendingToAFullDeviceFails) {
  if (!fs::is_character_file("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  expect_error([] { append_file("/dev/full", "x"); }, {"cannot append to /dev/full", "No space left"});
}

TEST(FilesTest, FilesAreCutButNeverLengthened) {
  const ScratchDirectory scratch;
  append_file(scratch / "x", "0123456789");
  truncate_file(scratch / "x", 4);
  EXPECT_EQ(read_file(scratch / "x"), "0123");
  EXPECT_EQ(file_size_or_zero(scratch / "x"), 4u);
  expect_error([&] { truncate_file(scratch / "x", 5); }, {"5 bytes", "found 4"});
  EXPECT_EQ(read_file(scratch / "x"), "0123");
  EXPECT_EQ(file_size_or_zero(scratch / "new"), 0u);
  truncate_file(scratch / "new", 0);
  EXPECT_TRUE(fs::exists(scratch / "new"));
  expect_error([&] { truncate_file(scratch / "absent", 1); }, {"absent"});
}

TEST(FilesTest, ALockKeepsOthersOutAndNamesItsHolder) {
  const ScratchDirectory scratch;
  {
    FileLock lock(scratch / "lock");
    expect_error([&] { FileLock second(scratch / "lock"); },
                 {scratch.path().string(), "process " + std::to_string(::getpid())});
    const FileLock moved(std::move(lock));
    expect_error([&] { FileLock second(scratch / "lock"); }, {"in use by process"});
  }
  EXPECT_NO_THROW(FileLock(scratch / "lock"));
  expect_error([&] { FileLock(scratch / "no/lock"); }, {"no/lock", "No such file"});
}

TEST(FilesTest, TheLockOfADeadProcessIsFree) {
  const ScratchDirectory scratch;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(scratch / "lock");
    if (::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  expect_error([&] { FileLock(scratch / "lock"); }, {"in use by process " + std::to_string(child) + ";"});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_NO_THROW(FileLock(scratch / "lock"));
  EXPECT_EQ(read_file(scratch / "lock"), std::to_string(::getpid()));
}

TEST(FilesTest, GzipIsInflatedAlsoInSeveralMembersAndPieces) {
  std::string content;
  for (int i = 0; i < 200000; ++i) content += std::to_string(i * 7919 % 100003);
  EXPECT_EQ(gunzip(gzip(content), "x"), content);
  EXPECT_EQ(gunzip(gzip("one") + gzip("") + gzip("two"), "x"), "onetwo");
  EXPECT_EQ(gunzip(gzip(""), "x"), "");
}

TEST(FilesTest, DamagedGzipIsNamed) {
  const std::string whole = gzip(std::string(5000, 'a') + "b");
  std::string damaged = whole;
  damaged[damaged.size() - 6] ^= 1;  // its checksum
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string("not gzip at all"), whole.substr(0, whole.size() - 1),
        whole.substr(0, 12), damaged, whole + "tail", whole + whole.substr(0, 5)}) {
    expect_error([&] { gunzip(bad, "train.gz"); }, {"train.gz is not a whole gzip file"});
  }
}

TEST(FilesTest, AGzipBombIsStopped) {
  const std::string bomb = gzip(std::string(10 << 20, '\0'));
  expect_error([&] { gunzip(bomb, "bomb.gz", 1 << 20); }, {"bomb.gz is larger than 1048576 bytes"});
  EXPECT_EQ(gunzip(gzip("abc"), "x", 3), "abc");
}

}  // namespace
}  // namespace ptnas
