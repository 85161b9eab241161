#pragma once

#include <torch/types.h>

#include <filesystem>
#include <vector>

#include "ptnas/io/state.h"
#include "ptnas/network/architecture.h"
#include "ptnas/network/derived_network.h"
#include "ptnas/network/supernet.h"

namespace ptnas {

/// What a checkpoint of the published program holds.
struct PublishedCheckpoint {
  State state;                       ///< parameters and buffers by their published names, which are ours
  std::vector<torch::Tensor> alpha;  ///< [edges, operations] by searched cell type; empty where there is none
};

/// Reads a file written by torch.save, zip or the older layout, any storage device, by the restricted reader
/// in core. Names lose the prefix `module.` of DataParallel; alpha is read from `alpha`, or from the state's
/// `_arch_parameters` where there is none. Entries of no use here (optimisers, the selection's flags) are
/// read past. Throws Error.
PublishedCheckpoint read_published_checkpoint(const std::filesystem::path& path);

/// Copy weights, buffers and alpha into our networks. Throw Error naming the first tensor that is missing,
/// left over or of another shape.
void load_published(const PublishedCheckpoint& checkpoint, Supernet& supernet, Architecture& architecture);
void load_published(const PublishedCheckpoint& checkpoint, DerivedNetwork& network);

}  // namespace ptnas
