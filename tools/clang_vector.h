// Included before everything else by scripts/tidy, and by nothing else. clang 14 compiles the bodies of constexpr members as
// soon as they are named, those of libstdc++ 12's std::vector too, and finds an incomplete type in libtorch's ivalue.h, which has
// a vector of the class it defines. Here std::vector is what it was before C++20: not constexpr.
#include <algorithm>
#include <memory>
#include <string>
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 __fill_a1_of_bits  // declared constexpr above
#include <vector>
#undef __fill_a1
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR constexpr
