#include "ptnas/core/error.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace {

struct Source {
  const char* name;
  bool needs_path;
  std::unique_ptr<Dataset> (*open)(const std::string& path, const DataOptions& options);
};

// One line a data set.
constexpr Source kSources[] = {
    {"fashion-mnist", false, open_fashion_mnist},
    {"idx", true, open_idx},
    {"cifar10", true, open_cifar10},
    {"cifar100", true, open_cifar100},
    {"svhn", true, open_svhn},
    {"imagenet16-120", true, open_imagenet16_120},
    {"imagenet", true, open_imagenet},
    {"folder", true, open_folder},
};

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DataOptions& options) {
  const std::size_t colon = options.data.find(':');
  const std::string name = options.data.substr(0, colon);
  const std::string path = colon == std::string::npos ? "" : options.data.substr(colon + 1);
  std::string names;
  for (const Source& source : kSources) {
    names += (names.empty() ? "" : ", ") + std::string(source.name) + (source.needs_path ? ":DIR" : "");
    if (name != source.name) continue;
    if (source.needs_path && path.empty()) fail_usage("--data {0} needs a directory: --data {0}:DIR", name);
    std::unique_ptr<Dataset> dataset = source.open(path, options);
    const DatasetInfo& info = dataset->info();
    if (options.image_size != 0 && (info.height != options.image_size || info.width != options.image_size)) {
      fail_usage("--image-size is {}, but the images of {} are {}x{} and are not resized; leave it out",
                 options.image_size, name, info.height, info.width);
    }
    return dataset;
  }
  fail_usage("--data must be one of {}, not `{}`", names, options.data);
}

}  // namespace ptnas
