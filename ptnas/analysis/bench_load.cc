#include "ptnas/analysis/bench_load.h"

#include <chrono>

#include "ptnas/data/batch.h"

namespace ptnas {

Json bench_load(const Dataset& dataset, std::int64_t batch, std::int64_t batches, int threads,
                std::int64_t seed) {
  const std::vector<std::int64_t> indices = training_indices(dataset, 0);
  const std::int64_t in_a_pass = batch_count(static_cast<std::int64_t>(indices.size()), batch);
  const auto pass = shuffled_pass(indices, batch, {.crop_and_flip = true, .cutout = 0},
                                  static_cast<std::uint64_t>(seed), /*epoch=*/0);
  const auto start = std::chrono::steady_clock::now();
  BatchStream stream(
      dataset, [&](std::int64_t number) { return pass(number % in_a_pass); }, 0, batches,
      torch::MemoryFormat::ChannelsLast, threads);
  std::int64_t images = 0;
  while (const std::optional<Batch> ready = stream.next()) images += ready->labels.size(0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Json json = Json::object();
  json["images"] = images;
  json["seconds"] = seconds;
  json["images_per_s"] = static_cast<double>(images) / seconds;
  json["threads"] = threads;
  return json;
}

}  // namespace ptnas
