#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ptnas/core/json.h"

namespace ptnas {

/// A file of a data set as its authors publish it.
struct FetchFile {
  std::string name;         ///< in the folder, or of the archive
  std::string url;          ///< empty: there is no address that a program may fetch it from
  std::uint64_t bytes = 0;  ///< 0: not known
  std::string sha256;       ///< empty: none is published that we know of
  bool unpacked = false;    ///< an archive whose files make the folder
};

/// A data set, or a table, that `ptnas data fetch` can lay down.
struct FetchSet {
  std::string name;
  std::vector<FetchFile> files;
  std::string use;       ///< how commands take it: what stands before DIR in --data or --table
  std::string homepage;  ///< where its authors tell of it
  std::string terms;     ///< under which it may be used, and who says so
  std::string sums;      ///< where address and sums are from
  std::string by_hand;   ///< how to get it where a file has no url
};

/// All of them, one entry each (fetch_table.cc). Thread-safe.
const std::vector<FetchSet>& fetch_table();
/// Throws Error(kUsage) naming those there are.
const FetchSet& find_fetch_set(const std::string& name);

struct FetchRequest {
  std::vector<std::string>
      from;  ///< instead of the table's addresses: files, a folder, an address, or one ending in `/`
  std::filesystem::path out;  ///< the folder to make; empty: fetch_cache() / name
  std::string sha256;         ///< of the only file of a set for which no sum is known
};

/// $XDG_CACHE_HOME/ptnas, else ~/.cache/ptnas. Throws Error(kUsage) where neither variable is of use.
std::filesystem::path fetch_cache();

/// Makes the folder and returns it. It appears whole or not at all: until then all is in FOLDER.partial,
/// where a later call goes on. Every file's sum is checked against the published one, or recorded where there
/// is none; fetched.json in the folder says which (docs/formats.md). A folder that is there already is left
/// as it is. Throws Error for whatever is not as it should be; Interrupted where interrupt_requested(). Not
/// thread-safe for one folder.
std::filesystem::path fetch(const FetchSet& set, const FetchRequest& request);

/// As JSON: `name`, `use`, `homepage`, `terms`, `sums`, `files`.
Json describe(const FetchSet& set);

}  // namespace ptnas
