#pragma once

#include <torch/types.h>

#include <cstddef>

namespace ptnas {

/// Uninitialised floats from libtorch's CPU allocator, with room to read a whole vector past them.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t floats)
      : tensor_(at::empty({static_cast<std::int64_t>(floats + kSlack)}, at::TensorOptions(at::kFloat))),
        data_(tensor_.data_ptr<float>()) {}
  float* data() const { return data_; }
  void release() { *this = Buffer(); }

 private:
  static constexpr std::size_t kSlack = 16;
  at::Tensor tensor_;
  float* data_ = nullptr;
};

}  // namespace ptnas
