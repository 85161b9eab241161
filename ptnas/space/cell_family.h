#pragma once

#include <span>
#include <string_view>

namespace ptnas {

/// The two kinds of cell; the values index arrays.
enum class CellType { kNormal = 0, kReduction = 1 };
constexpr CellType kCellTypes[] = {CellType::kNormal, CellType::kReduction};
/// "normal" or "reduction".
std::string_view name_of(CellType type);

/// What graph a cell is and what network stands around it (FACTS, Search spaces).
/// - DARTS: two inputs, the outputs of the two cells before; a cell's output is the concatenation of its
///   nodes; reduction cells, at 1/3 and 2/3 of the depth, are searched as well.
/// - NAS-Bench-201: one input, the output of the cell before; a cell's output is its last node; three stages
///   of N equal cells, and between them residual blocks, which are fixed.
enum class Family { kDarts, kNasBench201 };

/// States that are there before a cell's nodes.
constexpr int input_count(Family family) { return family == Family::kDarts ? 2 : 1; }
/// The types of cell that have candidates.
constexpr std::span<const CellType> searched_cells(Family family) {
  return std::span(kCellTypes).first(family == Family::kDarts ? 2 : 1);
}
/// Whether a node keeps two of its input edges; else it keeps all, and `none` may stand on one.
constexpr bool keeps_two_edges(Family family) { return family == Family::kDarts; }
/// Whether an operation whose weight is exactly 0 is left out: no statistics, no noise drawn. Else it is
/// computed as any other, and its weights decay.
constexpr bool skips_zero_weights(Family family) { return family == Family::kDarts; }
/// The number by which files and messages call node 0: NAS-Bench-201 counts the cell's input as node 0.
constexpr int first_node_number(Family family) { return family == Family::kDarts ? 0 : 1; }

/// Cells of a network, fixed ones included: `cells` are those of each stage in NAS-Bench-201.
constexpr int cell_count(Family family, int cells) {
  return family == Family::kDarts ? cells : 3 * cells + 2;
}
/// True for cells where channels double: floor(L/3) and floor(2 L/3) of L = cell_count(). In
/// NAS-Bench-201, L = 3 N + 2, these are the residual blocks after the first N cells and the second.
constexpr bool is_reduction_cell(int cell, int cells) { return cell == cells / 3 || cell == 2 * cells / 3; }
/// Channels of the stem's output where those of the first cell's nodes are `channels`.
constexpr int stem_channels(Family family, int channels) {
  return family == Family::kDarts ? 3 * channels : channels;
}
/// How many nodes make a cell's output.
constexpr int output_nodes(Family family, int nodes) { return family == Family::kDarts ? nodes : 1; }

}  // namespace ptnas
