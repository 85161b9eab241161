#pragma once

#include <filesystem>
#include <string>

#include "ptnas/report/page_server.h"

namespace ptnas {

/// What `ptnas watch` answers about one run: `/` is its page, `/data.json` the data of the page, and there is
/// nothing else. Reads the run anew for each and writes nothing. Not thread-safe.
class RunWatcher {
 public:
  /// Throws Error when `path` is no run directory.
  explicit RunWatcher(std::filesystem::path path);
  /// 304 for data with a tag that is still right, 404 for another path. Throws Error naming the file that is
  /// damaged.
  PageReply reply(const std::string& path, const std::string& known_tag);

 private:
  std::string tag_now() const;
  std::filesystem::path path_;
  std::string tag_, data_;  // of the last answer
};

}  // namespace ptnas
