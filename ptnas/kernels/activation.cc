#include <cstddef>

#include "ptnas/kernels/convolution.h"
#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/activation.cc"
#include <hwy/foreach_target.h>  // must come before highway.h

#include "ptnas/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

namespace {

using Size = std::size_t;

// The activation of the vectors at one position of the tables.
struct VectorActivation {
  bool affine, relu;
  V scale, bias;
  VectorActivation(const Activation& a, Size q) : affine(a.scale != nullptr), relu(a.relu) {
    const D d;
    scale = affine ? hn::Load(d, a.scale + q) : hn::Zero(d);
    bias = affine ? hn::Load(d, a.bias + q) : hn::Zero(d);
  }
  HWY_INLINE V operator()(V x) const {
    if (affine) x = hn::MulAdd(x, scale, bias);
    // Not Max, which would make a NaN 0 and hide that a run has diverged.
    return relu ? hn::IfThenZeroElse(hn::Lt(x, hn::Zero(D())), x) : x;
  }
};
float activated(float x, const Activation& a, Size q) {
  if (a.scale != nullptr) x = x * a.scale[q] + a.bias[q];
  return a.relu && x < 0 ? 0.0f : x;
}

// The pixels of an image row that lie side by side in a phase: all of them at stride 1, one at stride 2.
Size run_of(const PaddedLayout& layout) {
  const Size c = static_cast<Size>(layout.channels);
  return layout.stride == 1 ? c * static_cast<Size>(layout.width) : c;
}

void pad_image_impl(Padded& padded, const float* x, const Activation& activation) {
  const D d;
  const PaddedLayout& layout = padded.layout();
  const Size run = run_of(layout), period = period_of(layout.channels);
  const int step = layout.stride == 1 ? layout.width : 1;
  for (int y = 0; y < layout.height; ++y) {
    for (int column = 0; column < layout.width; column += step, x += run) {
      float* to = padded.data() + layout.at(y, column);
      for_each(
          run, period,
          [&](Size q) HWY_ATTR {
            const VectorActivation activate(activation, q);
            return [=](Size p) HWY_ATTR { hn::StoreU(activate(hn::LoadU(d, x + p)), d, to + p); };
          },
          [&](Size p, Size q) { to[p] = activated(x[p], activation, q); });
    }
  }
}

void gather_gradient_impl(const PaddedLayout& layout, const float* dx, const float* x,
                          const Activation& activation, bool accumulate, float* out) {
  const D d;
  const Size run = run_of(layout), period = period_of(layout.channels);
  const int step = layout.stride == 1 ? layout.width : 1;
  for (int y = 0; y < layout.height; ++y) {
    for (int column = 0; column < layout.width; column += step, x += run, out += run) {
      const float* from = dx + layout.at(y, column);
      for_each(
          run, period,
          [&](Size q) HWY_ATTR {
            const VectorActivation activate(activation, q);
            return [=](Size p) HWY_ATTR {
              V g = hn::LoadU(d, from + p);
              if (activate.relu)
                g = hn::IfThenElseZero(hn::Gt(activate(hn::LoadU(d, x + p)), hn::Zero(d)), g);
              hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, out + p), g) : g, d, out + p);
            };
          },
          [&](Size p, Size q) {
            const float g = !activation.relu || activated(x[p], activation, q) > 0 ? from[p] : 0.0f;
            out[p] = accumulate ? out[p] + g : g;
          });
    }
  }
}

}  // namespace

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

HWY_EXPORT(pad_image_impl);
HWY_EXPORT(gather_gradient_impl);

void pad_image(Padded& padded, const float* x, const Activation& activation) {
  HWY_DYNAMIC_DISPATCH(pad_image_impl)(padded, x, activation);
}

void gather_gradient(const PaddedLayout& layout, const float* dx, const float* x,
                     const Activation& activation, bool accumulate, float* out) {
  HWY_DYNAMIC_DISPATCH(gather_gradient_impl)(layout, dx, x, activation, accumulate, out);
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
