#pragma once

#include <torch/types.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ptnas/core/json.h"
#include "ptnas/data/dataset.h"
#include "ptnas/export/graph.h"

namespace ptnas {

/// What an exported file says of itself (docs/formats.md, Exported networks).
struct ExportCard {
  /// Of the data set it was trained on: name, classes, channels, height, width, mean and deviation.
  DatasetInfo info;
  /// The input is pixel / 255 and the file normalises it; else the input is to be normalised by mean and
  /// deviation.
  bool normalises = true;
  Json genotype;  ///< as genotype.json has it
};
/// Each key with its value; and back. The latter throws Error naming `what` and the key that is missing or
/// out of range.
Json to_json(const ExportCard& card);
ExportCard export_card_from_json(const Json& json, const std::string& what);

/// An exported file that was read by a runtime. Not thread-safe.
class ExportedModel {
 public:
  explicit ExportedModel(ExportCard card) : card_(std::move(card)) {}
  virtual ~ExportedModel() = default;
  const ExportCard& card() const { return card_; }
  /// `images` [N, C, H, W] float, of the card's shape and as it says -> the result, [N, classes], float on
  /// the CPU. Throws Error when the runtime cannot compute it.
  virtual torch::Tensor run(const torch::Tensor& images) = 0;

 private:
  ExportCard card_;
};

/// A format of exported files, in which they are written and read back.
struct ExportFormat {
  std::string_view name;       ///< as --format has it
  std::string_view file_name;  ///< in a run directory
  std::string_view magic;      ///< the first bytes of every file
  std::string (*runtime)();    ///< what reads it, with its version
  bool has_noise;              ///< whether that runtime has random numbers
  /// The bytes of a file. Throws Error for noise where there is none.
  std::string (*write)(const Graph& graph, const ExportCard& card);
  /// `what` names the file in messages. Throws Error: not of this format, damaged, not written by ptnas.
  std::unique_ptr<ExportedModel> (*read)(const std::string& bytes, const std::string& what);
};

/// The table of formats, one line each.
std::span<const ExportFormat> export_formats();
/// Throws Error(kUsage) for an unknown name.
const ExportFormat& export_format(const std::string& name);
/// The format that bytes begin as; nullptr for none.
const ExportFormat* export_format_of(std::string_view bytes);

// What that table is made of, one file each; the ONNX file's metadata is read by what wrote it.
std::string onnx_runtime();
std::string write_onnx(const Graph& graph, const ExportCard& card);
std::unique_ptr<ExportedModel> read_onnx(const std::string& bytes, const std::string& what);
Json onnx_metadata(const std::string& bytes, const std::string& what);
std::string torchscript_runtime();
std::string write_torchscript(const Graph& graph, const ExportCard& card);
std::unique_ptr<ExportedModel> read_torchscript(const std::string& bytes, const std::string& what);

constexpr int kOnnxOpset = 11;

/// How far a result may be from the one it should be: the largest difference, and the largest magnitude of
/// the one it should be.
struct ExportDifference {
  double largest = 0, magnitude = 0;
  /// Takes in two tensors of one shape; a number that is not finite on either side is an infinite difference.
  void add(const torch::Tensor& expected, const torch::Tensor& found);
  /// Whether the difference is at most `tolerance` times the larger of 1 and the magnitude.
  bool within(double tolerance) const { return largest <= tolerance * std::max(1.0, magnitude); }
};

}  // namespace ptnas
