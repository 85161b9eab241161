#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

namespace ptnas {

/// Large float buffers that are used again from step to step: getting them from the system anew would cost a page fault for
/// every few thousand floats. Thread-safe. Buffers may outlive the pool's owner, not the pool's shared_ptr they hold.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  /// A borrowed buffer, uninitialised, aligned to 64 bytes; given back when it is destroyed. Not copied.
  class Buffer {
   public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
      swap(other);
      return *this;
    }
    ~Buffer();
    float* data() const { return data_; }
    explicit operator bool() const { return data_ != nullptr; }
    void release() { *this = Buffer(); }

   private:
    friend class BufferPool;
    void swap(Buffer& other) noexcept;
    float* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::shared_ptr<BufferPool> pool_;
  };

  ~BufferPool();
  Buffer take(std::size_t floats);

  /// The most bytes that were lent at one time since reset_peak().
  std::size_t peak_bytes() const;
  void reset_peak();

 private:
  void give_back(float* data, std::size_t capacity);

  mutable std::mutex mutex_;
  std::multimap<std::size_t, float*> free_;  // by capacity
  std::size_t lent_ = 0, peak_ = 0;          // floats
};

}  // namespace ptnas
