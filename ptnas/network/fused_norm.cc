#include "ptnas/network/fused_norm.h"

#include <cmath>

namespace ptnas {

namespace {

void fill_table(const std::vector<double>& values, kernels::Floats& table) {
  const std::vector<float> narrow(values.begin(), values.end());
  const int channels = static_cast<int>(values.size());
  table.resize(kernels::period_of(channels));
  kernels::fill_period(narrow.data(), channels, table.data());
}

std::vector<double> values_of(const torch::Tensor& tensor) {
  if (!tensor.defined()) return {};
  const float* data = tensor.data_ptr<float>();
  return {data, data + tensor.numel()};
}

torch::Tensor tensor_of(const std::vector<double>& values) {
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(values.size())}, torch::kFloat);
  for (std::size_t i = 0; i < values.size(); ++i) tensor.data_ptr<float>()[i] = static_cast<float>(values[i]);
  return tensor;
}

}  // namespace

void FusedNorm::begin(const BatchNorm& norm, std::int64_t images, std::int64_t pixels, int channels) {
  by_batch_ = norm.is_training();
  images_ = images;
  pixels_ = pixels;
  gamma_ = values_of(norm.weight());
  beta_ = values_of(norm.bias());
  mean_.assign(static_cast<std::size_t>(channels), 0);
  inverse_.assign(mean_.size(), 0);
  variance_.assign(mean_.size(), 0);
  if (by_batch_) moments_.reset(new double[2 * static_cast<std::size_t>(images) * mean_.size()]);
}

// Chan, Golub, LeVeque, "Algorithms for computing the sample variance" (1983): groups of equal size.
void FusedNorm::finish(BatchNorm& norm, const FusedNorm& measured) {
  const std::size_t c = channels();
  if (!by_batch_) {
    mean_ = values_of(norm.running_mean());
    const std::vector<double> variance = values_of(norm.running_var());
    for (std::size_t i = 0; i < c; ++i) inverse_[i] = 1 / std::sqrt(variance[i] + BatchNorm::kEpsilon);
    make_tables();
    return;
  }
  const double count = static_cast<double>(images_) * static_cast<double>(pixels_);
  const double images = static_cast<double>(images_);
  std::vector<double> m2(c, 0);
  for (std::int64_t n = 0; n < images_; ++n) {
    const double* mean = measured.image_mean(n);
    for (std::size_t i = 0; i < c; ++i) mean_[i] += mean[i];
  }
  for (std::size_t i = 0; i < c; ++i) mean_[i] /= images;
  for (std::int64_t n = 0; n < images_; ++n) {
    const double *mean = measured.image_mean(n), *of_image = mean + c;
    for (std::size_t i = 0; i < c; ++i) {
      const double apart = mean[i] - mean_[i];
      m2[i] += of_image[i] + static_cast<double>(pixels_) * apart * apart;
    }
  }
  for (std::size_t i = 0; i < c; ++i) {
    inverse_[i] = 1 / std::sqrt(m2[i] / count + BatchNorm::kEpsilon);
    variance_[i] = count > 1 ? m2[i] / (count - 1) : 0;
  }
  make_tables();
  if (norm.updates_statistics(images_ * pixels_)) norm.update_statistics(mean_.data(), variance_.data());
}

void FusedNorm::make_tables() {
  std::vector<double> scales(channels()), biases(channels());
  for (std::size_t i = 0; i < channels(); ++i) {
    // Rounded as libtorch rounds them: where a ReLU's input lies within rounding of 0, its gradient follows.
    const float narrow = static_cast<float>(gamma(i)) * static_cast<float>(inverse_[i]);
    scales[i] = narrow;
    biases[i] = static_cast<float>(beta(i)) - static_cast<float>(mean_[i]) * narrow;
  }
  fill_table(scales, scale_);
  fill_table(biases, bias_);
  fill_table(mean_, center_);
}

void FusedNorm::begin_back() { sums_.reset(new double[2 * static_cast<std::size_t>(images_) * channels()]); }

// The gradient of x through batch statistics: weight gamma / sigma (g - mean g - x^ mean(g x^)), x^ = (x -
// mean) / sigma; through running statistics the first term alone.
void FusedNorm::finish_back(double weight) {
  const std::size_t c = channels();
  weight_ = weight;
  total_g_.assign(c, 0);
  total_gx_.assign(c, 0);
  raw_scales_.assign(c, 0);
  constants_.assign(c, 0);
  for (std::int64_t n = 0; n < images_; ++n) {
    for (std::size_t i = 0; i < c; ++i) {
      total_g_[i] += sum_g(n)[i];
      total_gx_[i] += sum_gx(n)[i];
    }
  }
  const double count = static_cast<double>(images_) * static_cast<double>(pixels_);
  std::vector<double> g_scales(c);
  for (std::size_t i = 0; i < c; ++i) {
    total_gx_[i] *= inverse_[i];
    g_scales[i] = weight * scale(i);
    if (!by_batch_) continue;
    const double of_x = total_gx_[i] / count * inverse_[i];
    raw_scales_[i] = -g_scales[i] * of_x;
    constants_[i] = -g_scales[i] * (total_g_[i] / count - mean_[i] * of_x);
  }
  fill_table(g_scales, g_scale_);
  fill_table(raw_scales_, raw_scale_);
  fill_table(constants_, constant_);
}

double FusedNorm::weight_gradient() const {
  double sum = 0;
  for (std::size_t i = 0; i < total_g_.size(); ++i) sum += gamma(i) * total_gx_[i] + beta(i) * total_g_[i];
  return sum;
}

torch::Tensor FusedNorm::gamma_gradient() const {
  std::vector<double> values = total_gx_;
  for (double& value : values) value *= weight_;
  return tensor_of(values);
}

torch::Tensor FusedNorm::beta_gradient() const {
  std::vector<double> values = total_g_;
  for (double& value : values) value *= weight_;
  return tensor_of(values);
}

}  // namespace ptnas
