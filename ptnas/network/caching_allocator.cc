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
constexpr std::size_t kHugePage = std::size_t{1} << 21;

// Sizes are rounded up to an eighth of their power of two, so that blocks of nearly equal sizes are one kind.
std::size_t size_class(std::size_t bytes) {
  const std::size_t step = std::max(std::bit_floor(bytes) / 8, kSmallest / 8);
  return (bytes + step - 1) / step * step;
}

void* system_block(std::size_t bytes) {
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : 64;
  void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  if (bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);  // a wish: its refusal changes nothing
  return block;
}

class Cache {
 public:
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    in_use_ += bytes;
    peak_ = std::max(peak_, in_use_);
    std::vector<void*>& blocks = free_[bytes];
    if (blocks.empty()) return system_block(bytes);
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
  std::mutex mutex_;
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
  char* block = static_cast<char*>(bytes < kSmallest ? system_block(bytes) : cache().take(bytes));
  *reinterpret_cast<std::size_t*>(block) = bytes;
  return block + kHeader;
}

class CachingAllocator final : public c10::Allocator {
 public:
// libtorch 2 (Debian 13) allocates through a mutable object and wants to know how to copy.
#if TORCH_VERSION_MAJOR >= 2
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  c10::DataPtr allocate(std::size_t bytes) override{
#else
  c10::DataPtr allocate(std::size_t bytes) const override {
#endif
      void* data = new_data(bytes);
  return {data, data, &free_data, c10::Device(c10::DeviceType::CPU)};
} c10::DeleterFnPtr raw_deleter() const override {
  return &free_data;
}
};  // namespace

}  // namespace ptnas

void install_caching_allocator() {
  static CachingAllocator allocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/1);
}

std::size_t peak_bytes() { return cache().peak(); }
void reset_peak_bytes() { cache().reset_peak(); }

}  // namespace ptnas
