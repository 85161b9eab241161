// One folder of images per class, with or without train/ and test/.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/log.h"
#include "ptnas/core/random.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/image.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

// Decoded images up to this many bytes are kept; a larger set is decoded again at each use.
constexpr std::uint64_t kCacheBytes = std::uint64_t{1} << 30;

struct Entry {
  fs::path file;
  int label;
};

std::vector<std::string> class_folders(const fs::path& directory) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with(".")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_image_name(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

// The image files of every class, by name; other files are counted and said to be left out.
std::vector<Entry> list_images(const fs::path& directory, const std::vector<std::string>& classes) {
  std::vector<Entry> entries;
  std::int64_t others = 0;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory / classes[c])) {
      if (!entry.is_regular_file()) continue;
      if (is_image_name(entry.path())) {
        files.push_back(entry.path());
      } else {
        ++others;
      }
    }
    std::sort(files.begin(), files.end());
    for (fs::path& file : files) entries.push_back({std::move(file), static_cast<int>(c)});
  }
  if (others > 0)
    log_warning(
        fmt::format("{}: {} files are neither .png nor .jpg and are left out", directory.string(), others));
  return entries;
}

class FolderDataset final : public Dataset {
 public:
  FolderDataset(const fs::path& directory, const DataOptions& options) : root_(directory) {
    info_.name = "folder";
    info_.height = info_.width = static_cast<int>(options.image_size);
    const bool has_train = fs::is_directory(directory / "train"),
               has_test = fs::is_directory(directory / "test");
    if (has_test && !has_train)
      fail("{} has test/ but no train/; expected both or neither", directory.string());
    const fs::path train = has_train ? directory / "train" : directory;
    info_.classes = class_folders(train);
    if (info_.classes.size() < 2) {
      fail("{}: expected one folder per class, at least two, found {}", train.string(), info_.classes.size());
    }
    parts_[0] = list_images(train, info_.classes);
    if (has_test) {
      if (class_folders(directory / "test") != info_.classes) {
        fail("{}: train/ and test/ must have the same class folders", directory.string());
      }
      parts_[1] = list_images(directory / "test", info_.classes);
    }
    verify(options.skip_bad_images);
    check_classes(train);
    if (!has_test) hold_out(options.test_portion);
    put_in_order();
    fill_cache();
    check_labels(*this, directory.string());
    measure_pixels(*this, info_);
  }

  std::int64_t size(Part part) const override { return static_cast<std::int64_t>(of(part).size()); }
  int label(Part part, std::int64_t index) const override {
    return of(part).at(static_cast<std::size_t>(index)).label;
  }

  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override {
    const auto& cache = cache_[static_cast<std::size_t>(part)];
    if (!cache.empty()) {
      std::memcpy(pixels, cache.data() + static_cast<std::size_t>(index) * image_bytes(), image_bytes());
    } else {
      decode(of(part)[static_cast<std::size_t>(index)].file, pixels);
    }
  }

  Json describe() const override {
    Json json = Dataset::describe();
    json["held_out"] = held_out_;
    json["left_out"] = left_out_;
    return json;
  }

 private:
  const std::vector<Entry>& of(Part part) const { return parts_[static_cast<std::size_t>(part)]; }
  std::size_t image_bytes() const {
    return static_cast<std::size_t>(info_.channels * info_.height * info_.width);
  }
  std::string relative(const fs::path& file) const { return file.lexically_relative(root_).generic_string(); }

  // Decodes every image once, in threads: finds broken ones before hours are spent, and whether the set is
  // all grey.
  void verify(bool skip_bad) {
    std::atomic<bool> colour{false};
    for (std::vector<Entry>& part : parts_) {
      std::vector<std::string> faults(part.size());
      for_each(part.size(), [&](std::size_t i) {
        try {
          if (decode_image(read_file(part[i].file), part[i].file.string()).channels == 3) colour = true;
        } catch (const Error& error) {
          faults[i] = error.what();
        }
      });
      std::vector<Entry> good;
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (faults[i].empty()) {
          good.push_back(part[i]);
        } else if (skip_bad) {
          log_warning("left out: " + faults[i]);
          left_out_.push_back(relative(part[i].file));
        } else {
          fail("{}; mend or remove it, or give --skip-bad-images", faults[i]);
        }
      }
      part = std::move(good);
    }
    info_.channels = colour ? 3 : 1;
  }

  void check_classes(const fs::path& directory) const {
    std::vector<std::int64_t> counts(info_.classes.size(), 0);
    for (const Entry& entry : parts_[0]) ++counts[static_cast<std::size_t>(entry.label)];
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (counts[c] == 0)
        fail("{}: class {} has no images; add some or remove its folder", directory.string(),
             info_.classes[c]);
    }
  }

  // Moves a share of each class (at least one image, and never all) to the test part, chosen by a fixed
  // pseudo-random order.
  void hold_out(double portion) {
    std::vector<Entry> kept;
    for (std::size_t c = 0; c < info_.classes.size(); ++c) {
      std::vector<Entry> images;
      std::copy_if(parts_[0].begin(), parts_[0].end(), std::back_inserter(images),
                   [&](const Entry& entry) { return entry.label == static_cast<int>(c); });
      if (images.size() < 2) {
        fail("class {} has one image; at least two are needed, one to train on and one to test on",
             info_.classes[c]);
      }
      const auto wanted =
          static_cast<std::size_t>(std::llround(portion * static_cast<double>(images.size())));
      const std::size_t count = std::clamp<std::size_t>(wanted, 1, images.size() - 1);
      const std::vector<std::int64_t> order =
          permutation(images.size(), RandomStream(0, Purpose::kDataOrder, c + 1));
      std::vector<bool> held(images.size(), false);
      for (std::size_t i = 0; i < count; ++i) held[static_cast<std::size_t>(order[i])] = true;
      for (std::size_t i = 0; i < images.size(); ++i) {
        if (held[i]) held_out_.push_back(relative(images[i].file));
        (held[i] ? parts_[1] : kept).push_back(images[i]);
      }
    }
    parts_[0] = std::move(kept);
  }

  void put_in_order() {
    std::vector<int> labels;
    for (const Entry& entry : parts_[0]) labels.push_back(entry.label);
    std::vector<Entry> ordered;
    for (const std::int64_t i : order_of_use(labels))
      ordered.push_back(parts_[0][static_cast<std::size_t>(i)]);
    parts_[0] = std::move(ordered);
  }

  void fill_cache() {
    if ((parts_[0].size() + parts_[1].size()) * image_bytes() > kCacheBytes) return;
    for (std::size_t p = 0; p < 2; ++p) {
      std::vector<std::uint8_t> pixels(parts_[p].size() * image_bytes());
      for_each(parts_[p].size(),
               [&](std::size_t i) { decode(parts_[p][i].file, pixels.data() + i * image_bytes()); });
      cache_[p] = std::move(pixels);
    }
  }

  // [C, H, W] bytes of one file.
  void decode(const fs::path& file, std::uint8_t* pixels) const {
    const Image image =
        with_channels(fit_square(decode_image(read_file(file), file.string()), info_.width), info_.channels);
    const auto channels = static_cast<std::size_t>(info_.channels), plane = image.pixels.size() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < plane; ++i) pixels[c * plane + i] = image.pixels[i * channels + c];
    }
  }

  // Calls `work` for 0 .. count - 1 on the process's cores; rethrows the first exception.
  static void for_each(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr fault;
    std::mutex mutex;
    const auto loop = [&] {
      for (std::size_t i = next++; i < count; i = next++) {
        try {
          work(i);
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!fault) fault = std::current_exception();
          next = count;
        }
      }
    };
    std::vector<std::thread> threads;
    for (int t = 1; t < available_cores(); ++t) threads.emplace_back(loop);
    loop();
    for (std::thread& thread : threads) thread.join();
    if (fault) std::rethrow_exception(fault);
  }

  fs::path root_;
  std::vector<Entry> parts_[2];
  std::vector<std::uint8_t> cache_[2];
  std::vector<std::string> held_out_, left_out_;
};

}  // namespace

std::unique_ptr<Dataset> open_folder(const std::string& path, const DataOptions& options) {
  if (!fs::is_directory(path)) fail("expected a directory with one folder per class at {}, found none", path);
  return std::make_unique<FolderDataset>(path, options);
}

}  // namespace ptnas
