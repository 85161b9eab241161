#include "ptnas/data/batch.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

constexpr std::int64_t kMostImages = 65536;  // of a batch

enum class Kind : std::uint64_t { kPass = 0, kDraw = 1 };

// The counter of a batch's first image. Counters are unique to an image drawn; bits, from the top: 4 purpose
// of the order, 1 pass or draw, 23 epoch (event) of a pass or step of a draw, 20 batch of a pass, 16 place in
// the batch. So passes, draws, alpha's validation draws and scoring passes of one seed never share numbers.
std::uint64_t first_counter_of(Purpose purpose, Kind kind, std::uint64_t epoch_or_step, std::int64_t batch) {
  return static_cast<std::uint64_t>(purpose) << 60 | static_cast<std::uint64_t>(kind) << 59 |
         (epoch_or_step & 0x7FFFFF) << 36 | static_cast<std::uint64_t>(batch & 0xFFFFF) << 16;
}

void check_batch_size(std::int64_t size) {
  if (size < 1 || size > kMostImages)
    fail_usage("a batch must have 1 to {} images, not {}", kMostImages, size);
}

// One image's draw: where the crop starts in the padded image, whether it is mirrored, where the cutout's
// centre is.
struct Draw {
  int top = 0, left = 0;
  bool mirrored = false;
  int hole_top = 0, hole_bottom = 0, hole_left = 0, hole_right = 0;
};

Draw draw_augmentation(const Augmentation& augmentation, const DatasetInfo& info, RandomStream& stream) {
  Draw draw;
  const auto below = [&stream](int n) {
    return static_cast<int>(stream.below(static_cast<std::uint64_t>(n)));
  };
  if (augmentation.crop_and_flip) {
    draw.top = below(2 * info.crop_padding + 1) - info.crop_padding;
    draw.left = below(2 * info.crop_padding + 1) - info.crop_padding;
    draw.mirrored = below(2) == 1;
  }
  if (augmentation.cutout > 0) {
    const int y = below(info.height), x = below(info.width), half = augmentation.cutout / 2;
    draw.hole_top = std::clamp(y - half, 0, info.height);
    draw.hole_bottom = std::clamp(y + half, 0, info.height);
    draw.hole_left = std::clamp(x - half, 0, info.width);
    draw.hole_right = std::clamp(x + half, 0, info.width);
  }
  return draw;
}

// Normalised value of every byte, by channel.
std::vector<std::array<float, 256>> normalisation_table(const DatasetInfo& info) {
  std::vector<std::array<float, 256>> table(static_cast<std::size_t>(info.channels));
  for (std::size_t c = 0; c < table.size(); ++c) {
    for (std::size_t value = 0; value < 256; ++value) {
      table[c][value] =
          static_cast<float>((static_cast<double>(value) / 255 - info.mean[c]) / info.deviation[c]);
    }
  }
  return table;
}

// Writes one image at `out`; pixel (y, x) of channel c lands at (y * W + x) * pixel_stride + c *
// channel_stride.
void write_image(const std::uint8_t* pixels, const Draw& draw, const DatasetInfo& info,
                 const std::vector<std::array<float, 256>>& table, float* out, std::int64_t pixel_stride,
                 std::int64_t channel_stride) {
  for (int c = 0; c < info.channels; ++c) {
    const std::array<float, 256>& values = table[static_cast<std::size_t>(c)];
    const std::uint8_t* plane = pixels + static_cast<std::ptrdiff_t>(c) * info.height * info.width;
    float* to = out + c * channel_stride;
    for (int y = 0; y < info.height; ++y) {
      const int from_y = y + draw.top;
      const bool row_inside = from_y >= 0 && from_y < info.height;
      const bool row_in_hole = y >= draw.hole_top && y < draw.hole_bottom;
      for (int x = 0; x < info.width; ++x, to += pixel_stride) {
        const int from_x = (draw.mirrored ? info.width - 1 - x : x) + draw.left;
        const bool inside = row_inside && from_x >= 0 && from_x < info.width;
        const bool in_hole = row_in_hole && x >= draw.hole_left && x < draw.hole_right;
        // Padding is black before normalisation, the hole is 0 after it.
        *to = in_hole ? 0.0f : values[inside ? plane[from_y * info.width + from_x] : 0];
      }
    }
  }
}

}  // namespace

Batch make_batch(const Dataset& dataset, const BatchPlan& plan, torch::MemoryFormat format) {
  const DatasetInfo& info = dataset.info();
  const auto count = static_cast<std::int64_t>(plan.indices.size());
  Batch batch;
  batch.images = torch::empty({count, info.channels, info.height, info.width}, torch::kFloat, format);
  batch.labels = torch::empty({count}, torch::kLong);
  const bool channels_last = format == torch::MemoryFormat::ChannelsLast;
  const std::int64_t plane = std::int64_t{info.height} * info.width;
  const std::vector<std::array<float, 256>> table = normalisation_table(info);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(info.channels * plane));
  float* images = batch.images.data_ptr<float>();
  auto* labels = batch.labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = plan.indices[static_cast<std::size_t>(i)];
    if (index < 0 || index >= dataset.size(plan.part)) {
      fail("image {} was asked for, but this part of {} has {}", index, info.name, dataset.size(plan.part));
    }
    RandomStream stream(plan.seed, Purpose::kAugmentation,
                        plan.first_counter + static_cast<std::uint64_t>(i));
    Augmentation augmentation = plan.augmentation;
    if (augmentation.crop_and_flip && dataset.read_augmented(plan.part, index, stream, pixels.data())) {
      augmentation.crop_and_flip = false;
    } else {
      dataset.read(plan.part, index, pixels.data());
    }
    const Draw draw = draw_augmentation(augmentation, info, stream);
    write_image(pixels.data(), draw, info, table, images + i * info.channels * plane,
                channels_last ? info.channels : 1, channels_last ? 1 : plane);
    labels[i] = dataset.label(plan.part, index);
  }
  return batch;
}

// Threads claim batch numbers in order and put what they made into `ready`. All fields below `mutex` are
// guarded by it.
struct BatchStream::State {
  struct Result {
    Batch batch;
    std::exception_ptr fault;
  };

  const Dataset& dataset;
  std::function<BatchPlan(std::int64_t)> plan_of;
  torch::MemoryFormat format;
  std::int64_t most_ahead;
  std::vector<std::thread> threads;

  std::mutex mutex;
  std::condition_variable changed;
  std::int64_t next_to_make, next_to_give, end;
  std::map<std::int64_t, Result> ready;

  State(const Dataset& set, std::function<BatchPlan(std::int64_t)> plan, torch::MemoryFormat memory_format,
        std::int64_t ahead, std::int64_t first, std::int64_t count)
      : dataset(set),
        plan_of(std::move(plan)),
        format(memory_format),
        most_ahead(ahead),
        next_to_make(first),
        next_to_give(first),
        end(count) {}

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return next_to_make >= end || next_to_make < next_to_give + most_ahead; });
      if (next_to_make >= end) return;
      const std::int64_t number = next_to_make++;
      lock.unlock();
      Result result = make(number);
      lock.lock();
      if (result.fault) next_to_make = end;  // earlier ones are given first, later ones never
      ready.emplace(number, std::move(result));
      changed.notify_all();
    }
  }

  Result make(std::int64_t number) const {
    try {
      return {make_batch(dataset, plan_of(number), format), nullptr};
    } catch (...) {
      return {{}, std::current_exception()};
    }
  }

  // No batch is begun any more; returns when those under way are done.
  void stop() {
    {
      const std::lock_guard lock(mutex);
      next_to_make = end;
    }
    changed.notify_all();
    for (std::thread& thread : threads) thread.join();
  }
};

BatchStream::BatchStream(const Dataset& dataset, std::function<BatchPlan(std::int64_t)> plan_of,
                         std::int64_t first, std::int64_t count, torch::MemoryFormat format, int threads)
    : state_(new State(dataset, std::move(plan_of), format, 2 * std::max(1, threads), first, count)) {
  for (int t = 0; t < std::max(1, threads); ++t)
    state_->threads.emplace_back([state = state_.get()] { state->work(); });
}

BatchStream::~BatchStream() { state_->stop(); }

std::optional<Batch> BatchStream::next() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.next_to_give >= state.end) return std::nullopt;
  state.changed.wait(lock, [&state] { return state.ready.contains(state.next_to_give); });
  const auto found = state.ready.find(state.next_to_give);
  if (found->second.fault) std::rethrow_exception(found->second.fault);  // again at every further call
  Batch batch = std::move(found->second.batch);
  state.ready.erase(found);
  ++state.next_to_give;
  state.changed.notify_all();
  return batch;
}

namespace {

std::function<BatchPlan(std::int64_t)> pass_in_order_of(Purpose purpose, std::vector<std::int64_t> indices,
                                                        std::int64_t size, Augmentation augmentation,
                                                        std::uint64_t seed, std::uint64_t index) {
  check_batch_size(size);
  RandomStream stream(seed, purpose, index);
  stream.shuffle(indices);
  return [purpose, indices = std::move(indices), size, augmentation, seed, index](std::int64_t batch) {
    const std::int64_t first = batch * size;
    const std::int64_t last = std::min<std::int64_t>(first + size, static_cast<std::int64_t>(indices.size()));
    return BatchPlan{Part::kTrain,
                     {indices.begin() + first, indices.begin() + last},
                     augmentation,
                     seed,
                     first_counter_of(purpose, Kind::kPass, index, batch)};
  };
}

}  // namespace

std::function<BatchPlan(std::int64_t)> shuffled_pass(std::vector<std::int64_t> indices, std::int64_t size,
                                                     Augmentation augmentation, std::uint64_t seed,
                                                     std::uint64_t epoch) {
  return pass_in_order_of(Purpose::kTrainOrder, std::move(indices), size, augmentation, seed, epoch);
}

std::function<BatchPlan(std::int64_t)> augmented_pass(std::vector<std::int64_t> indices, std::int64_t size,
                                                      Augmentation augmentation, std::uint64_t seed,
                                                      std::uint64_t event) {
  return pass_in_order_of(Purpose::kScoringOrder, std::move(indices), size, augmentation, seed, event);
}

std::function<BatchPlan(std::int64_t)> fresh_shuffles(std::vector<std::int64_t> indices, std::int64_t size,
                                                      Augmentation augmentation, std::uint64_t seed,
                                                      Purpose purpose, std::uint64_t first_step) {
  check_batch_size(size);
  return [indices = std::move(indices), size, augmentation, seed, purpose, first_step](std::int64_t batch) {
    const std::uint64_t step = first_step + static_cast<std::uint64_t>(batch);
    RandomStream stream(seed, purpose, step);
    BatchPlan plan{Part::kTrain, {}, augmentation, seed, first_counter_of(purpose, Kind::kDraw, step, 0)};
    // The first `size` of a Fisher-Yates shuffle; only the places that moved are remembered.
    std::unordered_map<std::size_t, std::size_t> moved;
    const auto at = [&moved](std::size_t place) {
      const auto found = moved.find(place);
      return found == moved.end() ? place : found->second;
    };
    const std::size_t wanted = std::min<std::size_t>(static_cast<std::size_t>(size), indices.size());
    for (std::size_t i = 0; i < wanted; ++i) {
      const std::size_t j = i + static_cast<std::size_t>(stream.below(indices.size() - i));
      plan.indices.push_back(indices[at(j)]);
      moved[j] = at(i);
    }
    return plan;
  };
}

std::function<BatchPlan(std::int64_t)> ordered_pass(Part part, std::vector<std::int64_t> indices,
                                                    std::int64_t size) {
  check_batch_size(size);
  return [part, indices = std::move(indices), size](std::int64_t batch) {
    const std::int64_t first = batch * size;
    const std::int64_t last = std::min<std::int64_t>(first + size, static_cast<std::int64_t>(indices.size()));
    return BatchPlan{part, {indices.begin() + first, indices.begin() + last}, {}, 0, 0};
  };
}

std::int64_t batch_count(std::int64_t count, std::int64_t size) {
  check_batch_size(size);
  return (count + size - 1) / size;
}

}  // namespace ptnas
