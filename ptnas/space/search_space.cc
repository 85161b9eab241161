#include "ptnas/space/search_space.h"

#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

namespace {

using enum OperationKind;
using Candidates = std::vector<OperationKind>;

constexpr int kUsualNodes = 4, kMostNodes = 8;

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

// NAS-Bench-201 (Dong and Yang, ICLR 2020): four nodes, the first of which is the cell's input.
constexpr const char* kNasBench201 = "nb201";
constexpr int kNasBench201Nodes = 3;
const Candidates kNasBench201Candidates = {kNone, kSkipConnect, kNorConv1x1, kNorConv3x3, kAvgPool3x3};

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

// The rules of one edge's candidates; `where` names the edge or its line.
void check_candidates(const Candidates& edge, const std::string& where) {
  if (edge.empty()) fail("{}: an edge has no operation; give at least one", where);
  const std::set<OperationKind> distinct(edge.begin(), edge.end());
  if (distinct.size() != edge.size()) {
    std::vector<std::string_view> names;
    for (const OperationKind kind : edge) names.push_back(name_of(kind));
    fail("{}: an edge has an operation twice ({}); give each once", where, fmt::join(names, ", "));
  }
  if (distinct == std::set<OperationKind>{kNone}) {
    fail("{}: an edge has nothing but `none`; add an operation", where);
  }
}

// A place in a space's file, for messages.
std::string place(const std::string& file, const toml::source_region& source) {
  return fmt::format("{}, line {}", file, source.begin.line);
}

Candidates read_candidates(const toml::node& node, const std::string& file) {
  const std::string where = place(file, node.source());
  const toml::array* array = node.as_array();
  if (array == nullptr) fail("{}: expected a list of operation names for an edge", where);
  Candidates result;
  for (const toml::node& item : *array) {
    const std::string item_where = place(file, item.source());
    const auto* name = item.as_string();
    if (name == nullptr) fail("{}: expected an operation's name in quotes", item_where);
    result.push_back(parse_operation(name->get(), item_where));
  }
  check_candidates(result, where);
  return result;
}

void check_keys(const toml::table& table, const std::vector<std::string_view>& known, const std::string& what,
                const std::string& file) {
  for (const auto& [key, node] : table) {
    if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
      fail("{}: unknown key `{}`; {} has {}", place(file, key.source()), key.str(), what,
           fmt::join(known, ", "));
    }
  }
}

std::vector<Candidates> read_cell(const toml::table& table, const char* cell, const SearchSpace& space,
                                  const std::string& file) {
  const toml::node* node = table.get(cell);
  if (node == nullptr) fail("{}: expected a table [{}] with `all` or `edges`", file, cell);
  const std::string where = place(file, node->source());
  const toml::table* section = node->as_table();
  if (section == nullptr) fail("{}: `{}` must be a table with `all` or `edges`", where, cell);
  check_keys(*section, {"all", "edges"}, fmt::format("[{}]", cell), file);
  const toml::node* all = section->get("all");
  const toml::node* list = section->get("edges");
  if ((all == nullptr) == (list == nullptr)) {
    fail("{}: [{}] must have either `all` or `edges`, but has {}", where, cell, all ? "both" : "neither");
  }
  const auto edges = static_cast<std::size_t>(space.edge_count());
  if (all != nullptr) return std::vector<Candidates>(edges, read_candidates(*all, file));
  const toml::array* array = list->as_array();
  if (array == nullptr)
    fail("{}: `edges` of [{}] must be a list of lists", place(file, list->source()), cell);
  if (array->size() != edges) {
    fail("{}: `edges` of [{}] must list the candidates of {} edges ({} nodes), but lists {}",
         place(file, list->source()), cell, edges, space.nodes, array->size());
  }
  std::vector<Candidates> result;
  for (const toml::node& edge : *array) result.push_back(read_candidates(edge, file));
  return result;
}

}  // namespace

Edge SearchSpace::edge(int index) const {
  int node = 0;
  while (index >= node + inputs()) {
    index -= node + inputs();
    ++node;
  }
  return {index, node};
}

std::vector<int> SearchSpace::edges_into(int node) const {
  std::vector<int> result;
  const int first = node * (2 * inputs() + node - 1) / 2;
  for (int i = 0; i < node + inputs(); ++i) result.push_back(first + i);
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
  for (const CellType type : space.cell_types()) {
    if (static_cast<int>(space.of(type).size()) != space.edge_count()) {
      fail("space {}: {} nodes have {} edges, but the {} cell lists {}", space.name, space.nodes,
           space.edge_count(), name_of(type), space.of(type).size());
    }
    for (std::size_t e = 0; e < space.of(type).size(); ++e) {
      check_candidates(space.of(type)[e],
                       fmt::format("space {}, {} cell, edge {}", space.name, name_of(type), e));
    }
  }
}

std::vector<std::string> space_names() { return {"darts", "s1", "s2", "s3", "s4", kNasBench201}; }

SearchSpace make_space(const std::string& name, int nodes, bool with_none) {
  SearchSpace space;
  if (name.ends_with(".toml")) {
    space = read_space(name);
    if (nodes != kUsualNodes && nodes != space.nodes) {
      fail_usage("the space {} has {} nodes, not {}; change its file or leave --nodes out", name, space.nodes,
                 nodes);
    }
  } else if (name == "s1") {
    if (nodes != kUsualNodes)
      fail_usage("space s1 is defined edge by edge for 4 nodes, not {}; leave --nodes out", nodes);
    space = {"s1", kUsualNodes, {kS1Normal, kS1Reduction}};
  } else if (name == kNasBench201) {
    if (nodes != kUsualNodes) fail_usage("space nb201 has 4 nodes, not {}; leave --nodes out", nodes);
    space = {name, kNasBench201Nodes, {}, Family::kNasBench201};
    space.candidates[0].assign(static_cast<std::size_t>(space.edge_count()), kNasBench201Candidates);
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
    fail("{}: not valid TOML ({}); correct the file", place(file, error.source()), error.description());
  }
  check_keys(table, {"name", "nodes", "normal", "reduction"}, "a space", file);
  SearchSpace space;
  space.name = path.stem().string();
  if (const toml::node* name = table.get("name")) {
    if (!name->is_string()) fail("{}: `name` must be a text in quotes", place(file, name->source()));
    space.name = name->as_string()->get();
  }
  const toml::node* nodes = table.get("nodes");
  if (nodes == nullptr) fail("{}: expected `nodes`, a whole number from 1 to {}", file, kMostNodes);
  const auto* number = nodes->as_integer();
  if (number == nullptr || number->get() < 1 || number->get() > kMostNodes) {
    fail("{}: `nodes` must be a whole number from 1 to {}", place(file, nodes->source()), kMostNodes);
  }
  space.nodes = static_cast<int>(number->get());
  space.candidates[0] = read_cell(table, "normal", space, file);
  space.candidates[1] = read_cell(table, "reduction", space, file);
  validate(space);
  return space;
}

}  // namespace ptnas
