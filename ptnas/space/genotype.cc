#include "ptnas/space/genotype.h"

#include <cctype>
#include <charconv>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

namespace {

constexpr const char* kFormat = "ptnas-genotype";
constexpr int kVersion = 1;
constexpr int kTextEdges = 2;      // DARTS' text has two edges a node
constexpr int kMostStates = 1000;  // far more than any cell has
constexpr const char* kNb201Space = "nb201";

// A strict reader of DARTS' text; every failure says at which character.
class TextReader {
 public:
  TextReader(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  Genotype read() {
    Genotype genotype;
    expect("Genotype");
    expect("(");
    genotype.cells[0] = read_cell("normal");
    expect(",");
    read_concat("normal_concat", genotype.cells[0].size());
    expect(",");
    genotype.cells[1] = read_cell("reduce");
    expect(",");
    read_concat("reduce_concat", genotype.cells[1].size());
    accept(",");
    expect(")");
    skip_space();
    if (position_ != text_.size()) wrong("the end");
    return genotype;
  }

 private:
  void skip_space() {
    while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_])))
      ++position_;
  }
  [[noreturn]] void wrong(std::string_view expected) {
    fail("{}: expected {} at character {} of the genotype, found `{}`", where_, expected, position_ + 1,
         text_.substr(position_, 16));
  }
  bool accept(std::string_view token) {
    skip_space();
    if (text_.substr(position_, token.size()) != token) return false;
    position_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) wrong(fmt::format("`{}`", token));
  }
  int read_number() {
    skip_space();
    int value = 0;
    const auto [end, error] = std::from_chars(text_.data() + position_, text_.data() + text_.size(), value);
    if (error != std::errc()) wrong("a whole number");
    position_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  std::string read_name() {
    skip_space();
    const char quote = position_ < text_.size() ? text_[position_] : '\0';
    const std::size_t end =
        quote == '\'' || quote == '"' ? text_.find(quote, position_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) wrong("an operation's name in quotes");
    std::string name(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    return name;
  }
  std::vector<std::vector<GenotypeEdge>> read_cell(std::string_view key) {
    expect(key);
    expect("=");
    expect("[");
    std::vector<GenotypeEdge> edges;
    while (!accept("]")) {
      if (!edges.empty()) {
        expect(",");
        if (accept("]")) break;
      }
      expect("(");
      const OperationKind operation = parse_operation(read_name(), where_);
      expect(",");
      edges.push_back({operation, read_number()});
      expect(")");
    }
    if (edges.empty() || edges.size() % kTextEdges != 0) {
      fail("{}: `{}` lists {} edges; expected two a node", where_, key, edges.size());
    }
    std::vector<std::vector<GenotypeEdge>> nodes;
    for (std::size_t i = 0; i < edges.size(); i += kTextEdges) nodes.push_back({edges[i], edges[i + 1]});
    return nodes;
  }
  // range(2, n + 2) or [2, .., n + 1]: all nodes are concatenated.
  void read_concat(std::string_view key, std::size_t nodes) {
    expect(key);
    expect("=");
    std::vector<int> concat;
    if (accept("range")) {
      expect("(");
      const int first = read_number();
      expect(",");
      const int end = read_number();
      expect(")");
      for (int i = first; i < end && i < first + kMostStates; ++i) concat.push_back(i);
    } else {
      expect("[");
      while (!accept("]")) {
        if (!concat.empty()) {
          expect(",");
          if (accept("]")) break;
        }
        concat.push_back(read_number());
      }
    }
    std::vector<int> all;
    for (std::size_t i = 0; i < nodes; ++i) all.push_back(static_cast<int>(i) + 2);
    if (concat != all) fail("{}: `{}` must name all {} nodes, 2 to {}", where_, key, nodes, nodes + 1);
  }

  std::string_view text_;
  std::string where_;
  std::size_t position_ = 0;
};

Json cell_json(const std::vector<std::vector<GenotypeEdge>>& cell) {
  Json nodes = Json::array();
  for (const std::vector<GenotypeEdge>& node : cell) {
    Json edges = Json::array();
    for (const GenotypeEdge& edge : node)
      edges.push_back(Json::array({std::string(name_of(edge.operation)), edge.from}));
    nodes.push_back(std::move(edges));
  }
  return nodes;
}

GenotypeEdge edge_from_json(const Json& json, const std::string& where) {
  const bool sound =
      json.is_array() && json.size() == 2 && json[0].is_string() && json[1].is_number_integer();
  if (!sound) fail("{}: expected an edge [\"operation\", from], found {}", where, json.dump());
  const auto from = json[1].get<std::int64_t>();
  if (from < 0 || from > kMostStates) fail("{}: there is no state {}", where, json[1].dump());
  return {parse_operation(json[0].get<std::string>(), where), static_cast<int>(from)};
}

std::vector<std::vector<GenotypeEdge>> cell_from_json(const Json& json, const std::string& name,
                                                      const std::string& where) {
  const Json cells = json.value("cells", Json());
  if (!cells.is_object() || !cells.contains(name) || !cells[name].is_array()) {
    fail("{}: expected `cells` with `{}`, a list of nodes", where, name);
  }
  std::vector<std::vector<GenotypeEdge>> cell;
  for (const Json& node : cells[name]) {
    if (!node.is_array()) fail("{}: expected a node's list of edges, found {}", where, node.dump());
    cell.emplace_back();
    for (const Json& edge : node) cell.back().push_back(edge_from_json(edge, where));
  }
  return cell;
}

bool has_text(const Genotype& genotype) {
  if (genotype.family == Family::kNasBench201) return true;
  for (const auto& cell : genotype.cells) {
    for (const auto& node : cell) {
      if (node.size() != kTextEdges) return false;
    }
  }
  return true;
}

void validate_nb201(const Genotype& genotype, const std::string& where) {
  const auto& cell = genotype.of(CellType::kNormal);
  bool sound = cell.size() == 3 && genotype.of(CellType::kReduction).empty();
  for (std::size_t node = 0; sound && node < cell.size(); ++node) {
    sound = cell[node].size() == node + 1;
    for (std::size_t from = 0; sound && from <= node; ++from)
      sound = cell[node][from].from == static_cast<int>(from);
  }
  if (!sound) {
    fail(
        "{}: a cell of NAS-Bench-201 is one normal cell of three nodes with 1, 2 and 3 edges, from 0, 1, 2 "
        "in "
        "this order; give such a one",
        where);
  }
  for (const auto& node : cell) {
    for (const GenotypeEdge& edge : node) find_nb201_operation(name_of(edge.operation), where);
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

std::string cell_text(const std::vector<std::vector<GenotypeEdge>>& cell) {
  std::string text;
  for (const auto& node : cell) {
    for (const GenotypeEdge& edge : node) {
      text += fmt::format("{}('{}', {})", text.empty() ? "" : ", ", name_of(edge.operation), edge.from);
    }
  }
  return text;
}

}  // namespace

void validate(const Genotype& genotype, const std::string& where) {
  if (genotype.family == Family::kNasBench201) return validate_nb201(genotype, where);
  if (genotype.cells[0].size() != genotype.cells[1].size()) {
    fail("{}: the normal cell has {} nodes and the reduction cell {}; expected as many", where,
         genotype.cells[0].size(), genotype.cells[1].size());
  }
  if (genotype.cells[0].size() > kMostStates) fail("{}: expected at most {} nodes", where, kMostStates);
  for (const CellType type : kCellTypes) {
    const auto& cell = genotype.of(type);
    if (cell.empty()) fail("{}: the {} cell has no nodes", where, name_of(type));
    for (std::size_t node = 0; node < cell.size(); ++node) {
      if (cell[node].empty()) fail("{}: node {} of the {} cell has no edges", where, node, name_of(type));
      for (const GenotypeEdge& edge : cell[node]) {
        if (edge.from < 0 || edge.from >= static_cast<int>(node) + 2) {
          fail("{}: an edge into node {} of the {} cell comes from state {}; expected 0 to {}", where, node,
               name_of(type), edge.from, node + 1);
        }
      }
    }
  }
}

Genotype genotype_of(const Nb201Architecture& architecture) {
  Genotype genotype;
  genotype.family = Family::kNasBench201;
  auto& cell = genotype.cells[0];
  std::size_t edge = 0;
  for (int node = 0; edge < architecture.operations.size(); ++node) {
    cell.emplace_back();
    for (int from = 0; from <= node; ++from)
      cell.back().push_back(
          {parse_operation(name_of(architecture.operations[edge++]), "NAS-Bench-201"), from});
  }
  return genotype;
}

Nb201Architecture nb201_architecture_of(const Genotype& genotype) {
  if (genotype.family != Family::kNasBench201)
    fail("a genotype of the DARTS family is no architecture of NAS-Bench-201");
  validate(genotype, "the genotype");
  Nb201Architecture architecture;
  std::size_t edge = 0;
  for (const auto& node : genotype.of(CellType::kNormal)) {
    for (const GenotypeEdge& one : node)
      architecture.operations[edge++] = find_nb201_operation(name_of(one.operation), "the genotype");
  }
  return architecture;
}

Json to_json(const Genotype& genotype) {
  Json json = versioned(kFormat, kVersion);
  if (genotype.family == Family::kNasBench201) json["space"] = kNb201Space;
  for (const CellType type : searched_cells(genotype.family))
    json["cells"][std::string(name_of(type))] = cell_json(genotype.of(type));
  if (has_text(genotype)) json["text"] = to_text(genotype);
  return json;
}

Genotype genotype_from_json(const Json& json, const std::string& where) {
  check_version(json, kFormat, kVersion, where);
  Genotype genotype;
  if (json.contains("space")) {
    if (json["space"] != kNb201Space)
      fail("{}: expected `space` to be {} or not there, found {}", where, kNb201Space, json["space"].dump());
    genotype.family = Family::kNasBench201;
  }
  for (const CellType type : searched_cells(genotype.family)) {
    genotype.cells[static_cast<std::size_t>(type)] = cell_from_json(json, std::string(name_of(type)), where);
  }
  validate(genotype, where);
  return genotype;
}

std::string to_text(const Genotype& genotype) {
  if (genotype.family == Family::kNasBench201)
    return format_nb201_architecture(nb201_architecture_of(genotype));
  if (!has_text(genotype)) fail("DARTS' text holds two edges a node; this genotype has other numbers");
  const std::size_t end = genotype.cells[0].size() + 2;
  return fmt::format(
      "Genotype(normal=[{}], normal_concat=range(2, {}), reduce=[{}], reduce_concat=range(2, {}))",
      cell_text(genotype.cells[0]), end, cell_text(genotype.cells[1]), end);
}

Genotype genotype_from_text(const std::string& text, const std::string& where) {
  if (const std::string_view content = trimmed(text); content.starts_with('|'))
    return genotype_of(parse_nb201_architecture(content, where));
  Genotype genotype = TextReader(text, where).read();
  validate(genotype, where);
  return genotype;
}

Genotype read_genotype(const std::string& argument) {
  namespace fs = std::filesystem;
  const std::string_view given = trimmed(argument);
  if (given.starts_with("Genotype") || given.starts_with('|'))
    return genotype_from_text(argument, "the genotype given");
  std::error_code error;
  fs::path path = argument;
  if (fs::is_directory(path, error)) {
    path /= "genotype.json";
    if (!fs::exists(path, error))
      fail("{} has no genotype yet; run its selection first (ptnas select)", argument);
  }
  if (!fs::exists(path, error)) {
    fail("expected a run directory, a genotype file, Genotype(...) text or |op~0|+.. text, found `{}`",
         argument);
  }
  const std::string content = read_file(path);
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) fail("{} is empty; expected a genotype", path.string());
  if (content[first] == '{') return genotype_from_json(parse_json(content, path.string()), path.string());
  return genotype_from_text(content, path.string());
}

}  // namespace ptnas
