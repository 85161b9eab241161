#include "ptnas/data/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

using Reader = std::unique_ptr<archive, int (*)(archive*)>;

constexpr std::size_t kBlock = 1 << 18;

// Only formats that data sets come in, and no filter that would start a program.
Reader open_reader(const fs::path& path) {
  Reader reader(archive_read_new(), archive_read_free);
  if (!reader) fail("libarchive cannot start");
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_zip(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_bzip2(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_zstd(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlock) != ARCHIVE_OK)
    return Reader(nullptr, archive_read_free);
  return reader;
}

const char* reason(archive* reader) {
  const char* text = archive_error_string(reader);
  return text == nullptr ? "damaged" : text;
}

class Unpacker {
 public:
  Unpacker(const fs::path& path, const fs::path& into, const UnpackLimits& limits)
      : path_(path), into_(into), limits_(limits), reader_(open_reader(path)), buffer_(kBlock) {
    if (!reader_)
      fail("{}: expected a tar or zip archive; give the file as its authors publish it", path.string());
  }

  void run() {
    for (archive_entry* entry = nullptr; next(&entry);) {
      if (++entries_ > limits_.entries)
        fail("{}: more than {} entries; it is not the archive that was meant", path_.string(),
             limits_.entries);
      take(entry);
    }
    if (entries_ == 0) fail("{}: the archive is empty", path_.string());
  }

 private:
  bool next(archive_entry** entry) {
    const int status = archive_read_next_header(reader_.get(), entry);
    if (status == ARCHIVE_EOF) return false;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
      fail("{}: {}; fetch it again", path_.string(), reason(reader_.get()));
    return true;
  }

  void take(archive_entry* entry) {
    const char* name = archive_entry_pathname(entry);
    const fs::path target = into_ / checked(name == nullptr ? "" : name);
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr)
      refuse(name, "a link");
    if (archive_entry_filetype(entry) == AE_IFDIR) {
      make_folder(target, name);
    } else if (archive_entry_filetype(entry) == AE_IFREG) {
      make_folder(target.parent_path(), name);
      write(target, name);
    } else {
      refuse(name, "neither a file nor a folder");
    }
  }

  // The path below `into`. There are no links on it: nothing but us writes there, and we write none.
  fs::path checked(const std::string& name) const {
    if (name.empty() || name.front() == '/') refuse(name, "an absolute path");
    fs::path result;
    for (const fs::path& part : fs::path(name)) {
      const std::string& text = part.native();
      if (text == "..") refuse(name, "a path that leaves the folder");
      if (text.find('\\') != text.npos) refuse(name, "a path with a backslash");
      for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
          refuse(name, "a path with a control character");
      }
      if (!text.empty() && text != ".") result /= part;
    }
    return result;
  }

  [[noreturn]] void refuse(const std::string& name, const char* what) const {
    std::string shown;
    for (const char c : name.substr(0, 100))
      shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    fail("{}: `{}` is {}, which no data set needs; the archive is not to be trusted", path_.string(), shown,
         what);
  }

  void make_folder(const fs::path& folder, const char* name) const {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error || !fs::is_directory(fs::symlink_status(folder))) refuse(name, "a folder where a file is");
  }

  void write(const fs::path& target, const char* name) {
    const int file = ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0 && errno == EEXIST) refuse(name, "there twice");
    if (file < 0) fail("cannot write {}: {}", target.string(), std::strerror(errno));
    const std::unique_ptr<const int, void (*)(const int*)> closer(&file,
                                                                  [](const int* open) { ::close(*open); });
    for (;;) {
      const la_ssize_t count = archive_read_data(reader_.get(), buffer_.data(), buffer_.size());
      if (count == 0) return;
      if (count < 0) fail("{}: {}; fetch it again", path_.string(), reason(reader_.get()));
      bytes_ += static_cast<std::uint64_t>(count);
      if (bytes_ > limits_.bytes)
        fail("{}: more than {} bytes when unpacked; it is not the archive that was meant", path_.string(),
             limits_.bytes);
      if (interrupt_requested()) throw Interrupted("interrupted; the same command goes on");
      write_all(file, static_cast<std::size_t>(count), target);
    }
  }

  void write_all(int file, std::size_t count, const fs::path& target) const {
    for (std::size_t done = 0; done < count;) {
      const ssize_t written = ::write(file, buffer_.data() + done, count - done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0)
        fail("cannot write {}: {}; free some space, the same command goes on", target.string(),
             std::strerror(errno));
      done += static_cast<std::size_t>(written);
    }
  }

  const fs::path &path_, &into_;
  UnpackLimits limits_;
  Reader reader_;
  std::vector<char> buffer_;
  std::uint64_t entries_ = 0, bytes_ = 0;
};

// Moves what lies in the one folder there is up into `into`.
void lift_only_folder(const fs::path& into) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(into)) found.push_back(entry.path());
  if (found.size() != 1 || !fs::is_directory(found[0])) return;
  // Under a name that nothing within it can have.
  const fs::path folder = into.string() + ".lifted";
  fs::remove_all(folder);
  fs::rename(found[0], folder);
  fs::remove(into);
  fs::rename(folder, into);
}

}  // namespace

void unpack(const fs::path& archive, const fs::path& into, const UnpackLimits& limits) {
  Unpacker(archive, into, limits).run();
  lift_only_folder(into);
}

}  // namespace ptnas
