#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "ptnas/data/sources.h"

namespace ptnas {

/// One of CIFAR's binary files: records of label bytes and 3072 pixel bytes, red, green, blue planes of
/// 32x32.
struct CifarFile {
  std::string set;         ///< name of the data set, for messages
  std::string files;       ///< all of its files, for messages
  std::size_t labels = 1;  ///< label bytes of a record; the last one counts
};

/// Appends the records of `name` in `directory`. Throws Error where it is not there, truncated, or foreign.
void read_cifar(const std::filesystem::path& directory, const std::string& name, const CifarFile& layout,
                MemoryPart& part);

/// The lines of a text file of class names, as valid UTF-8; empty where there is no such file or it has not
/// `count` names.
std::vector<std::string> read_class_names(const std::filesystem::path& file, std::size_t count);

}  // namespace ptnas
