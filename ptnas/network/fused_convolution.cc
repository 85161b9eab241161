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

struct StemRecord {
  torch::Tensor images, weight;
  std::shared_ptr<BatchNorm> module;
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
    kernels::pad_image(source, images.data_ptr<float>() + static_cast<Size>(n) * in_image(), {});
  }
};

template <typename Body>
void for_each_image(std::int64_t images, const Body& body) {
  run_tasks(chunk_count(images), [&](std::int64_t chunk, ThreadScratch& scratch) {
    const ImageRange range = chunk_of(images, chunk);
    for (std::int64_t n = range.begin; n < range.end; ++n) body(n, chunk, scratch);
  });
}

torch::Tensor forward(StemRecord& r) {
  const kernels::Convolution& c = r.convolution;
  const std::int64_t images = r.count();
  r.raw = Buffer(static_cast<Size>(images) * r.out_image());
  r.norm.begin(*r.module, images, static_cast<std::int64_t>(c.pixels()), c.out_channels);
  for_each_image(images, [&](std::int64_t n, std::int64_t, ThreadScratch& scratch) {
    r.pad(n, scratch.source);
    float* raw = r.raw.data() + static_cast<Size>(n) * r.out_image();
    const kernels::Moments moments =
        r.norm.wants_moments() ? r.norm.image(n) : kernels::Moments{nullptr, nullptr};
    kernels::convolve(c, r.weights, scratch.source, raw, moments, scratch.convolution);
  });
  r.norm.finish(*r.module);
  torch::Tensor output =
      torch::empty({images, c.out_channels, c.out_height, c.out_width},
                   torch::TensorOptions(torch::kFloat).memory_format(torch::MemoryFormat::ChannelsLast));
  for_each_image(images, [&](std::int64_t n, std::int64_t, ThreadScratch&) {
    const Size at = static_cast<Size>(n) * r.out_image();
    const kernels::MixTerm term{r.raw.data() + at, r.norm.scale()};
    kernels::mix(&term, 1, r.norm.bias(), c.pixels(), c.out_channels, /*accumulate=*/false,
                 output.data_ptr<float>() + at);
  });
  return output;
}

// weight[o][i][tap] from the taps' matrices [in][out rounded up].
torch::Tensor weight_gradient(const StemRecord& r, const float* sums) {
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

struct StemNode final : torch::autograd::Node {
  std::shared_ptr<StemRecord> record;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    TORCH_CHECK(record != nullptr,
                "the stem was asked for its gradients a second time; run the forward pass again");
    const torch::NoGradGuard no_grad;
    StemRecord& r = *record;
    const kernels::Convolution& c = r.convolution;
    const torch::Tensor output_gradient = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast);
    const float* g = output_gradient.data_ptr<float>();
    r.norm.begin_back();
    for_each_image(r.count(), [&](std::int64_t n, std::int64_t, ThreadScratch&) {
      const Size at = static_cast<Size>(n) * r.out_image();
      kernels::gradient_sums(g + at, r.raw.data() + at, r.norm.center(), c.pixels(), c.out_channels,
                             r.norm.sum_g(n), r.norm.sum_gx(n));
    });
    r.norm.finish_back(1);
    torch::autograd::variable_list result(3);
    if (should_compute_output(1)) result[1] = r.norm.gamma_gradient();
    if (should_compute_output(2)) result[2] = r.norm.beta_gradient();
    if (!should_compute_output(0)) return result;

    const std::int64_t chunks = chunk_count(r.count());
    kernels::Floats sums(static_cast<Size>(chunks) * c.matrix_size());
    for_each_image(r.count(), [&](std::int64_t n, std::int64_t chunk, ThreadScratch& scratch) {
      const Size at = static_cast<Size>(n) * r.out_image();
      r.pad(n, scratch.source);
      kernels::convolve_back(
          c, r.weights, &scratch.source, g + at, r.raw.data() + at, r.norm.gradient(), nullptr,
          /*accumulate=*/false, {nullptr, sums.data() + static_cast<Size>(chunk) * c.matrix_size()},
          scratch.convolution);
    });
    for (std::int64_t chunk = 1; chunk < chunks; ++chunk) {
      const float* other = sums.data() + static_cast<Size>(chunk) * c.matrix_size();
      for (Size i = 0; i < c.matrix_size(); ++i) sums.data()[i] += other[i];
    }
    result[0] = weight_gradient(r, sums.data());
    return result;
  }
  void release_variables() override { record.reset(); }
};

}  // namespace

torch::Tensor fused_convolution(const torch::Tensor& images, const torch::Tensor& weight,
                                const std::shared_ptr<BatchNorm>& norm) {
  torch::Tensor output;
  auto record = std::make_shared<StemRecord>();
  {
    const torch::NoGradGuard no_grad;
    record->images = images.contiguous(torch::MemoryFormat::ChannelsLast);
    record->weight = weight.detach();
    record->module = norm;
    const int in = static_cast<int>(weight.size(1)), kernel = static_cast<int>(weight.size(2));
    record->convolution = kernels::dense_convolution(
        {in, static_cast<int>(images.size(2)), static_cast<int>(images.size(3)), 1, kernel / 2},
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
  const torch::autograd::variable_list inputs = {weight, norm->weight(), norm->bias()};
  const bool wanted = torch::GradMode::is_enabled() &&
                      std::any_of(inputs.begin(), inputs.end(),
                                  [](const auto& t) { return t.defined() && t.requires_grad(); });
  if (wanted) {
    auto node = std::shared_ptr<StemNode>(new StemNode, torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(inputs));
    node->record = std::move(record);
    torch::autograd::set_history(output, node);
  }
  return output;
}

}  // namespace ptnas
