// What a forward pass through a cell leaves for the way back: internal to the fused engine.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "ptnas/core/parallel.h"
#include "ptnas/network/cell_engine.h"

namespace ptnas {

/// Images are worked on in this many fixed chunks at most; each has weight-gradient sums of its own.
constexpr std::int64_t kChunks = 8;

struct ImageRange {
  std::int64_t begin, end;
};
inline std::int64_t chunk_count(std::int64_t images) { return std::min(images, kChunks); }
inline ImageRange chunk_of(std::int64_t images, std::int64_t chunk) {
  const std::int64_t chunks = chunk_count(images);
  return {images * chunk / chunks, images * (chunk + 1) / chunks};
}

/// Buffers of one thread.
struct ThreadScratch {
  kernels::Padded source, gradient;
  std::vector<kernels::Padded> spreads;  // by unit of an edge
  kernels::ConvolutionScratch convolution;
  kernels::PoolScratch pool;
  kernels::Floats image;                // one image's tensor
  std::vector<kernels::Floats> tables;  // period tables of one image
};

/// The calling thread's, for good: they would be some of the largest things to get anew.
ThreadScratch& thread_scratch();

/// Runs body(task, scratch) for 0 .. tasks - 1 on the threads of the process, in any order.
template <typename Body>
void run_tasks(std::int64_t tasks, const Body& body) {
  parallel_for(tasks, at::get_num_threads(), [&](std::int64_t task) { body(task, thread_scratch()); });
}

/// A tensor [images][height][width][channels].
struct StateShape {
  int height = 0, width = 0, channels = 0;
  std::int64_t pixels() const { return static_cast<std::int64_t>(height) * width; }
  std::size_t image() const {
    return static_cast<std::size_t>(pixels()) * static_cast<std::size_t>(channels);
  }
};

struct UnitRecord {
  kernels::Convolution convolution;
  kernels::PackedWeights weights;
  Buffer raw;
  FusedNorm norm;

  /// Floats of one image's output.
  std::size_t image() const {
    return convolution.pixels() * static_cast<std::size_t>(convolution.out_channels);
  }
  float* raw_of(std::int64_t n) const { return raw.data() + static_cast<std::size_t>(n) * image(); }
};

/// A pool's output on a state, which all edges that leave the state share.
struct PooledState {
  bool active = false, measured = false;
  Buffer raw;
  FusedNorm moments;  ///< of raw where measured, for the edges' own norms
};

/// An operation with a weight other than 0.
struct ActiveOperation {
  int edge, operation;
  OperationParts::Kind kind;
  double weight;
  FusedNorm pool_norm;  ///< of a pool in the search
  torch::Tensor noise;  ///< [N, H, W, C]
};

struct CellRecord {
  std::shared_ptr<CellEngine> engine;
  std::int64_t images = 0;
  int first_node = 2;       // the state that node 0 is
  torch::Tensor inputs[2];  // channels-last, as many as the cell has
  float* given = nullptr;   // state 0 where it is the input as it is
  StateShape input_shape[2], state_shape, node_shape;
  std::vector<std::vector<float>> factors;  // by edge
  std::vector<UnitRecord> units;
  std::vector<Buffer> states;                        // inputs, then nodes
  std::vector<PooledState> pools[2];                 // by PoolKind, by state
  std::vector<std::vector<ActiveOperation>> active;  // by node
  std::int64_t columns = 0;                          // of the weights' gradient

  const StateShape& shape_of(int state) const { return state < first_node ? state_shape : node_shape; }
  float* state(int s) const {
    return given != nullptr && s == 0 ? given : states[static_cast<std::size_t>(s)].data();
  }
  float* state(int s, std::int64_t n) const {
    return state(s) + static_cast<std::size_t>(n) * shape_of(s).image();
  }
  float factor(int edge, std::int64_t n) const {
    const auto& f = factors[static_cast<std::size_t>(edge)];
    return f.empty() ? 1.0f : f[static_cast<std::size_t>(n)];
  }
  bool has_factors(int edge) const { return !factors[static_cast<std::size_t>(edge)].empty(); }
  PooledState& pool(kernels::PoolKind kind, int state) {
    return pools[static_cast<int>(kind)][static_cast<std::size_t>(state)];
  }
};

inline bool is_pool(OperationParts::Kind kind) {
  return kind == OperationParts::Kind::kMaxPool || kind == OperationParts::Kind::kAvgPool;
}
inline kernels::PoolKind pool_kind(OperationParts::Kind kind) {
  return kind == OperationParts::Kind::kMaxPool ? kernels::PoolKind::kMaximum : kernels::PoolKind::kAverage;
}
constexpr int kHalo = 4;  // of the widest operation, dil_conv_5x5

}  // namespace ptnas
