#include "ptnas/export/exported_model.h"

#include <torch/utils.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

constexpr const char* kFormatName = "ptnas-export";
constexpr int kFormatVersion = 1;
constexpr int kLargestSide = 1 << 16;

constexpr ExportFormat kFormats[] = {
    {"onnx", "model.onnx", "\x08", onnx_runtime, /*has_noise=*/false, write_onnx, read_onnx},
    {"torchscript", "model.pt", "PK\x03\x04", torchscript_runtime, /*has_noise=*/true, write_torchscript,
     read_torchscript},
};

void check_card(const DatasetInfo& info, const std::string& what) {
  const auto channels = static_cast<std::size_t>(info.channels);
  const auto in_range = [](int side) { return side >= 1 && side <= kLargestSide; };
  const auto usable = [](double deviation) { return std::isfinite(deviation) && deviation > 0; };
  if ((info.channels != 1 && info.channels != 3) || !in_range(info.height) || !in_range(info.width))
    fail("{} is damaged: it expects images of {}x{} pixels and {} channels", what, info.height, info.width,
         info.channels);
  if (info.classes.empty()) fail("{} is damaged: it has no classes", what);
  if (info.mean.size() != channels || info.deviation.size() != channels ||
      !std::all_of(info.deviation.begin(), info.deviation.end(), usable))
    fail("{} is damaged: its image shape, mean and deviation do not go together", what);
}

}  // namespace

Json to_json(const ExportCard& card) {
  Json json = versioned(kFormatName, kFormatVersion);
  json["data"] = card.info.name;
  json["classes"] = card.info.classes;
  json["image"] = {card.info.channels, card.info.height, card.info.width};
  json["mean"] = card.info.mean;
  json["deviation"] = card.info.deviation;
  json["input"] = card.normalises ? "pixels" : "normalised";
  json["genotype"] = card.genotype;
  return json;
}

ExportCard export_card_from_json(const Json& json, const std::string& what) {
  check_version(json, kFormatName, kFormatVersion, what);
  ExportCard card;
  try {
    card.info.name = json.at("data").get<std::string>();
    card.info.classes = json.at("classes").get<std::vector<std::string>>();
    const auto image = json.at("image").get<std::array<int, 3>>();
    card.info.channels = image[0];
    card.info.height = image[1];
    card.info.width = image[2];
    card.info.mean = json.at("mean").get<std::vector<double>>();
    card.info.deviation = json.at("deviation").get<std::vector<double>>();
    card.normalises = json.at("input").get<std::string>() == "pixels";
    card.genotype = json.at("genotype");
  } catch (const nlohmann::json::exception& error) {
    fail("{} is damaged: what it says of itself is not as ptnas writes it ({})", what, error.what());
  }
  check_card(card.info, what);
  return card;
}

std::span<const ExportFormat> export_formats() { return kFormats; }

const ExportFormat& export_format(const std::string& name) {
  std::string names;
  for (const ExportFormat& format : kFormats) {
    if (format.name == name) return format;
    names += (names.empty() ? "" : " or ") + std::string(format.name);
  }
  fail_usage("--format must be {}, not `{}`", names, name);
}

const ExportFormat* export_format_of(std::string_view bytes) {
  for (const ExportFormat& format : kFormats)
    if (bytes.starts_with(format.magic)) return &format;
  return nullptr;
}

void ExportDifference::add(const torch::Tensor& expected, const torch::Tensor& found) {
  if (expected.sizes() != found.sizes() || !expected.isfinite().all().item<bool>() ||
      !found.isfinite().all().item<bool>()) {
    largest = std::numeric_limits<double>::infinity();
    return;
  }
  if (expected.numel() == 0) return;
  const torch::Tensor reference = expected.to(torch::kDouble);
  largest = std::max(largest, (reference - found.to(torch::kDouble)).abs().max().item<double>());
  magnitude = std::max(magnitude, reference.abs().max().item<double>());
}

}  // namespace ptnas
