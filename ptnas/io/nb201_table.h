#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ptnas/space/nb201_architecture.h"

namespace ptnas {

/// The benchmark's data sets; the values index arrays. cifar10-valid is a training on one half of CIFAR-10's
/// training images, validated on the other half.
enum class Nb201Dataset { kCifar10, kCifar100, kImageNet16_120, kCifar10Valid };
inline constexpr std::array kNb201Datasets = {Nb201Dataset::kCifar10, Nb201Dataset::kCifar100,
                                              Nb201Dataset::kImageNet16_120, Nb201Dataset::kCifar10Valid};
/// "cifar10", "cifar100", "ImageNet16-120", "cifar10-valid".
std::string_view name_of(Nb201Dataset dataset);

/// The benchmark's two training recipes, of 12 and 200 epochs (each anneals its learning rate to 0); the
/// values index arrays.
enum class Nb201Protocol { k12Epochs, k200Epochs };
inline constexpr std::array kNb201Protocols = {Nb201Protocol::k12Epochs, Nb201Protocol::k200Epochs};
/// 12 or 200.
int epochs_of(Nb201Protocol protocol);

/// What training on one data set gave after the last epoch: means over the seeds. Absent where the table does
/// not tell.
struct Nb201Result {
  std::optional<double> train, valid, test;  ///< accuracy in percent, 0 .. 100
  std::optional<double> train_seconds;       ///< of the whole training, on the benchmark's GPU
  std::optional<int> seeds;                  ///< trainings behind the means
};

/// Size of the network for one data set.
struct Nb201Cost {
  std::optional<double> parameters;  ///< number
  std::optional<double> flops;       ///< multiply-adds of one image
};

/// Everything asked of one architecture.
struct Nb201Record {
  int index = 0;  ///< the benchmark's, 0 .. 15,624
  Nb201Architecture architecture;
  /// By data set and protocol. cifar10 has no validation images of its own: its `valid` is that of
  /// cifar10-valid (of cifar10-valid's seeds).
  std::array<std::array<Nb201Result, 2>, kNb201Datasets.size()> results;
  std::array<Nb201Cost, kNb201Datasets.size()> costs;

  const Nb201Result& result(Nb201Dataset dataset, Nb201Protocol protocol) const {
    return results[static_cast<std::size_t>(dataset)][static_cast<std::size_t>(protocol)];
  }
  Nb201Result& result(Nb201Dataset dataset, Nb201Protocol protocol) {
    return results[static_cast<std::size_t>(dataset)][static_cast<std::size_t>(protocol)];
  }
  const Nb201Cost& cost(Nb201Dataset dataset) const { return costs[static_cast<std::size_t>(dataset)]; }
  Nb201Cost& cost(Nb201Dataset dataset) { return costs[static_cast<std::size_t>(dataset)]; }
};

/// Stored results of NAS-Bench-201 on disk (docs/formats.md). Nothing is kept in memory: each find reads what
/// it needs. Safe to use from several threads.
class Nb201Table {
 public:
  /// A CSV file, or a folder in the layout of NATS-Bench's `-simple` archive. Throws Error where `path` is
  /// neither.
  static std::unique_ptr<Nb201Table> open(const std::filesystem::path& path);
  virtual ~Nb201Table() = default;

  /// The architecture of this index, or this one. Throw Error where the table lacks it, is truncated, damaged
  /// or another benchmark's; for an index outside 0 .. 15,624 of kind kUsage.
  Nb201Record find(std::int64_t index) const;
  Nb201Record find(const Nb201Architecture& architecture) const;

 private:
  virtual Nb201Record find_index(int index) const = 0;
  virtual Nb201Record find_architecture(const Nb201Architecture& architecture) const = 0;
};

}  // namespace ptnas
