// How a recorded case is read: internal to parity.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <string>

#include "ptnas/core/json.h"
#include "ptnas/io/published_checkpoint.h"

namespace ptnas {

/// One recorded case of the published program: a checkpoint, a batch of CIFAR-10 records and what the program
/// computed on it.
struct ParityCase {
  std::string name;
  Json expected;
  Json selection;  ///< null for a derived network
  std::string batch;
  PublishedCheckpoint checkpoint;
};

/// Reads a folder with expected.json, batch.bin, checkpoint.pth.tar and selection.json (supernets) or
/// weights.pth (derived networks). Throws Error naming what is missing or damaged.
ParityCase read_parity_case(const std::filesystem::path& directory);

/// The case's batch as network input [N, 3, 32, 32], and labels [N].
struct ParityImages {
  torch::Tensor images, labels;
};
/// (byte / 255 - mean) / std, each step rounded to fp32 as in the published program: images of other last
/// bits put ReLU inputs near 0 on their other side, which gradients show. Throws Error where the batch is not
/// what expected.json says.
ParityImages decode_batch(const ParityCase& parity_case);

/// The cell type as the published program calls it: "normal" or "reduce".
std::string published_name(CellType type);
/// Size of a tensor of the checkpoint along a dimension. Throws Error where it has no such tensor.
std::int64_t size_of(const PublishedCheckpoint& checkpoint, const char* name, std::int64_t dimension);

}  // namespace ptnas
