#include "ptnas/core/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "ptnas/core/error.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

std::string reason() { return std::strerror(errno); }

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

void sync_directory(const fs::path& path) {
  const fs::path parent = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  const Descriptor directory(parent, O_RDONLY | O_DIRECTORY);
  if (directory.valid()) ::fsync(directory.get());
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) fail("expected a file at {}, found a directory", path.string());
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read {}: {}", path.string(), reason());
  std::ostringstream content;
  content << file.rdbuf();
  if (file.bad()) fail("cannot read {}: {}", path.string(), reason());
  return std::move(content).str();
}

void write_file(const fs::path& path, std::string_view content) {
  const fs::path temporary = path.string() + ".tmp";
  {
    const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.valid()) fail("cannot write {}: {}", path.string(), reason());
    if (!write_all(file.get(), content) || ::fsync(file.get()) != 0) {
      const std::string why = reason();
      ::unlink(temporary.c_str());
      fail("cannot write {}: {}; free some space and run the same command again", path.string(), why);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string why = reason();
    ::unlink(temporary.c_str());
    fail("cannot write {}: {}", path.string(), why);
  }
  sync_directory(path);
}

void append_file(const fs::path& path, std::string_view content) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_APPEND);
  if (!file.valid()) fail("cannot append to {}: {}", path.string(), reason());
  if (!write_all(file.get(), content)) fail("cannot append to {}: {}", path.string(), reason());
  ::fsync(file.get());
}

void truncate_file(const fs::path& path, std::uint64_t size) {
  const std::uint64_t now = file_size_or_zero(path);
  if (now < size) {
    fail("{} has {} bytes, but its checkpoint was written when it had {}; it was changed from outside",
         path.string(), now, size);
  }
  const Descriptor file(path, O_WRONLY | O_CREAT);
  if (!file.valid() || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
    fail("cannot cut {} to {} bytes: {}", path.string(), size, reason());
  }
  ::fsync(file.get());
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
    char holder[32] = {};
    const ssize_t length = ::read(descriptor_, holder, sizeof holder - 1);
    ::close(descriptor_);
    descriptor_ = -1;
    fail("{} is in use by process {}; wait for it or stop it", path.parent_path().string(),
         length > 0 ? std::string(holder, static_cast<std::size_t>(length)) : "unknown");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 || !write_all(descriptor_, pid)) {
    const std::string why = reason();
    ::close(descriptor_);
    descriptor_ = -1;
    fail("cannot write {}: {}", path.string(), why);
  }
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

std::string gunzip(std::string_view compressed, const std::string& what, std::uint64_t limit) {
  z_stream stream = {};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) fail("cannot start to decompress {}", what);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string result;
  std::vector<char> block(1 << 18);
  int status = Z_OK;
  while (status == Z_OK && result.size() <= limit) {
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    status = inflate(&stream, Z_NO_FLUSH);
    result.append(block.data(), block.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (result.size() > limit) fail("{} is larger than {} bytes when decompressed", what, limit);
  if (status != Z_STREAM_END) fail("{} is not a whole gzip file: it is damaged or truncated", what);
  return result;
}

}  // namespace ptnas
