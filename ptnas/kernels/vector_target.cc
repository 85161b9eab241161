#include "ptnas/kernels/vector_target.h"

#include <stdexcept>

#include "ptnas/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ptnas/kernels/vector_target.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ptnas::kernels::HWY_NAMESPACE {

std::int64_t this_target() { return HWY_TARGET; }

}  // namespace ptnas::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ptnas::kernels {

HWY_EXPORT(this_target);

namespace {

// Those compiled, of those that the machine has: lower bits are better sets.
std::vector<std::int64_t> available() {
  hwy::SetSupportedTargetsForTest(0);
  std::vector<std::int64_t> result;
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    result.push_back(left & -left);
  }
  return result;
}

std::int64_t forced = 0;

void restore() {
  hwy::SetSupportedTargetsForTest(forced);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

std::vector<std::string> vector_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : available()) names.emplace_back(hwy::TargetName(target));
  restore();
  return names;
}

std::string vector_target() {
  restore();
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(this_target)());
}

void force_vector_target(const std::string& name) {
  std::string known;
  for (const std::int64_t target : available()) {
    if (name == hwy::TargetName(target)) {
      forced = target;
      restore();
      return;
    }
    known += (known.empty() ? "" : ", ") + std::string(hwy::TargetName(target));
  }
  restore();
  throw std::invalid_argument("the vector target must be one of " + known + ", not " + name);
}

}  // namespace ptnas::kernels
#endif  // HWY_ONCE
