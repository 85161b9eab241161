#include "ptnas/analysis/parity_input.h"

#include "ptnas/analysis/parity_report.h"
#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

namespace fs = std::filesystem;

ParityCase read_parity_case(const fs::path& directory) {
  ParityCase result;
  result.name = directory.string();
  result.expected = read_json(directory / "expected.json");
  result.batch = read_file(directory / "batch.bin");
  const bool derived = result.expected.is_object() && result.expected.contains("kind");
  if (derived && result.expected.at("kind") != "derived")
    fail("{}: unknown kind of case {}", result.name, result.expected.at("kind").dump());
  result.checkpoint = read_published_checkpoint(directory / (derived ? "weights.pth" : "checkpoint.pth.tar"));
  if (!derived) result.selection = read_json(directory / "selection.json");
  return result;
}

ParityImages decode_batch(const ParityCase& parity_case) {
  constexpr std::int64_t kPixels = 3 * 32 * 32, kRecord = kPixels + 1;
  const std::string& bytes = parity_case.batch;
  const Json& expected = parity_case.expected;
  const auto count = expected.at("count").get<std::int64_t>();
  if (count < 1 || static_cast<std::int64_t>(bytes.size()) != count * kRecord) {
    fail("{}: batch.bin has {} bytes, `count` says {} records of {}", parity_case.name, bytes.size(), count,
         kRecord);
  }
  const torch::Tensor records =
      torch::from_blob(const_cast<char*>(bytes.data()), {count, kRecord}, torch::kByte).clone();
  const auto constants = [&](const char* key) {
    const std::vector<double> values = numbers_of(expected.at(key), key);
    if (values.size() != 3) fail("{}: `{}` must have three values", parity_case.name, key);
    return torch::tensor(values, torch::kFloat).reshape({1, 3, 1, 1});
  };
  const torch::Tensor pixels = records.slice(1, 1).reshape({count, 3, 32, 32}).to(torch::kFloat) / 255;
  return {(pixels - constants("mean")) / constants("std"), records.select(1, 0).to(torch::kLong)};
}

std::string published_name(CellType type) { return type == CellType::kNormal ? "normal" : "reduce"; }

std::int64_t size_of(const PublishedCheckpoint& checkpoint, const char* name, std::int64_t dimension) {
  const auto found = checkpoint.state.tensors.find(name);
  if (found == checkpoint.state.tensors.end() || found->second.dim() <= dimension)
    fail("the checkpoint has no tensor {}", name);
  return found->second.size(dimension);
}

}  // namespace ptnas
