#pragma once

#include <cstdint>
#include <string>

#include "ptnas/core/options.h"

namespace ptnas {

/// Which images, and how they are divided.
struct DataOptions {
  std::string data = "fashion-mnist";
  std::int64_t image_size = 0;
  double test_portion = 0.1;
  bool skip_bad_images = false;
  double train_portion = 0.5;
  std::int64_t limit = 0;
  std::int64_t search_limit = 0;
  std::int64_t loader_threads = 1;

  void declare(OptionVisitor& v) {
    v.group("Data");
    v.option("data", data,
             "data set, NAME[:PATH]: fashion-mnist, idx:DIR, cifar10:DIR, cifar100:DIR, svhn:DIR, "
             "imagenet16-120:DIR, imagenet:DIR, folder:DIR");
    v.option("image-size", image_size,
             "folder, imagenet: images are resized and cropped to this many pixels square; 0: what is usual, "
             "folder 32, imagenet 224");
    v.option("test-portion", test_portion, "folder without test/: share of each class held out for testing");
    v.option("skip-bad-images", skip_bad_images,
             "folder, imagenet: leave out images that cannot be read instead of stopping (imagenet: "
             "reads them all at the start)");
    v.option("train-portion", train_portion,
             "share of the training images that trains weights in the search; the rest validates");
    v.option("limit", limit, "take the first N training images only; 0: all");
    v.option("search-limit", search_limit,
             "search and selection: take the first N training images only; 0: all");
    v.option("loader-threads", loader_threads, "threads that prepare batches ahead of the training step");
  }
};

}  // namespace ptnas
