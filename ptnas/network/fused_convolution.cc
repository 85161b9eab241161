#include "ptnas/network/fused_convolution.h"

#include <torch/autograd.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/utils.h>

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/network/cell_record.h"

namespace ptnas {

namespace {

using Size = std::size_t;

struct ConvolutionRecord {
  torch::Tensor images, weight;
  std::shared_ptr<BatchNorm> module;  // or absent
  bool relu = false;
  kernels::Convolution convolution;
  kernels::PackedWeights weights;
  Buffer raw;
  FusedNorm norm;

  std::int64_t count() const { return images.size(0); }
  Size in_image() const {
    return static_cast<Size>(convolution.source.channels * convolution.source.height *
                             convolution.source.width);
  }
  Size out_image() const { return convolution.pixels() * static_cast<Size>(convolution.out_channels); }
  void pad(std::int64_t n, kernels::Padded& source) const {
    source.shape(convolution.source);
    kernels::pad_image(source, image(n), {.relu = relu});
  }
  const float* image(std::int64_t n) const {
    return images.data_ptr<float>() + static_cast<Size>(n) * in_image();
  }
};

template <typename Body>
void for_each_image(std::int64_t images, const Body& body) {
  run_tasks(chunk_count(images), [&](std::int64_t chunk, ThreadScratch& scratch) {
    const ImageRange range = chunk_of(images, chunk);
    for (std::int64_t n = range.begin; n < range.end; ++n) body(n, chunk, scratch);
  });
}

// The convolution into raw [N][H][W][out], with the sums that a norm needs.
void convolve_images(ConvolutionRecord& r, float* raw) {
  const bool measured = r.module && r.norm.wants_moments();
  for_each_image(r.count(), [&](std::int64_t n, std::int64_t, ThreadScratch& scratch) {
    r.pad(n, scratch.source);
    const kernels::Moments moments = measured ? r.norm.image(n) : kernels::Moments{nullptr, nullptr};
    kernels::convolve(r.convolution, r.weights, scratch.source, raw + static_cast<Size>(n) * r.out_image(),
                      moments, scratch.convolution);
  });
}

torch::Tensor forward(ConvolutionRecord& r) {
  const kernels::Convolution& c = r.convolution;
  const std::int64_t images = r.count();
  torch::Tensor output =
      torch::empty({images, c.out_channels, c.out_height, c.out_width},
                   torch::TensorOptions(torch::kFloat).memory_format(torch::MemoryFormat::ChannelsLast));
  if (!r.module) {
    convolve_images(r, output.data_ptr<float>());
    return output;
  }
  r.raw = Buffer(static_cast<Size>(images) * r.out_image());
  r.norm.begin(*r.module, images, static_cast<std::int64_t>(c.pixels()), c.out_channels);
  convolve_images(r, r.raw.data());
  r.norm.finish(*r.module);
  for_each_image(images, [&](std::int64_t n, std::int64_t, ThreadScratch&) {
    const Size at = static_cast<Size>(n) * r.out_image();
    const kernels::MixTerm term{r.raw.data() + at, r.norm.scale()};
    kernels::mix(&term, 1, r.norm.bias(), c.pixels(), c.out_channels, /*accumulate=*/false,
                 output.data_ptr<float>() + at);
  });
  return output;
}

// weight[o][i][tap] from the taps' matrices [in][out rounded up].
torch::Tensor weight_gradient(const ConvolutionRecord& r, const float* sums) {
  torch::Tensor gradient = torch::empty(r.weight.sizes(), torch::kFloat);
  float* out = gradient.data_ptr<float>();
  const auto in = static_cast<Size>(r.convolution.source.channels), taps = r.convolution.taps.size();
  const Size row = kernels::round_up(static_cast<Size>(r.convolution.out_channels));
  for (Size o = 0; o < static_cast<Size>(r.convolution.out_channels); ++o) {
    for (Size i = 0; i < in; ++i) {
      for (Size k = 0; k < taps; ++k) *out++ = sums[(k * in + i) * row + o];
    }
  }
  return gradient;
}

// What convolve_back() is given where no norm follows: the gradient as it is.
class UnchangedGradient {
 public:
  explicit UnchangedGradient(int channels)
      : ones_(kernels::period_of(channels)), zeros_(kernels::period_of(channels)) {
    std::fill_n(ones_.data(), kernels::period_of(channels), 1.0f);
  }
  kernels::NormGradient gradient() const { return {ones_.data(), zeros_.data(), zeros_.data()}; }

 private:
  kernels::Floats ones_, zeros_;
};

struct ConvolutionNode final : torch::autograd::Node {
  std::shared_ptr<ConvolutionRecord> record;

  // Its inputs: images, weight, and the norm's two parameters.
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    TORCH_CHECK(record != nullptr,
                "a convolution was asked for its gradients a second time; run the forward pass again");
    const torch::NoGradGuard no_grad;
    const torch::Tensor g = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast);
    torch::autograd::variable_list result(4);
    if (record->module) {
      sum_gradients(g.data_ptr<float>());
      if (should_compute_output(2)) result[2] = record->norm.gamma_gradient();
      if (should_compute_output(3)) result[3] = record->norm.beta_gradient();
    }
    if (should_compute_output(0))
      result[0] = torch::empty_like(record->images, torch::MemoryFormat::ChannelsLast);
    if (should_compute_output(0) || should_compute_output(1))
      go_back(g.data_ptr<float>(), result[0], should_compute_output(1) ? &result[1] : nullptr);
    return result;
  }
  void release_variables() override { record.reset(); }

 private:
  void sum_gradients(const float* g) {
    ConvolutionRecord& r = *record;
    const kernels::Convolution& c = r.convolution;
    r.norm.begin_back();
    for_each_image(r.count(), [&](std::int64_t n, std::int64_t, ThreadScratch&) {
      const Size at = static_cast<Size>(n) * r.out_image();
      kernels::gradient_sums(g + at, r.raw.data() + at, r.norm.center(), c.pixels(), c.out_channels,
                             r.norm.sum_g(n), r.norm.sum_gx(n));
    });
    r.norm.finish_back(1);
  }

  // Through the convolution; `images` may be undefined and `weight` null.
  void go_back(const float* g, const torch::Tensor& images, torch::Tensor* weight) const {
    const ConvolutionRecord& r = *record;
    const kernels::Convolution& c = r.convolution;
    const std::int64_t chunks = chunk_count(r.count());
    kernels::Floats sums(weight != nullptr ? static_cast<Size>(chunks) * c.matrix_size() : 0);
    const UnchangedGradient unchanged(c.out_channels);
    const kernels::NormGradient norm = r.module ? r.norm.gradient() : unchanged.gradient();
    for_each_image(r.count(), [&](std::int64_t n, std::int64_t chunk, ThreadScratch& scratch) {
      const Size at = static_cast<Size>(n) * r.out_image();
      r.pad(n, scratch.source);
      if (images.defined()) scratch.gradient.shape(c.source);
      float* matrices =
          weight != nullptr ? sums.data() + static_cast<Size>(chunk) * c.matrix_size() : nullptr;
      // Without a norm there is no raw output: g stands for it, and counts 0.
      kernels::convolve_back(c, r.weights, &scratch.source, g + at, r.module ? r.raw.data() + at : g + at,
                             norm, images.defined() ? scratch.gradient.data() : nullptr, /*accumulate=*/false,
                             {nullptr, matrices}, scratch.convolution);
      if (!images.defined()) return;
      kernels::gather_gradient(c.source, scratch.gradient.data(), r.image(n), {.relu = r.relu},
                               /*accumulate=*/false,
                               images.data_ptr<float>() + static_cast<Size>(n) * r.in_image());
    });
    if (weight == nullptr) return;
    for (std::int64_t chunk = 1; chunk < chunks; ++chunk) {
      const float* other = sums.data() + static_cast<Size>(chunk) * c.matrix_size();
      for (Size i = 0; i < c.matrix_size(); ++i) sums.data()[i] += other[i];
    }
    *weight = weight_gradient(r, sums.data());
  }
};

}  // namespace

torch::Tensor fused_convolution(const torch::Tensor& images, const torch::Tensor& weight,
                                const std::shared_ptr<BatchNorm>& norm,
                                const FusedConvolutionOptions& options) {
  torch::Tensor output;
  auto record = std::make_shared<ConvolutionRecord>();
  {
    const torch::NoGradGuard no_grad;
    record->images = images.contiguous(torch::MemoryFormat::ChannelsLast);
    record->weight = weight.detach();
    record->module = norm;
    record->relu = options.relu;
    const int in = static_cast<int>(weight.size(1)), kernel = static_cast<int>(weight.size(2));
    const int halo = kernel / 2 * options.stride;  // a multiple of the stride
    record->convolution = kernels::dense_convolution(
        {in, static_cast<int>(images.size(2)), static_cast<int>(images.size(3)), options.stride, halo},
        static_cast<int>(weight.size(0)), kernel);
    record->weights.shape(record->convolution);
    const torch::Tensor values = weight.contiguous();
    const auto taps = static_cast<Size>(kernel * kernel);
    for (Size k = 0; k < taps; ++k) {
      record->weights.pack_matrix(record->convolution, static_cast<int>(k), values.data_ptr<float>() + k, 0,
                                  static_cast<int>(weight.size(0)), static_cast<Size>(in) * taps, taps);
    }
    output = forward(*record);
  }
  const torch::autograd::variable_list inputs = {images, weight, norm ? norm->weight() : torch::Tensor(),
                                                 norm ? norm->bias() : torch::Tensor()};
  const bool wanted = torch::GradMode::is_enabled() &&
                      std::any_of(inputs.begin(), inputs.end(),
                                  [](const auto& t) { return t.defined() && t.requires_grad(); });
  if (wanted) {
    auto node = std::shared_ptr<ConvolutionNode>(new ConvolutionNode, torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(inputs));
    node->record = std::move(record);
    torch::autograd::set_history(output, node);
  }
  return output;
}

}  // namespace ptnas
