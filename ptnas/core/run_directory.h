#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ptnas/core/files.h"
#include "ptnas/core/json.h"
#include "ptnas/core/options.h"

namespace ptnas {

class EventWriter;

/// A run directory: the contract between the steps (docs/formats.md lists its files). One process at a time
/// may write it. Not thread-safe.
class RunDirectory {
 public:
  // File names inside a run.
  static constexpr const char* kRun = "run.json";
  static constexpr const char* kConfiguration = "config.toml";
  static constexpr const char* kEnvironment = "environment.json";
  static constexpr const char* kData = "data.json";
  static constexpr const char* kMetrics = "metrics.jsonl";
  static constexpr const char* kSupernet = "supernet.safetensors";
  /// The supernet as it was after so many epochs, where the search kept it (--snapshot-every).
  static std::string snapshot(std::int64_t epochs);
  static constexpr const char* kSearchCheckpoint = "search.checkpoint.safetensors";
  static constexpr const char* kSelectCheckpoint = "select.checkpoint.safetensors";
  static constexpr const char* kTrainCheckpoint = "train.checkpoint.safetensors";
  static constexpr const char* kSelection = "selection.json";
  static constexpr const char* kGenotype = "genotype.json";
  static constexpr const char* kModel = "model.safetensors";
  static constexpr const char* kEvaluation = "evaluation.json";
  static constexpr const char* kReport = "report.html";
  static constexpr const char* kEvents = "events.out.tfevents.ptnas";

  /// Opens for writing: makes the directory (and run.json) when it is absent or empty, takes the lock,
  /// removes the temporary files of a crash. Throws Error when the path is something else than a run
  /// directory, can't be written, is locked, or has a newer format; nothing in it is changed then.
  static RunDirectory open_for_writing(const std::filesystem::path& path);
  /// Opens an existing run for reading only, without a lock. Throws Error when it is no run directory.
  static RunDirectory open_for_reading(const std::filesystem::path& path);

  RunDirectory(RunDirectory&&) noexcept;
  ~RunDirectory();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  bool has(const std::string& name) const;

  /// The stages finished so far, in run.json: "search", "select", "train".
  bool finished(const std::string& stage) const;
  void set_finished(const std::string& stage);
  /// The run whose supernet a child run selects from; empty for a run of its own.
  std::optional<std::filesystem::path> parent() const;
  void set_parent(const std::filesystem::path& parent);

  /// Saves the resolved configuration, or checks that the saved one is the same in every option except
  /// `may_differ`. Throws Error(kUsage) naming the first option that differs with both values, and how to go
  /// on.
  void set_configuration(const std::vector<NamedValue>& values, const std::vector<std::string>& may_differ);
  /// The saved configuration; empty when there is none.
  OptionValues configuration() const;

  /// Appends one line to metrics.jsonl, and to the TensorBoard file every number in it as scalar
  /// "<phase>/<key>" and its `alpha` as histograms "<phase>/alpha.normal" and "<phase>/alpha.reduction", at
  /// the line's `step`, else its `event`, else its `epoch`. `line` has at least "phase" and "epoch". Throws
  /// Error.
  void append_metrics(const Json& line);
  /// All lines of metrics.jsonl, but not an unfinished last one (a crash, or a run that is writing it now).
  /// Throws Error naming the line that does not parse.
  std::vector<Json> metrics() const;

  /// Where the append-only files end now: saved in every checkpoint, so that resuming can cut what came after
  /// it.
  Json position() const;
  /// Cuts metrics.jsonl and the TensorBoard file back to a saved position. Throws Error when they are
  /// shorter.
  void rewind(const Json& position);

 private:
  explicit RunDirectory(std::filesystem::path path);
  void load_run_json();
  void save_run_json();
  std::filesystem::path path_;
  Json run_;
  std::optional<FileLock> lock_;
  std::unique_ptr<EventWriter> events_;
};

/// Versions of ptnas, libraries and kernel, CPU and vector target, threads, command line: for
/// environment.json. Callers add what core can't know (libtorch's version).
Json describe_environment(const std::vector<std::string>& command_line, int threads);

}  // namespace ptnas
