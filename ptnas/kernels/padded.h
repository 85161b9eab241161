#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace ptnas::kernels {

/// Floats of the widest vector of any target: rows, tables and buffers are padded to it, so that whole
/// vectors may be read past a row's end.
constexpr std::size_t kVectorFloats = 16;
constexpr std::size_t round_up(std::size_t floats) {
  return (floats + kVectorFloats - 1) / kVectorFloats * kVectorFloats;
}

/// The length after which the channels of consecutive pixels [pixel][channel] meet whole vectors again:
/// the least common multiple of `channels` and kVectorFloats. Values by channel are kept as *period tables*:
/// repeated up to this length, so that a vector at any multiple of the vector size finds its channels'.
std::size_t period_of(int channels);
/// Writes values[channels] as a period table.
void fill_period(const float* values, int channels, float* table);

/// Zero-initialised floats, aligned to 64 bytes. Not copied.
class Floats {
 public:
  Floats() = default;
  explicit Floats(std::size_t size) { resize(size); }
  /// At least `size` floats and kVectorFloats to read past them. What was there is lost where it grows, and
  /// all is zero then.
  void resize(std::size_t size) {
    if (size <= size_) return;
    const std::size_t bytes = round_up(size + kVectorFloats) * sizeof(float);
    data_.reset(static_cast<float*>(::operator new (bytes, std::align_val_t{64})));
    std::memset(data_.get(), 0, bytes);
    size_ = size;
  }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

/// One image [H][W][C] with a halo on all sides, split into stride x stride phases, so that the pixels which
/// a strided convolution meets at one tap lie side by side: phase (a, b) holds the pixels whose padded row
/// and column are a and b modulo the stride. Rows end in at least kVectorFloats floats of slack.
struct PaddedLayout {
  int channels = 0, height = 0, width = 0;
  int stride = 1, halo = 0;  ///< the halo is a multiple of the stride
  std::size_t period = 0;    ///< period_of(channels)
  std::size_t row = 0;       ///< floats from a row of a phase to the next
  std::size_t phase = 0;     ///< floats from a phase to the next
  std::size_t size = 0;      ///< floats of all

  PaddedLayout() = default;
  PaddedLayout(int channels, int height, int width, int stride, int halo);
  /// Position of pixel (y, x) of the image; both may lie up to the halo outside.
  std::ptrdiff_t at(int y, int x) const {
    const int py = y + halo, px = x + halo;
    return static_cast<std::ptrdiff_t>(static_cast<std::size_t>(py % stride * stride + px % stride) * phase +
                                       static_cast<std::size_t>(py / stride) * row +
                                       static_cast<std::size_t>(px / stride) *
                                           static_cast<std::size_t>(channels));
  }
  bool operator==(const PaddedLayout&) const = default;
};

/// A buffer in a padded layout whose halo (and slack) holds one value.
class Padded {
 public:
  /// Ready for images of this layout: the halo is `fill`; pixels are whatever they were.
  void shape(const PaddedLayout& layout, float fill = 0);
  /// All of it `fill`.
  void reset(const PaddedLayout& layout, float fill = 0);
  const PaddedLayout& layout() const { return layout_; }
  float* data() { return floats_.data(); }
  const float* data() const { return floats_.data(); }

 private:
  PaddedLayout layout_;
  float fill_ = 0;
  Floats floats_;
};

}  // namespace ptnas::kernels
