#pragma once

#include <string>

#include "ptnas/space/count.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

/// One cell by Graphviz in the style of the paper's Figure 5: inputs, nodes and output left to right, an edge
/// an operation, parameterised operations red; of NAS-Bench-201 nodes 0 to 3, `none` dotted. An <svg> element
/// without prolog and ids, the same bytes for the same genotype. Thread-safe (one at a time). Throws Error.
std::string draw_cell_svg(const Genotype& genotype, CellType type);

/// Its cells, one below the other, as a file of its own.
std::string draw_genotype_svg(const Genotype& genotype);

/// The network of cells of `nodes` nodes, fixed ones included, as a row of cells with the sizes and channels
/// of their outputs, and where the auxiliary head branches off. An <svg> element.
std::string draw_network_svg(const NetworkShape& shape, Family family, int nodes, bool auxiliary = false);

/// Text for element content and attributes.
std::string escape_html(const std::string& text);

}  // namespace ptnas
