#include "ptnas/train/evaluation.h"

#include <torch/utils.h>

#include <algorithm>
#include <chrono>

namespace ptnas {

namespace {

void add_batch(Evaluation& result, const torch::Tensor& logits, const torch::Tensor& labels,
               bool keeps_images) {
  const std::int64_t count = labels.size(0), classes = logits.size(1);
  result.loss += torch::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).item<double>();
  result.images += count;
  const torch::Tensor best = std::get<1>(logits.topk(std::min<std::int64_t>(5, classes), 1)).contiguous();
  const auto* predicted = best.data_ptr<std::int64_t>();
  const auto* label = labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t* row = predicted + i * best.size(1);
    result.correct += row[0] == label[i];
    result.among_five += std::find(row, row + best.size(1), label[i]) != row + best.size(1);
    ++result.confusion[static_cast<std::size_t>(label[i])][static_cast<std::size_t>(row[0])];
    if (keeps_images) result.of_images.right.push_back(row[0] == label[i] ? 1 : 0);
  }
  if (!keeps_images) return;
  // Beside the sum above, whose bits stay what they are.
  const torch::Tensor each =
      torch::cross_entropy_loss(logits, labels, {}, at::Reduction::None).to(torch::kFloat).contiguous();
  const auto* loss = each.data_ptr<float>();
  result.of_images.losses.insert(result.of_images.losses.end(), loss, loss + count);
}

}  // namespace

Evaluation evaluate(const Dataset& dataset, const std::function<BatchPlan(std::int64_t)>& plan_of,
                    std::int64_t batches, const Forward& forward, torch::MemoryFormat format,
                    torch::Device device, int loader_threads) {
  const auto one = [&forward](const torch::Tensor& images, std::int64_t batch) {
    return std::vector<torch::Tensor>{forward(images, batch)};
  };
  return evaluate_many(dataset, plan_of, batches, 1, one, format, device, loader_threads).front();
}

std::vector<Evaluation> evaluate_many(const Dataset& dataset,
                                      const std::function<BatchPlan(std::int64_t)>& plan_of,
                                      std::int64_t batches, std::size_t count, const ForwardMany& forward,
                                      torch::MemoryFormat format, torch::Device device, int loader_threads,
                                      const PassExtras& extras) {
  const torch::NoGradGuard no_grad;
  const std::size_t classes = dataset.info().classes.size();
  std::vector<Evaluation> results(count);
  for (Evaluation& result : results) result.confusion.assign(classes, std::vector<std::int64_t>(classes, 0));
  BatchStream stream(dataset, plan_of, 0, batches, format, loader_threads);
  for (std::int64_t number = 0; number < batches; ++number) {
    const Batch batch = *stream.next();
    const torch::Tensor images = batch.images.to(device);
    const auto start = std::chrono::steady_clock::now();
    std::vector<torch::Tensor> logits = forward(images, number);
    for (torch::Tensor& tensor : logits) {
      if (tensor.defined()) tensor = tensor.to(torch::kCPU);  // waits for the device
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (std::size_t i = 0; i < count; ++i) {
      if (!logits.at(i).defined()) continue;
      results[i].seconds += seconds / static_cast<double>(count);
      add_batch(results[i], logits[i], batch.labels, extras.keeps_images);
    }
    if (extras.after_batch && !extras.after_batch(results, number + 1)) break;
  }
  for (Evaluation& result : results)
    result.loss /= static_cast<double>(std::max<std::int64_t>(result.images, 1));
  return results;
}

std::vector<std::int64_t> all_indices(const Dataset& dataset, Part part) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(dataset.size(part)));
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i);
  return indices;
}

std::int64_t count_correct(const torch::Tensor& logits, const torch::Tensor& labels) {
  return logits.detach().argmax(1).eq(labels).sum().item<std::int64_t>();
}

}  // namespace ptnas
