#include "ptnas/data/fetch.h"

#include <cstdlib>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/log.h"
#include "ptnas/data/download.h"
#include "ptnas/data/sha256.h"
#include "ptnas/data/unpack.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr const char* kRecord = "fetched.json";
constexpr std::uint64_t kUnlimitedBytes = 64ull << 30;  // where the size is not known

bool is_url(const std::string& text) { return text.starts_with("http://") || text.starts_with("https://"); }

// The last part of an address or a path.
std::string file_name_of(const std::string& place) {
  const std::string path = is_url(place) ? place.substr(0, place.find_first_of("?#")) : place;
  return fs::path(path).filename().string();
}

// A set whose files have no address of their own takes as many archives as are named.
std::vector<FetchFile> files_of(const FetchSet& set, const FetchRequest& request) {
  if (!set.files.empty()) return set.files;
  std::vector<FetchFile> files;
  for (const std::string& place : request.from) {
    files.push_back({file_name_of(place), "", 0, "", true});
    if (files.back().name.empty()) fail_usage("--from must name an archive of {}, not `{}`", set.name, place);
  }
  return files;
}

// Where each file comes from: an address or a path.
std::string place_of(const FetchSet& set, const FetchFile& file, std::size_t index, std::size_t count,
                     const FetchRequest& request) {
  const auto& from = request.from;
  if (from.empty()) {
    if (file.url.empty())
      fail_usage("{} cannot be fetched by a program: {}; then give --from FILE", set.name, set.by_hand);
    return file.url;
  }
  if (from.size() == count && (count > 1 || !(from[0].ends_with('/') || fs::is_directory(from[0]))))
    return from[index];
  if (from.size() > 1)
    fail_usage("--from must name {} files in order, a folder, or an address that ends in `/`", count);
  if (is_url(from[0])) {
    if (!from[0].ends_with('/'))
      fail_usage("--from must be an address that ends in `/`, for {} files, not `{}`", count, from[0]);
    return from[0] + file.name;
  }
  return (fs::path(from[0]) / file.name).string();
}

void check_sum(const FetchSet& set, const FetchFile& file, const std::string& place, const std::string& found,
               const std::string& wanted) {
  if (wanted.empty()) {
    log_info("{}: no published SHA-256 is known to compare with; recorded {}", file.name, found);
  } else if (found != wanted) {
    fail(
        "{}: expected SHA-256 {} ({}), found {}; it is not the file of {}, or came damaged: try again or "
        "from another place",
        place, wanted, file.sha256.empty() ? "--sha256" : set.sums, found, set.name);
  } else {
    log_info("{}: SHA-256 as expected", file.name);
  }
}

// One file as it came, checked: where it lies, and what is recorded of it.
struct Arrival {
  fs::path path;
  bool ours = false;  // may be moved
  Json record;
};

Arrival arrive(const FetchSet& set, const FetchFile& file, const std::string& place, const fs::path& work,
               const std::string& given) {
  Arrival arrival;
  arrival.ours = is_url(place);
  if (arrival.ours) {
    arrival.path = work / (file.name + ".part");
    log_info("fetching {}", place);
    download({place, arrival.path, file.name, file.bytes > 0 ? file.bytes : kUnlimitedBytes});
  } else {
    arrival.path = place;
    if (!fs::is_regular_file(arrival.path))
      fail("expected the file {} and found none; --from names where {} is", place, file.name);
  }
  const std::string sum = sha256_of(arrival.path);
  try {
    check_sum(set, file, place, sum, file.sha256.empty() ? given : file.sha256);
  } catch (const Error&) {
    if (arrival.ours) fs::remove(arrival.path);  // nothing of it can be gone on with
    throw;
  }
  arrival.record = {{"name", file.name}, {"from", place}, {"sha256", sum}};
  arrival.record["compared_with"] = !file.sha256.empty() ? Json(set.sums)
                                    : given.empty()      ? Json(nullptr)
                                                         : Json("--sha256");
  return arrival;
}

// Puts a file, or what it holds, into the folder that is being made.
void settle(const FetchFile& file, const Arrival& arrival, const fs::path& ready, const fs::path& work) {
  if (!file.unpacked) {
    const fs::path copy = work / "copy";
    if (!arrival.ours) fs::copy_file(arrival.path, copy, fs::copy_options::overwrite_existing);
    fs::rename(arrival.ours ? arrival.path : copy, ready / file.name);
    return;
  }
  const fs::path opened = work / "unpacked";
  fs::remove_all(opened);
  fs::create_directory(opened);
  log_info("unpacking {}", file.name);
  unpack(arrival.path, opened);
  for (const auto& entry : fs::directory_iterator(opened)) {
    const fs::path target = ready / entry.path().filename();
    if (fs::exists(target)) fail("{} stands in two of the archives", entry.path().filename().string());
    fs::rename(entry.path(), target);
  }
}

Json read_records(const fs::path& ready) {
  const fs::path path = ready / kRecord;
  if (!fs::exists(path)) return versioned("ptnas-fetched", 1);
  Json record = read_json(path);
  check_version(record, "ptnas-fetched", 1, path.string());
  return record;
}

bool is_recorded(const Json& record, const FetchFile& file, const std::string& place) {
  if (!record.contains("files")) return false;
  for (const Json& one : record["files"]) {
    if (one.value("name", "") == file.name && one.value("from", "") == place) return true;
  }
  return false;
}

// All files into work/ready; those of an earlier, interrupted call are there.
void gather(const FetchSet& set, const FetchRequest& request, const fs::path& work) {
  const fs::path ready = work / "ready";
  fs::create_directories(ready);
  Json record = read_records(ready);
  record["data"] = set.name;
  record["homepage"] = set.homepage;
  record["terms"] = set.terms;
  if (!record.contains("files")) record["files"] = Json::array();
  const std::vector<FetchFile> files = files_of(set, request);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string place = place_of(set, files[i], i, files.size(), request);
    if (is_recorded(record, files[i], place)) continue;
    const Arrival arrival = arrive(set, files[i], place, work, request.sha256);
    settle(files[i], arrival, ready, work);
    record["files"].push_back(arrival.record);
    write_json(ready / kRecord, record);
    if (files[i].unpacked && arrival.ours) fs::remove(arrival.path);
  }
}

void check_request(const FetchSet& set, const FetchRequest& request) {
  if (set.files.empty() && request.from.empty())
    fail_usage("{} cannot be fetched by a program: {}; then give --from FILE", set.name, set.by_hand);
  const std::vector<FetchFile> files = files_of(set, request);
  for (std::size_t i = 0; i < files.size(); ++i)
    static_cast<void>(place_of(set, files[i], i, files.size(), request));
  if (request.sha256.empty()) return;
  if (!is_sha256(request.sha256))
    fail_usage("--sha256 must be 64 digits 0 to 9 and a to f, not `{}`", request.sha256);
  if (files.size() != 1 || !files[0].sha256.empty())
    fail_usage("--sha256 is for one file whose sum is not known; those of {} are", set.name);
}

}  // namespace

fs::path fetch_cache() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/')
    return fs::path(cache) / "ptnas";  // the specification: others are ignored
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/')
    fail_usage("expected HOME or XDG_CACHE_HOME to be set to a path from /; set one, or give --out DIR");
  return fs::path(home) / ".cache" / "ptnas";
}

fs::path fetch(const FetchSet& set, const FetchRequest& request) {
  const fs::path folder = request.out.empty() ? fetch_cache() / set.name : request.out;
  check_request(set, request);
  if (fs::exists(folder / kRecord)) {
    if (read_records(folder).value("data", "") != set.name)
      fail("{} has another data set than {}; choose another --out", folder.string(), set.name);
    log_info("{} is there already", folder.string());
    return folder;
  }
  if (fs::exists(folder) && !(fs::is_directory(folder) && fs::is_empty(folder)))
    fail("{} is there and was not made by `ptnas data fetch`; choose another --out", folder.string());
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path target = whole.has_filename() ? whole : whole.parent_path();
  const fs::path work = target.string() + ".partial";
  std::error_code error;
  fs::create_directories(work, error);
  if (error) fail("cannot make the folder {}: {}", work.string(), error.message());
  {
    const FileLock lock(work / "lock");
    gather(set, request, work);
    fs::rename(work / "ready", target);
  }
  fs::remove_all(work);
  return folder;
}

const FetchSet& find_fetch_set(const std::string& name) {
  std::string names;
  for (const FetchSet& set : fetch_table()) {
    if (set.name == name) return set;
    names += (names.empty() ? "" : ", ") + set.name;
  }
  fail_usage("there is no `{}` to fetch; there are {}", name, names);
}

Json describe(const FetchSet& set) {
  Json json = {{"name", set.name},
               {"use", set.use},
               {"homepage", set.homepage},
               {"terms", set.terms},
               {"sums", set.sums}};
  json["files"] = Json::array();
  for (const FetchFile& file : set.files) {
    json["files"].push_back({{"name", file.name},
                             {"url", file.url.empty() ? Json(nullptr) : Json(file.url)},
                             {"bytes", file.bytes == 0 ? Json(nullptr) : Json(file.bytes)},
                             {"sha256", file.sha256.empty() ? Json(nullptr) : Json(file.sha256)}});
  }
  return json;
}

}  // namespace ptnas
