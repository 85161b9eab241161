#pragma once

#include <string>

#include "ptnas/space/genotype.h"

namespace ptnas {

/// A drawing (an <svg> element) with its caption (HTML), in a box that scrolls where it is too wide.
/// Thread-safe.
std::string figure_html(const std::string& svg, const std::string& caption);

/// The cells of an architecture side by side; `of` (HTML) ends each caption. Thread-safe (one at a time).
/// Throws Error as draw_cell_svg.
std::string cell_figures_html(const Genotype& genotype, const std::string& of);

}  // namespace ptnas
