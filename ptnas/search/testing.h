#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ptnas/search/run_search.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {

/// For tests: small searches in run directories of their own, by name.
class SearchTest : public testing::Test {
 protected:
  void search(const std::string& name) {
    RunDirectory run = RunDirectory::open_for_writing(folder / name);
    run_search(run, task.dataset, task.data, task.search, task.runtime);
  }
  std::vector<Json> metrics(const std::string& name) {
    std::vector<Json> lines = RunDirectory::open_for_reading(folder / name).metrics();
    for (Json& line : lines) line.erase("seconds");
    return lines;
  }
  std::string supernet(const std::string& name) {
    return read_file((folder / name) / RunDirectory::kSupernet);
  }
  /// Interrupts again and again, a few images later each time, until the search is done. How often.
  int search_interrupted(const std::string& name) {
    for (int interruptions = 0;; ++interruptions) {
      task.dataset.reads_until_interrupt = 30 + 5 * interruptions;
      try {
        search(name);
        task.dataset.reads_until_interrupt = 0;
        set_interrupt_requested(false);
        return interruptions;
      } catch (const Interrupted& interrupted) {
        EXPECT_NE(std::string(interrupted.what()).find("--resume"), std::string::npos);
        set_interrupt_requested(false);
      }
    }
  }

  ScratchDirectory folder;
  TinyTask task;
};

}  // namespace ptnas
