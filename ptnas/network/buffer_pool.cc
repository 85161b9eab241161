#include "ptnas/network/buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace ptnas {

namespace {

constexpr std::size_t kPage = std::size_t{1} << 21;     // a huge page of x86 and ARM
constexpr std::size_t kSlack = 16;                      // kernels read whole vectors
constexpr std::size_t kMostTimesLarger = 4;             // what is wasted by taking a larger free buffer

float* allocate(std::size_t floats) {
  const std::size_t bytes = floats * sizeof(float);
  const std::size_t alignment = bytes >= kPage ? kPage : 64;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  if (bytes >= kPage) madvise(memory, rounded, MADV_HUGEPAGE);  // a wish: its refusal changes nothing
  return static_cast<float*>(memory);
}

}  // namespace

BufferPool::Buffer::~Buffer() {
  if (data_ != nullptr) pool_->give_back(data_, capacity_);
}

void BufferPool::Buffer::swap(Buffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  std::swap(pool_, other.pool_);
}

BufferPool::~BufferPool() {
  for (const auto& [capacity, data] : free_) std::free(data);
}

BufferPool::Buffer BufferPool::take(std::size_t floats) {
  floats += kSlack;
  Buffer buffer;
  buffer.pool_ = shared_from_this();
  const std::lock_guard lock(mutex_);
  const auto found = free_.lower_bound(floats);
  if (found != free_.end() && found->first <= kMostTimesLarger * floats) {
    buffer.capacity_ = found->first;
    buffer.data_ = found->second;
    free_.erase(found);
  } else {
    buffer.data_ = allocate(floats);
    buffer.capacity_ = floats;
  }
  lent_ += buffer.capacity_;
  peak_ = std::max(peak_, lent_);
  return buffer;
}

void BufferPool::give_back(float* data, std::size_t capacity) {
  const std::lock_guard lock(mutex_);
  free_.emplace(capacity, data);
  lent_ -= capacity;
}

std::size_t BufferPool::peak_bytes() const {
  const std::lock_guard lock(mutex_);
  return peak_ * sizeof(float);
}

void BufferPool::reset_peak() {
  const std::lock_guard lock(mutex_);
  peak_ = lent_;
}

}  // namespace ptnas
