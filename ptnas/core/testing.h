#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ptnas/core/error.h"

namespace ptnas {

/// For tests: a directory of one's own that goes away with the object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "ptnas-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail("cannot make the directory {}", name);
    path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// For tests: `action` must throw an Error of `kind` with every one of `says` in its message.
inline void expect_error(const std::function<void()>& action, const std::vector<std::string>& says,
                         ErrorKind kind = ErrorKind::kFailed) {
  try {
    action();
    ADD_FAILURE() << "no error, expected one that says: " << ::testing::PrintToString(says);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    for (const std::string& text : says) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos)
          << "`" << error.what() << "` does not say `" << text << "`";
    }
  }
}

}  // namespace ptnas
