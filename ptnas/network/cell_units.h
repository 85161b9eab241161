// A cell's convolutions on their way there: internal to the fused engine.
#pragma once

#include "ptnas/network/cell_record.h"

namespace ptnas {

/// The units (convolution and batch-norm) of one pass through a cell, image by image. begin() before the
/// images, finish() after all of them: a barrier over the batch. Images may be worked on by several threads.
class CellUnits {
 public:
  /// Both outlive this.
  CellUnits(const CellEngine& engine, CellRecord& record) : engine_(engine), record_(record) {}

  /// For a source of that shape, padded by `halo` pixels: packs the weights, makes room for the raw output.
  void begin(int unit, const StateShape& source, int stride, int halo);
  /// The scratch's source becomes image x [H][W][C] as the unit (and all alike) reads it.
  void pad(int unit, const float* x, const kernels::Activation& activation, ThreadScratch& scratch) const;
  /// Raw output and its moments of image n, from a source that pad() has made.
  void convolve(int unit, const kernels::Padded& source, std::int64_t n, ThreadScratch& scratch) const;
  void finish(int unit);

  const UnitRecord& record(int unit) const { return record_.units[static_cast<std::size_t>(unit)]; }
  void release(int unit) { record_.units[static_cast<std::size_t>(unit)].raw.release(); }

 private:
  const CellEngine::Unit& unit(int index) const { return engine_.units_[static_cast<std::size_t>(index)]; }
  void pack(const CellEngine::Unit& u, UnitRecord& record) const;
  void pack_dense(const CellEngine::Unit& u, UnitRecord& record) const;

  const CellEngine& engine_;
  CellRecord& record_;
};

}  // namespace ptnas
