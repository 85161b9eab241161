#pragma once

#include <cstddef>
#include <vector>

#include "ptnas/kernels/norm.h"
#include "ptnas/kernels/padded.h"

namespace ptnas::kernels {

/// How values are changed as they are loaded: x scale + bias (period tables; both null: as they are), then
/// ReLU.
struct Activation {
  const float* scale = nullptr;
  const float* bias = nullptr;
  bool relu = false;
};

/// A position of the kernel: the pixel it reads, relative to (stride y, stride x) for output pixel (y, x).
struct Tap {
  int y, x;
};

/// A convolution of one image. Depthwise: every tap weighs each channel, and a pointwise matrix follows.
/// Dense: every tap has a matrix of its own. The output is [out_height][out_width][out_channels], tight.
struct Convolution {
  PaddedLayout source;  ///< the input; its halo covers the taps
  bool depthwise = false;
  std::vector<Tap> taps;
  int out_channels = 0, out_height = 0, out_width = 0;

  std::size_t pixels() const {
    return static_cast<std::size_t>(out_height) * static_cast<std::size_t>(out_width);
  }
  int matrices() const { return depthwise ? 1 : static_cast<int>(taps.size()); }
  std::size_t period() const { return source.period; }
  /// Floats of the matrices' gradient: [matrices][in][out rounded up].
  std::size_t matrix_size() const {
    return static_cast<std::size_t>(matrices() * source.channels) *
           round_up(static_cast<std::size_t>(out_channels));
  }
  /// Floats of the depthwise weights' gradient: [taps][period].
  std::size_t depthwise_size() const { return depthwise ? taps.size() * period() : 0; }
};

/// Depthwise kernel x kernel, then pointwise, channels unchanged; `source`'s halo is at least dilation
/// (kernel / 2).
Convolution separable_convolution(const PaddedLayout& source, int kernel, int dilation);
/// Dense kernel x kernel with padding kernel / 2, stride as the source's.
Convolution dense_convolution(const PaddedLayout& source, int out_channels, int kernel);
/// FactorizedReduce's two 1x1 convolutions of stride 2 as one: taps (0, 0) and (1, 1), whose matrices fill
/// the first and the other output channels.
Convolution factorized_reduce(const PaddedLayout& source, int out_channels);

/// A convolution's weights as the kernels read them. Cheap to make; made anew when the weights have changed.
class PackedWeights {
 public:
  /// Zeroes all.
  void shape(const Convolution& convolution);
  /// weights [channels][taps].
  void pack_depthwise(const Convolution& convolution, const float* weights);
  /// Columns out_begin .. out_begin + out_count - 1 of a tap's matrix: weight of (out, in) at
  /// weights[out * out_step + in * in_step].
  void pack_matrix(const Convolution& convolution, int matrix, const float* weights, int out_begin,
                   int out_count, std::size_t out_step, std::size_t in_step);

  const float* depthwise() const { return depthwise_.data(); }    ///< [taps][period]
  const float* matrices() const { return matrices_.data(); }      ///< [matrices][in][out rounded up]
  const float* transposed() const { return transposed_.data(); }  ///< [matrices][out][in rounded up]
  /// Both once more where a row is at most one vector and rows are even in number, else null: two rows beside
  /// each other, [matrices][rows / 2][2][kVectorFloats], with columns 8 v .. 8 v + 7 of both rows in turn in
  /// vector v. A kernel then loads two values of a pixel at once.
  const float* paired_matrices() const { return pairs_of(matrices_pairs_); }
  const float* paired_transposed() const { return pairs_of(transposed_pairs_); }

 private:
  static const float* pairs_of(const Floats& pairs) { return pairs.size() > 0 ? pairs.data() : nullptr; }

  Floats depthwise_, matrices_, transposed_, matrices_pairs_, transposed_pairs_;
};

/// Sums of weight gradients in the layout of PackedWeights; null: not wanted.
struct WeightGradient {
  float* depthwise = nullptr;  ///< [taps][period]
  float* matrices = nullptr;   ///< [matrices][in][out rounded up]
};

/// The gradient of a convolution's raw output where a batch-norm follows it: affine in the gradient of the
/// norm's output and in the raw value: g_scale g + raw_scale raw + constant, by channel (period tables of the
/// output channels).
struct NormGradient {
  const float* g_scale;
  const float* raw_scale;
  const float* constant;
};

/// Buffers of one thread, grown as needed.
struct ConvolutionScratch {
  Floats values, gradients;
  Padded spread;
  std::vector<double> sums;
};

/// Fills the pixels of `padded` (its layout's image) from x [H][W][C].
void pad_image(Padded& padded, const float* x, const Activation& activation);

/// raw = convolution of the padded image, [out_height][out_width][out_channels]; nothing beyond is written.
/// Fills `moments` of raw, where they are not null.
void convolve(const Convolution& convolution, const PackedWeights& weights, const Padded& source, float* raw,
              const Moments& moments, ConvolutionScratch& scratch);

/// The way back for one image: g and raw [out_height][out_width][out_channels]; puts the source's gradient
/// into `dx` (null: not wanted), in its layout (the halo is undefined), or adds to it where `accumulate`, and
/// adds to `gradient`, which needs `source`.
void convolve_back(const Convolution& convolution, const PackedWeights& weights, const Padded* source,
                   const float* g, const float* raw, const NormGradient& norm, float* dx, bool accumulate,
                   const WeightGradient& gradient, ConvolutionScratch& scratch);

/// The first part of a depthwise convolution's way back: the gradient of its depthwise output as an image
/// with the source's halo, and the weights' gradient. The second part is spread_back.
void depthwise_back(const Convolution& convolution, const PackedWeights& weights, const Padded* source,
                    const float* g, const float* raw, const NormGradient& norm,
                    const WeightGradient& gradient, Padded& spread, ConvolutionScratch& scratch);

/// A depthwise convolution of stride 1 with what depthwise_back left.
struct SpreadUnit {
  const Convolution* convolution;
  const PackedWeights* weights;
  const Padded* spread;
};
/// out [H][W][C] (+)= the gradient, before its ReLU, of the source that all `count` > 0 units have read; one
/// pass over the image for all.
void spread_back(const SpreadUnit* units, int count, const Padded& source, bool accumulate, float* out);

/// out [H][W][C] (+)= dx's pixels where the activation passes: with ReLU only where x scale + bias > 0.
void gather_gradient(const PaddedLayout& layout, const float* dx, const float* x,
                     const Activation& activation, bool accumulate, float* out);

}  // namespace ptnas::kernels
