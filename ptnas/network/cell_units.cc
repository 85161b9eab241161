#include "ptnas/network/cell_units.h"

#include "ptnas/network/profile.h"

namespace ptnas {

void CellUnits::begin(int index, const StateShape& source, int stride, int halo) {
  const CellEngine::Unit& u = unit(index);
  UnitRecord& record = record_.units[static_cast<std::size_t>(index)];
  record.convolution = engine_.convolution_of(u, source.channels, source.height, source.width, stride, halo);
  pack(u, record);
  const kernels::Convolution& c = record.convolution;
  record.raw = Buffer(static_cast<std::size_t>(record_.images) * record.image());
  record.norm.begin(*u.norm, record_.images, static_cast<std::int64_t>(c.pixels()), c.out_channels);
}

void CellUnits::pack(const CellEngine::Unit& u, UnitRecord& record) const {
  const auto data = [&](int parameter) {
    return engine_.parameters_[static_cast<std::size_t>(parameter)].data_ptr<float>();
  };
  const kernels::Convolution& c = record.convolution;
  const auto in = static_cast<std::size_t>(c.source.channels);
  record.weights.shape(c);
  if (u.kind == CellEngine::Unit::Kind::kDense) return pack_dense(u, record);
  if (u.depthwise >= 0) record.weights.pack_depthwise(c, data(u.depthwise));
  const int first = static_cast<int>(engine_.parameters_[static_cast<std::size_t>(u.first)].size(0));
  record.weights.pack_matrix(c, 0, data(u.first), 0, first, in, 1);
  if (u.second >= 0) record.weights.pack_matrix(c, 1, data(u.second), first, c.out_channels - first, in, 1);
}

// A matrix for each tap, whatever the weight's memory format.
void CellUnits::pack_dense(const CellEngine::Unit& u, UnitRecord& record) const {
  const torch::Tensor& weight = engine_.parameters_[static_cast<std::size_t>(u.first)];
  const std::int64_t kernel = weight.size(2);
  for (std::int64_t k = 0; k < kernel * kernel; ++k) {
    const float* at =
        weight.data_ptr<float>() + k / kernel * weight.stride(2) + k % kernel * weight.stride(3);
    record.weights.pack_matrix(record.convolution, static_cast<int>(k), at, 0,
                               static_cast<int>(weight.size(0)), static_cast<std::size_t>(weight.stride(0)),
                               static_cast<std::size_t>(weight.stride(1)));
  }
}

void CellUnits::pad(int index, const float* x, const kernels::Activation& activation,
                    ThreadScratch& scratch) const {
  const PhaseTimer timer(engine_.graph_.index, Phase::kPad);
  scratch.source.shape(record(index).convolution.source);
  kernels::pad_image(scratch.source, x, activation);
}

void CellUnits::convolve(int index, const kernels::Padded& source, std::int64_t n,
                         ThreadScratch& scratch) const {
  const PhaseTimer timer(engine_.graph_.index, Phase::kConvolve);
  UnitRecord& record = record_.units[static_cast<std::size_t>(index)];
  const kernels::Moments moments =
      record.norm.wants_moments() ? record.norm.image(n) : kernels::Moments{nullptr, nullptr};
  kernels::convolve(record.convolution, record.weights, source, record.raw_of(n), moments,
                    scratch.convolution);
}

void CellUnits::finish(int index) {
  record_.units[static_cast<std::size_t>(index)].norm.finish(*unit(index).norm);
}

}  // namespace ptnas
