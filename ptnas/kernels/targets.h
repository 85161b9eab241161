// Which instruction sets kernels are compiled for; included before anything of Highway. Vectors are kept in
// arrays, which scalable ones (SVE, RVV) do not allow; SSSE3 and SSE4 would add nothing to SSE2, nor AVX3_DL
// to AVX3, that a kernel here uses.
#pragma once

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
