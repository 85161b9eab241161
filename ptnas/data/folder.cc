// One folder of images per class, with or without train/ and test/.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/log.h"
#include "ptnas/core/random.h"
#include "ptnas/data/class_folders.h"
#include "ptnas/data/image.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr int kUsualSide = 32;
constexpr std::uint64_t kCacheBytes = std::uint64_t{1} << 30;
constexpr std::int64_t kMostDecoded = 20'000;  // a large set is decoded again for it

struct Entry {
  fs::path file;
  int label;
  Image square;  ///< decoded and fitted; empty where the cache was full
};

using Parts = std::array<std::vector<Entry>, 2>;

// The images of every class, by name; other files are counted and said to be left out.
std::vector<Entry> list_images(const fs::path& directory, const std::vector<std::string>& classes) {
  std::vector<Entry> entries;
  std::int64_t others = 0;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory / classes[c])) {
      if (!entry.is_regular_file()) continue;
      if (!is_hidden(entry.path()) && is_image_file(entry.path())) {
        files.push_back(entry.path());
      } else {
        ++others;
      }
    }
    std::sort(files.begin(), files.end());
    for (fs::path& file : files) entries.push_back({std::move(file), static_cast<int>(c), {}});
  }
  if (others > 0) {
    log_warning(fmt::format("{}: {} {} no PNG or JPEG and left out", directory.string(), others,
                            others == 1 ? "file is" : "files are"));
  }
  return entries;
}

// Where the parts lie: train/ counts as a part, not as a class, where it has folders itself.
struct Layout {
  fs::path train;
  std::optional<fs::path> test;
  std::vector<std::string> classes;
};

Layout find_layout(const fs::path& directory) {
  const auto is_part = [&](const char* name) {
    return fs::is_directory(directory / name) && !class_folders(directory / name).empty();
  };
  Layout layout{directory, {}, {}};
  if (is_part("train")) {
    layout.train = directory / "train";
    if (fs::is_directory(directory / "test")) layout.test = directory / "test";
    for (const std::string& name : class_folders(directory)) {
      if (name == "train" || name == "test") continue;
      log_warning(fmt::format("{} is beside train/ and test/ and is not read", (directory / name).string()));
    }
  } else if (is_part("test")) {
    fail("{} has test/ but no train/ with class folders; give both or neither", directory.string());
  }
  layout.classes = class_folders(layout.train);
  if (layout.classes.size() < 2) {
    fail("{}: expected one folder per class, at least two, found {}", layout.train.string(),
         layout.classes.size());
  }
  if (layout.test) {
    const std::vector<std::string> others = class_folders(*layout.test);
    std::vector<std::string> different;
    std::set_symmetric_difference(layout.classes.begin(), layout.classes.end(), others.begin(), others.end(),
                                  std::back_inserter(different));
    if (!different.empty()) {
      fail("{}: train/ and test/ must have the same class folders, but only one of them has {}",
           directory.string(), different.front());
    }
  }
  return layout;
}

class FolderDataset final : public Dataset {
 public:
  FolderDataset(const fs::path& directory, const DataOptions& options, std::uint64_t cache_bytes)
      : root_(directory) {
    info_.name = "folder";
    info_.height = info_.width = image_side(options, kUsualSide);
    const Layout layout = find_layout(directory);
    for (const std::string& name : layout.classes) info_.classes.push_back(valid_utf8(name));
    parts_[0] = list_images(layout.train, layout.classes);
    if (layout.test) parts_[1] = list_images(*layout.test, layout.classes);
    decode_all(options.skip_bad_images, cache_bytes);
    check_classes(layout.train);
    if (!layout.test) hold_out(options.test_portion);
    put_in_order_of_use(parts_[0]);
    check_labels(*this, directory.string());
    measure_pixels(*this, info_, kMostDecoded);
  }

  std::int64_t size(Part part) const override { return static_cast<std::int64_t>(of(part).size()); }
  int label(Part part, std::int64_t index) const override {
    return of(part).at(static_cast<std::size_t>(index)).label;
  }

  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override {
    const Entry& entry = of(part).at(static_cast<std::size_t>(index));
    if (!entry.square.pixels.empty()) {
      write_planes(entry.square, pixels);
    } else {
      write_planes(decode(entry.file), pixels);
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
  std::string relative(const fs::path& file) const {
    return valid_utf8(file.lexically_relative(root_).generic_string());
  }

  Image decode(const fs::path& file) const {
    return fit_square(decode_image(read_file(file), file.string()), info_.width);
  }

  // [H, W, c] to [C, H, W]; a grey image in a set that is not gives three equal planes.
  void write_planes(const Image& image, std::uint8_t* pixels) const {
    const auto channels = static_cast<std::size_t>(image.channels);
    const auto plane = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
    for (std::size_t c = 0; c < static_cast<std::size_t>(info_.channels); ++c) {
      const std::uint8_t* from = image.pixels.data() + (channels == 1 ? 0 : c);
      for (std::size_t i = 0; i < plane; ++i) *pixels++ = from[i * channels];
    }
  }

  // Decodes every image, in threads: finds broken ones before hours are spent, finds out whether the set is
  // all grey, and keeps what there is room for.
  void decode_all(bool skip_bad, std::uint64_t cache_bytes) {
    std::vector<Entry*> entries;
    for (std::vector<Entry>& part : parts_)
      for (Entry& entry : part) entries.push_back(&entry);
    if (entries.size() > 1000) log_info("reading {} images of {}", entries.size(), root_.string());
    std::atomic<bool> colour{false};
    std::atomic<std::uint64_t> bytes{0};
    std::vector<std::string> faults(entries.size());
    for_each_index(entries.size(), [&](std::size_t i) {
      try {
        Image image = decode(entries[i]->file);
        if (image.channels == 3) colour = true;
        if ((bytes += image.pixels.size()) <= cache_bytes) entries[i]->square = std::move(image);
      } catch (const std::exception& error) {
        faults[i] = error.what();
      }
    });
    info_.channels = colour ? 3 : 1;
    leave_out(faults, skip_bad);
  }

  // `faults`: one text for each image of both parts, empty where it is whole.
  void leave_out(const std::vector<std::string>& faults, bool skip_bad) {
    const auto bad = faults.size() - static_cast<std::size_t>(std::count(faults.begin(), faults.end(), ""));
    if (bad == 0) return;
    const auto first =
        std::find_if(faults.begin(), faults.end(), [](const auto& text) { return !text.empty(); });
    if (!skip_bad) {
      const std::string more = bad > 1 ? fmt::format("; {} more cannot be read", bad - 1) : "";
      fail("{}{}; mend or remove what is broken, or give --skip-bad-images", *first, more);
    }
    auto fault = faults.begin();
    for (std::vector<Entry>& part : parts_) {
      std::vector<Entry> good;
      for (Entry& entry : part) {
        if (fault->empty()) {
          good.push_back(std::move(entry));
        } else {
          log_warning("left out: " + *fault);
          left_out_.push_back(relative(entry.file));
        }
        ++fault;
      }
      part = std::move(good);
    }
  }

  void check_classes(const fs::path& directory) const {
    std::vector<std::int64_t> counts(info_.classes.size(), 0);
    for (const Entry& entry : parts_[0]) ++counts[static_cast<std::size_t>(entry.label)];
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (counts[c] > 0) continue;
      fail("{}: class {} has no images; add some or remove its folder", directory.string(), info_.classes[c]);
    }
  }

  // Moves a share of each class (at least one image, and never all) to the test part, chosen by a fixed
  // pseudo-random order.
  void hold_out(double portion) {
    std::vector<std::vector<Entry>> by_class(info_.classes.size());
    for (Entry& entry : parts_[0])
      by_class[static_cast<std::size_t>(entry.label)].push_back(std::move(entry));
    parts_[0].clear();
    for (std::size_t c = 0; c < by_class.size(); ++c) {
      std::vector<Entry>& images = by_class[c];
      if (images.size() < 2) {
        fail(
            "{}: class {} has one image; expected at least two, one to train on and one to hold out for "
            "testing; add some or remove its folder",
            root_.string(), info_.classes[c]);
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
        parts_[held[i] ? 1 : 0].push_back(std::move(images[i]));
      }
    }
  }

  fs::path root_;
  Parts parts_;
  std::vector<std::string> held_out_, left_out_;
};

}  // namespace

std::unique_ptr<Dataset> open_folder(const std::string& path, const DataOptions& options,
                                     std::uint64_t cache_bytes) {
  image_side(options, kUsualSide);  // in range
  if (!(options.test_portion > 0 && options.test_portion < 1)) {
    fail_usage("--test-portion must lie strictly between 0 and 1, not {}", options.test_portion);
  }
  std::error_code none;
  if (!fs::is_directory(path, none)) {
    fail("expected a directory with one folder per class at {}, found none", path);
  }
  try {
    return std::make_unique<FolderDataset>(path, options, cache_bytes);
  } catch (const fs::filesystem_error& error) {
    fail("cannot list the images in {}: {}", error.path1().string(), error.code().message());
  }
}

std::unique_ptr<Dataset> open_folder(const std::string& path, const DataOptions& options) {
  return open_folder(path, options, kCacheBytes);
}

}  // namespace ptnas
