#include "ptnas/search/search_table.h"

#include "ptnas/core/error.h"
#include "ptnas/train/search_options.h"

namespace ptnas {

namespace {

struct Maker {
  const char* name;
  std::unique_ptr<SearchMethod> (*make)();
};

// One line a method, named in search_method_names().
constexpr Maker kMakers[] = {
    {"darts", make_darts},
    {"darts-second-order", make_darts_second_order},
    {"fixed-alpha", make_fixed_alpha},
    {"sdarts-rs", make_sdarts_rs},
    {"sdarts-adv", make_sdarts_adv},
    {"sgas", make_sgas},
};

}  // namespace

std::unique_ptr<SearchMethod> make_search_method(const std::string& name) {
  for (const Maker& maker : kMakers) {
    if (name == maker.name) return maker.make();
  }
  fail_usage("--method must be one of {}, not `{}`", fmt::join(search_method_names(), ", "), name);
}

}  // namespace ptnas
