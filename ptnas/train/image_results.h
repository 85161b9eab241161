#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ptnas {

/// What a network made of each image, in the order of the pass over them.
struct ImageResults {
  std::vector<float> losses;        ///< cross-entropy
  std::vector<std::uint8_t> right;  ///< 1 where the label's logit is the largest, else 0

  std::size_t size() const { return right.size(); }
};

}  // namespace ptnas
