#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/space/nb201_architecture.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

/// One chosen edge: `operation` applied to state `from` (0, 1: the cell's inputs; 2 + n: node n; of
/// NAS-Bench-201 0: the cell's input; 1 + n: node n).
struct GenotypeEdge {
  OperationKind operation;
  int from;
  bool operator==(const GenotypeEdge&) const = default;
};

/// A derived architecture: cells[type][node] lists that node's chosen edges (two each in the published
/// spaces). Two of a node's edges may leave the same state, and any operation of the table may stand on an
/// edge: selections here never give `none`, but genotypes from elsewhere may (the edge adds zeros). Of
/// NAS-Bench-201: nodes 1, 2, 3 with one edge from each earlier state, in order, and no reduction cell.
struct Genotype {
  std::vector<std::vector<GenotypeEdge>> cells[2];
  Family family = Family::kDarts;

  const std::vector<std::vector<GenotypeEdge>>& of(CellType type) const {
    return cells[static_cast<int>(type)];
  }
  bool operator==(const Genotype&) const = default;
};

/// Throws Error: unknown state, a later node as input, a node without edges, cells with different numbers of
/// nodes; of NAS-Bench-201 any other graph or operation than the benchmark's. `where` names the genotype in
/// the message.
void validate(const Genotype& genotype, const std::string& where);

/// An architecture of NAS-Bench-201 as genotype, and back.
Genotype genotype_of(const Nb201Architecture& architecture);
Nb201Architecture nb201_architecture_of(const Genotype& genotype);

/// genotype.json (docs/formats.md).
Json to_json(const Genotype& genotype);
Genotype genotype_from_json(const Json& json, const std::string& where);

/// DARTS' text: Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...],
/// reduce_concat=range(2, 6)). Two edges a node; reading accepts range(a, b) and lists of all nodes, any
/// white space, single or double quotes, last commas. Writing throws Error where a node has not two edges,
/// reading where the text is anything else, naming the character. Of NAS-Bench-201 the text is the
/// benchmark's: |op~0|+|op~0|op~1|+|op~0|op~1|op~2|.
std::string to_text(const Genotype& genotype);
Genotype genotype_from_text(const std::string& text, const std::string& where);

/// From what a user gives wherever a genotype is asked for: a run directory, a file of any form, or the text
/// itself, DARTS' or NAS-Bench-201's.
Genotype read_genotype(const std::string& argument);

}  // namespace ptnas
