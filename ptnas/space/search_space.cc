#include "ptnas/space/search_space.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <set>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

namespace {

using enum OperationKind;
using Candidates = std::vector<OperationKind>;

constexpr int kMostNodes = 8;

// Spaces that have the same candidates on every edge (DARTS; S2 to S4 of Zela et al., Appendix A.2).
struct UniformSpace {
  const char* name;
  Candidates candidates;
};
const std::vector<UniformSpace>& uniform_spaces() {
  static const std::vector<UniformSpace> table = {
      {"darts", {kMaxPool3x3, kAvgPool3x3, kSkipConnect, kSepConv3x3, kSepConv5x5, kDilConv3x3, kDilConv5x5}},
      {"s2", {kSkipConnect, kSepConv3x3}},
      {"s3", {kNone, kSkipConnect, kSepConv3x3}},
      {"s4", {kNoise, kSepConv3x3}},
  };
  return table;
}

// S1: the two strongest operations of every edge of a DARTS search, edges 0 to 13 (Appendix A.2).
const std::vector<Candidates> kS1Normal = {
    {kSkipConnect, kDilConv3x3}, {kSkipConnect, kDilConv5x5}, {kSkipConnect, kDilConv5x5},
    {kSkipConnect, kSepConv3x3}, {kSkipConnect, kDilConv3x3}, {kMaxPool3x3, kSkipConnect},
    {kSkipConnect, kSepConv3x3}, {kSkipConnect, kSepConv3x3}, {kSkipConnect, kDilConv3x3},
    {kSkipConnect, kSepConv3x3}, {kMaxPool3x3, kSkipConnect}, {kSkipConnect, kDilConv3x3},
    {kDilConv3x3, kDilConv5x5},  {kDilConv3x3, kDilConv5x5}};
const std::vector<Candidates> kS1Reduction = {
    {kMaxPool3x3, kAvgPool3x3},  {kMaxPool3x3, kDilConv3x3},  {kMaxPool3x3, kAvgPool3x3},
    {kMaxPool3x3, kAvgPool3x3},  {kSkipConnect, kDilConv5x5}, {kMaxPool3x3, kAvgPool3x3},
    {kMaxPool3x3, kSepConv3x3},  {kSkipConnect, kDilConv3x3}, {kSkipConnect, kDilConv5x5},
    {kMaxPool3x3, kAvgPool3x3},  {kMaxPool3x3, kAvgPool3x3},  {kSkipConnect, kDilConv5x5},
    {kSkipConnect, kDilConv5x5}, {kSkipConnect, kDilConv5x5}};

bool has_none(const SearchSpace& space) {
  for (const auto& cell : space.candidates) {
    for (const Candidates& edge : cell) {
      if (std::find(edge.begin(), edge.end(), kNone) != edge.end()) return true;
    }
  }
  return false;
}

Candidates read_candidates(const toml::node& node, const std::string& where) {
  const toml::array* array = node.as_array();
  if (array == nullptr) fail("{}: expected a list of operation names", where);
  Candidates result;
  for (const toml::node& item : *array) {
    const auto* name = item.as_string();
    if (name == nullptr) fail("{}: expected operation names as texts", where);
    result.push_back(parse_operation(name->get(), where));
  }
  return result;
}

std::vector<Candidates> read_cell(const toml::table& table, const char* cell, int edges,
                                  const std::string& file) {
  const toml::table* section = table[cell].as_table();
  if (section == nullptr) fail("{}: expected a table [{}] with `all` or `edges`", file, cell);
  for (const auto& [key, node] : *section) {
    if (key.str() != "all" && key.str() != "edges") {
      fail("{}, line {}: unknown key `{}` in [{}]; it has `all` or `edges`", file, node.source().begin.line,
           key.str(), cell);
    }
  }
  const toml::node* all = section->get("all");
  const toml::node* list = section->get("edges");
  if ((all == nullptr) == (list == nullptr)) fail("{}: [{}] needs either `all` or `edges`", file, cell);
  const auto where = [&](const toml::node& node) {
    return fmt::format("{}, line {}", file, node.source().begin.line);
  };
  if (all != nullptr)
    return std::vector<Candidates>(static_cast<std::size_t>(edges), read_candidates(*all, where(*all)));
  const toml::array* array = list->as_array();
  if (array == nullptr || array->size() != static_cast<std::size_t>(edges)) {
    fail("{}: `edges` of [{}] must list the candidates of {} edges, but has {}", where(*list), cell, edges,
         array ? array->size() : 0);
  }
  std::vector<Candidates> result;
  for (const toml::node& edge : *array) result.push_back(read_candidates(edge, where(edge)));
  return result;
}

}  // namespace

std::string_view name_of(CellType type) { return type == CellType::kNormal ? "normal" : "reduction"; }

Edge SearchSpace::edge(int index) const {
  int node = 0;
  while (index >= node + 2) {
    index -= node + 2;
    ++node;
  }
  return {index, node};
}

std::vector<int> SearchSpace::edges_into(int node) const {
  std::vector<int> result;
  const int first = node * (node + 3) / 2;
  for (int i = 0; i < node + 2; ++i) result.push_back(first + i);
  return result;
}

int SearchSpace::most_candidates(CellType type) const {
  std::size_t most = 0;
  for (const Candidates& edge : of(type)) most = std::max(most, edge.size());
  return static_cast<int>(most);
}

void validate(const SearchSpace& space) {
  if (space.nodes < 1 || space.nodes > kMostNodes) {
    fail("space {}: expected 1 to {} nodes, found {}", space.name, kMostNodes, space.nodes);
  }
  for (const CellType type : kCellTypes) {
    if (static_cast<int>(space.of(type).size()) != space.edge_count()) {
      fail("space {}: {} nodes have {} edges, but the {} cell lists {}", space.name, space.nodes,
           space.edge_count(), name_of(type), space.of(type).size());
    }
    for (std::size_t e = 0; e < space.of(type).size(); ++e) {
      const Candidates& edge = space.of(type)[e];
      if (edge.empty())
        fail("space {}: edge {} of the {} cell has no operation; give at least one", space.name, e,
             name_of(type));
      const std::set<OperationKind> distinct(edge.begin(), edge.end());
      if (distinct.size() != edge.size()) {
        fail("space {}: edge {} of the {} cell has an operation twice; give each once", space.name, e,
             name_of(type));
      }
      if (distinct == std::set<OperationKind>{kNone}) {
        fail("space {}: edge {} of the {} cell has nothing but `none`; add an operation", space.name, e,
             name_of(type));
      }
    }
  }
}

std::vector<std::string> space_names() { return {"darts", "s1", "s2", "s3", "s4"}; }

SearchSpace make_space(const std::string& name, int nodes, bool with_none) {
  SearchSpace space;
  if (name.ends_with(".toml")) {
    space = read_space(name);
  } else if (name == "s1") {
    if (nodes != 4)
      fail_usage("space s1 is defined edge by edge for 4 nodes, not {}; leave --nodes out", nodes);
    space = {"s1", 4, {kS1Normal, kS1Reduction}};
  } else {
    const auto& table = uniform_spaces();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const UniformSpace& s) { return name == s.name; });
    if (found == table.end()) {
      fail_usage("--space must be {} or a file that ends in .toml, not `{}`", fmt::join(space_names(), ", "),
                 name);
    }
    if (nodes < 1 || nodes > kMostNodes) fail_usage("--nodes must be 1 to {}, not {}", kMostNodes, nodes);
    space.name = name;
    space.nodes = nodes;
    for (auto& cell : space.candidates)
      cell.assign(static_cast<std::size_t>(space.edge_count()), found->candidates);
  }
  if (with_none) {
    if (has_none(space)) fail_usage("space {} has `none` already; leave --with-none out", space.name);
    for (auto& cell : space.candidates) {
      for (Candidates& edge : cell) edge.insert(edge.begin(), kNone);
    }
  }
  validate(space);
  return space;
}

SearchSpace read_space(const std::filesystem::path& path) {
  toml::table table;
  const std::string file = path.string();
  try {
    table = toml::parse(read_file(path), file);
  } catch (const toml::parse_error& error) {
    fail("{}, line {}: not valid TOML ({})", file, error.source().begin.line, error.description());
  }
  for (const auto& [key, node] : table) {
    static const std::array<std::string_view, 4> known = {"name", "nodes", "normal", "reduction"};
    if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
      fail("{}, line {}: unknown key `{}`; a space has {}", file, node.source().begin.line, key.str(),
           fmt::join(known, ", "));
    }
  }
  SearchSpace space;
  space.name = table["name"].value_or(path.stem().string());
  const auto nodes = table["nodes"].value<std::int64_t>();
  if (!nodes || *nodes < 1 || *nodes > kMostNodes)
    fail("{}: `nodes` must be a whole number from 1 to {}", file, kMostNodes);
  space.nodes = static_cast<int>(*nodes);
  space.candidates[0] = read_cell(table, "normal", space.edge_count(), file);
  space.candidates[1] = read_cell(table, "reduction", space.edge_count(), file);
  validate(space);
  return space;
}

}  // namespace ptnas
