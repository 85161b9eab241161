#include "ptnas/space/cell_family.h"

namespace ptnas {

std::string_view name_of(CellType type) { return type == CellType::kNormal ? "normal" : "reduction"; }

}  // namespace ptnas
