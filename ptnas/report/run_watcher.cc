#include "ptnas/report/run_watcher.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <functional>

#include "ptnas/core/run_directory.h"
#include "ptnas/report/page.h"
#include "ptnas/report/report.h"
#include "ptnas/report/report_data.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

// Size, number and time of the file tell whether it was written since.
std::string stamp_of(const fs::path& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) return "-";
  return fmt::format("{:x}.{:x}.{:x}.{:x}", found.st_ino, found.st_size, found.st_mtim.tv_sec,
                     found.st_mtim.tv_nsec);
}

}  // namespace

RunWatcher::RunWatcher(fs::path path) : path_(std::move(path)) {
  static_cast<void>(RunDirectory::open_for_reading(path_));
}

std::string RunWatcher::tag_now() const {
  std::string stamps;
  for (const char* name :
       {RunDirectory::kRun, RunDirectory::kConfiguration, RunDirectory::kEnvironment, RunDirectory::kData,
        RunDirectory::kMetrics, RunDirectory::kSelection, RunDirectory::kGenotype, RunDirectory::kEvaluation})
    stamps += stamp_of(path_ / name) + " ";
  const auto parent = RunDirectory::open_for_reading(path_).parent();
  if (parent) stamps += stamp_of(*parent / RunDirectory::kMetrics);
  return fmt::format("\"{:016x}\"", std::hash<std::string>{}(stamps));
}

PageReply RunWatcher::reply(const std::string& path, const std::string& known_tag) {
  if (path == "/") {
    return {200, "text/html; charset=utf-8", make_live_report(RunDirectory::open_for_reading(path_)), ""};
  }
  if (path != "/data.json") return {404, "text/plain; charset=utf-8", "here are / and /data.json only\n", ""};
  // The tag is taken first: what is written while the data is read shows at the next question.
  const std::string tag = tag_now();
  if (tag == known_tag) return {304, "", "", tag};
  if (tag != tag_) {
    data_ = script_json(collect_report_data(RunDirectory::open_for_reading(path_)));
    tag_ = tag;
  }
  return {200, "application/json", data_, tag};
}

}  // namespace ptnas
