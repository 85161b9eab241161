#pragma once

#include <memory>
#include <string>

#include "ptnas/train/search_method.h"

namespace ptnas {

/// Makes the search method of that name by the table in search_table.cc. Throws Error(kUsage) listing what
/// there is.
std::unique_ptr<SearchMethod> make_search_method(const std::string& name);

// The makers of that table, one file each.
std::unique_ptr<SearchMethod> make_darts();
std::unique_ptr<SearchMethod> make_darts_second_order();
std::unique_ptr<SearchMethod> make_fixed_alpha();
std::unique_ptr<SearchMethod> make_sdarts_rs();
std::unique_ptr<SearchMethod> make_sdarts_adv();
std::unique_ptr<SearchMethod> make_sgas();

}  // namespace ptnas
