#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

#include "ptnas/network/architecture.h"
#include "ptnas/network/derived_network.h"
#include "ptnas/network/supernet.h"

namespace ptnas {

/// What a checkpoint of the published program holds.
struct PublishedCheckpoint {
  std::map<std::string, torch::Tensor> state;  ///< by the published parameter names
  std::vector<torch::Tensor> alpha;  ///< [edges, operations] by cell type; empty where there is none
  std::int64_t epoch = -1;           ///< -1 where there is none
};

/// Reads a file written by torch.save, zip or the older layout, any storage device, through the restricted
/// reader in core. Throws Error.
PublishedCheckpoint read_published_checkpoint(const std::filesystem::path& path);

/// Copies weights and buffers into our networks. Throw Error naming the first parameter that is missing, left
/// over or of another shape.
void load_published(const PublishedCheckpoint& checkpoint, Supernet& supernet, Architecture& architecture);
void load_published(const PublishedCheckpoint& checkpoint, DerivedNetwork& network);

/// Our parameter or buffer name of a published one, for reports by name
/// ("cells.0._ops.3._ops.1.op.1.weight"). Throws Error when unknown.
std::string our_supernet_name(const std::string& published, const SearchSpace& space, int cells);

}  // namespace ptnas
