#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "ptnas/io/nb201_table.h"

namespace ptnas {

/// Both layouts give parameters and FLOPs in millions.
inline constexpr double kMillion = 1e6;

// The two layouts behind Nb201Table::open, and what they share.

/// Throws Error where the first line of the file is not that of such a table.
std::unique_ptr<Nb201Table> open_nb201_csv(const std::filesystem::path& path);
/// Throws Error where the folder has no meta file.
std::unique_ptr<Nb201Table> open_nb201_nats(const std::filesystem::path& folder);

/// Throws Error where an accuracy is not in 0 .. 100, or another number is negative or not finite; `what`
/// names the file.
void check_nb201_record(const Nb201Record& record, const std::string& what);

}  // namespace ptnas
