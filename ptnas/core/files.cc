#include "ptnas/core/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "ptnas/core/error.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

std::string reason() {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return std::strerror(error) + std::string(full ? "; free some space and give the same command again" : "");
}

// An open file that is closed when it goes out of scope.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Devices and pipes have nothing to sync.
bool sync_file(int fd) { return ::fsync(fd) == 0 || errno == EINVAL; }

void sync_directory(const fs::path& path) {
  const fs::path parent = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  const Descriptor directory(parent, O_RDONLY | O_DIRECTORY);
  if (directory.valid()) ::fsync(directory.get());
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  struct stat status = {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) fail("cannot read {}: {}", path.string(), reason());
  if (S_ISDIR(status.st_mode)) fail("expected a file at {}, found a directory", path.string());
  // The size is a hint only: files of /proc say 0, and a file may grow meanwhile.
  std::string content(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t size = 0;
  while (true) {
    const ssize_t got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read {}: {}", path.string(), reason());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size == content.size()) content.resize(2 * size + 4096);
  }
  content.resize(size);
  return content;
}

void write_file(const fs::path& path, std::string_view content) {
  write_file(path, std::span<const std::string_view>(&content, 1));
}

void write_file(const fs::path& path, std::span<const std::string_view> parts) {
  const fs::path temporary = path.string() + ".tmp";
  const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.valid()) fail("cannot write {}: {}", path.string(), reason());
  const bool written = std::all_of(parts.begin(), parts.end(),
                                   [&file](std::string_view part) { return write_all(file.get(), part); }) &&
                       sync_file(file.get()) && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    const std::string why = reason();
    ::unlink(temporary.c_str());
    fail("cannot write {}: {}", path.string(), why);
  }
  sync_directory(path);
}

void append_file(const fs::path& path, std::string_view content) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_APPEND);
  struct stat before = {};
  if (!file.valid() || ::fstat(file.get(), &before) != 0) {
    fail("cannot append to {}: {}", path.string(), reason());
  }
  if (write_all(file.get(), content) && sync_file(file.get())) return;
  const std::string why = reason();
  if (::ftruncate(file.get(), before.st_size) != 0)
    fail("cannot append to {}: {} (half written)", path.string(), why);
  fail("cannot append to {}: {}", path.string(), why);
}

void truncate_file(const fs::path& path, std::uint64_t size) {
  const std::uint64_t now = file_size_or_zero(path);
  if (now < size) {
    fail(
        "expected {} to have {} bytes at least, found {}: it was changed from outside; restore it or begin "
        "again elsewhere",
        path.string(), size, now);
  }
  const Descriptor file(path, O_WRONLY | O_CREAT);
  if (!file.valid() || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0 || !sync_file(file.get())) {
    fail("cannot cut {} to {} bytes: {}", path.string(), size, reason());
  }
}

std::uint64_t file_size_or_zero(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  return error ? 0 : size;
}

FileLock::FileLock(const fs::path& path) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot write {}: {}", path.string(), reason());
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      const std::string why = reason();
      ::close(descriptor_);
      fail("cannot lock {}: {}", path.string(), why);
    }
    char holder[32] = {};
    const ssize_t length = ::read(descriptor_, holder, sizeof holder - 1);
    ::close(descriptor_);
    fail("{} is in use by process {}; wait for it or stop it", path.parent_path().string(),
         length > 0 ? std::string(holder, static_cast<std::size_t>(length)) : "unknown");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 || !write_all(descriptor_, pid)) {
    const std::string why = reason();
    ::close(descriptor_);
    fail("cannot write {}: {}", path.string(), why);
  }
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

std::string gunzip(std::string_view compressed, const std::string& what, std::uint64_t limit) {
  constexpr std::size_t kBlock = 1 << 18;
  z_stream stream = {};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) fail("cannot start to decompress {}", what);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  std::string result;
  std::vector<char> block(kBlock);
  int status = Z_STREAM_END;
  bool begun = false;
  while (result.size() <= limit) {
    if (stream.avail_in == 0) {  // zlib counts in 32 bits: hand the input over in pieces
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
      stream.avail_in = static_cast<uInt>(std::min(compressed.size(), kBlock));
      compressed.remove_prefix(stream.avail_in);
    }
    if (status == Z_STREAM_END && begun) {
      if (stream.avail_in == 0) break;
      inflateReset(&stream);  // another member follows
    }
    begun = true;
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) break;
    result.append(block.data(), block.size() - stream.avail_out);
  }
  if (result.size() > limit) fail("{} is larger than {} bytes when decompressed", what, limit);
  if (status != Z_STREAM_END) fail("{} is not a whole gzip file: it is damaged or truncated", what);
  return result;
}

}  // namespace ptnas
