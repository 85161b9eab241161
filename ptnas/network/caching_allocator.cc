#include "ptnas/network/caching_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <torch/version.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace ptnas {

namespace {

constexpr std::size_t kSmallest = std::size_t{1} << 16;
constexpr std::size_t kHugePage = std::size_t{1} << 21, kSlab = 16 * kHugePage;

// Sizes are rounded up to an eighth of their power of two, so that blocks of nearly equal sizes are one kind.
std::size_t size_class(std::size_t bytes) {
  const std::size_t step = std::max(std::bit_floor(bytes) / 8, kSmallest / 8);
  return (bytes + step - 1) / step * step;
}

void* aligned_block(std::size_t bytes, std::size_t alignment) {
  void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

class Cache {
 public:
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    in_use_ += bytes;
    peak_ = std::max(peak_, in_use_);
    std::vector<void*>& blocks = free_[bytes];
    if (blocks.empty()) return carve(bytes);
    void* block = blocks.back();
    blocks.pop_back();
    return block;
  }
  void give_back(void* block, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    in_use_ -= bytes;
    free_[bytes].push_back(block);
  }
  std::size_t peak() {
    const std::lock_guard lock(mutex_);
    return peak_;
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    peak_ = in_use_;
  }

 private:
  // Blocks are never given back to the system, so they are cut from slabs of huge pages.
  void* carve(std::size_t bytes) {
    if (left_ < bytes) {
      left_ = (std::max(bytes, kSlab) + kHugePage - 1) / kHugePage * kHugePage;
      next_ = static_cast<char*>(aligned_block(left_, kHugePage));
      madvise(next_, left_, MADV_HUGEPAGE);  // a wish: its refusal changes nothing
    }
    char* block = next_;
    next_ += bytes;
    left_ -= bytes;
    return block;
  }

  std::mutex mutex_;
  char* next_ = nullptr;  // in the newest slab
  std::size_t left_ = 0;
  std::map<std::size_t, std::vector<void*>> free_;  // by size
  std::size_t in_use_ = 0, peak_ = 0;
};

// For as long as the process lives: tensors of static lifetime may outlive everything else.
Cache& cache() {
  static Cache* const instance = new Cache;
  return *instance;
}

// Before each block stands its size; libtorch gives back the data's address alone.
constexpr std::size_t kHeader = 64;

void free_data(void* data) {
  if (data == nullptr) return;
  char* block = static_cast<char*>(data) - kHeader;
  const std::size_t bytes = *reinterpret_cast<std::size_t*>(block);
  if (bytes < kSmallest) {
    std::free(block);
  } else {
    cache().give_back(block, bytes);
  }
}

void* new_data(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  bytes += kHeader;
  if (bytes >= kSmallest) bytes = size_class(bytes);
  char* block = static_cast<char*>(bytes < kSmallest ? aligned_block(bytes, 64) : cache().take(bytes));
  *reinterpret_cast<std::size_t*>(block) = bytes;
  return block + kHeader;
}

// libtorch 2 (Debian 13) allocates through a mutable object and wants to know how to copy.
#if TORCH_VERSION_MAJOR >= 2
#define PTNAS_ALLOCATE_CONST
#else
#define PTNAS_ALLOCATE_CONST const
#endif

class CachingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) PTNAS_ALLOCATE_CONST override {
    void* data = new_data(bytes);
    return {data, data, &free_data, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_data; }
#if TORCH_VERSION_MAJOR >= 2
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
#endif
};

}  // namespace

void install_caching_allocator() {
  static CachingAllocator allocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/1);
}

std::size_t peak_bytes() { return cache().peak(); }
void reset_peak_bytes() { cache().reset_peak(); }

}  // namespace ptnas
