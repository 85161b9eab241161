#include "ptnas/select/selection_record.h"

#include <algorithm>

namespace ptnas {

std::string candidate_name(const SearchSpace& space, CellType type, int edge, int operation) {
  return std::string(
      name_of(space.of(type).at(static_cast<std::size_t>(edge)).at(static_cast<std::size_t>(operation))));
}

Json begin_record(const SelectionContext& context, const SupernetTrainer& trainer, std::size_t images) {
  const Architecture& architecture = trainer.architecture();
  const SearchSpace& space = architecture.space();
  Json record = versioned("ptnas-selection", 1);
  record["selection"] = context.options.selection;
  record["criterion"] = context.options.criterion;
  record["preset"] = context.preset;
  record["topology"] = context.options.topology;
  record["ties"] = context.options.ties;
  record["seed"] = context.runtime.seed;
  record["space"] = space.name;
  record["nodes"] = space.nodes + first_node_number(space.family);
  record["images"] = images;
  if (context.options.selection == "perturbation") {
    record["scoring"] = context.options.scoring;
    record["confidence"] = context.options.confidence;
  }
  record["complete"] = false;
  for (const CellType type : space.cell_types()) {
    const std::string cell(name_of(type));
    Json edges = Json::array();
    for (int e = 0; e < space.edge_count(); ++e) {
      Json names = Json::array();
      for (std::size_t o = 0; o < space.of(type)[static_cast<std::size_t>(e)].size(); ++o) {
        names.push_back(candidate_name(space, type, e, static_cast<int>(o)));
      }
      edges.push_back(std::move(names));
    }
    record["candidates"][cell] = std::move(edges);
    record["alpha"][cell] = weights_json(architecture.softmax(type));
  }
  record["magnitude_genotype"] = to_json(derive_by_magnitude(
      space, architecture.softmax(CellType::kNormal), architecture.softmax(CellType::kReduction)))["cells"];
  record["events"] = Json::array();
  return record;
}

namespace {

Json begin_event(const char* kind, CellType type, std::size_t number) {
  Json event = Json::object();
  event["event"] = number;
  event["kind"] = kind;
  event["cell"] = std::string(name_of(type));
  return event;
}

// What both kinds of event have after their own keys.
void end_event(Json& event, Json alpha_choice, std::int64_t seed) {
  event["margin"] = nullptr;
  event["alpha_choice"] = std::move(alpha_choice);
  event["images"] = 0;
  event["seed"] = seed;
  event["seconds"] = 0.0;
}

}  // namespace

Json operation_event(const Architecture& architecture, CellType type, int edge, std::size_t number,
                     std::int64_t seed) {
  const SearchSpace& space = architecture.space();
  Json event = begin_event("operation", type, number);
  event["edge"] = edge;
  event["from"] = space.edge(edge).from;
  event["node"] = space.edge(edge).node + first_node_number(space.family);
  event["baseline"] = nullptr;
  event["scores"] = Json::array();
  event["chosen"] = nullptr;
  end_event(event, candidate_name(space, type, edge, magnitude_operation(architecture, type, edge)), seed);
  return event;
}

Json topology_event(const Architecture& architecture, CellType type, int node, std::size_t number,
                    std::int64_t seed) {
  Json event = begin_event("topology", type, number);
  event["node"] = node;
  event["baseline"] = nullptr;
  event["rounds"] = Json::array();
  event["kept"] = nullptr;
  end_event(event, magnitude_edges(architecture, type, node), seed);
  return event;
}

Json score_json(const Score& score) {
  Json json = Json::object();
  json["loss"] = score.loss;
  json["accuracy"] = score.accuracy;
  return json;
}

Json rounds_json(const Architecture& architecture, CellType type,
                 const std::vector<std::vector<EdgeScore>>& rounds, const std::vector<Json>& measured) {
  const SearchSpace& space = architecture.space();
  Json result = Json::array();
  std::size_t next = 0;
  for (const std::vector<EdgeScore>& round : rounds) {
    result.push_back(Json::array());
    for (const EdgeScore& scored : round) {
      const int edge = scored.edge;
      Json entry = Json::object();
      entry["edge"] = edge;
      entry["from"] = space.edge(edge).from;
      entry["operation"] = candidate_name(space, type, edge, architecture.decided(type, edge).value());
      entry.update(measured.at(next++));
      result.back().push_back(std::move(entry));
    }
  }
  return result;
}

bool is_decided_none(const Architecture& architecture, CellType type, int edge) {
  const auto operation = static_cast<std::size_t>(architecture.decided(type, edge).value());
  return architecture.space().of(type)[static_cast<std::size_t>(edge)][operation] == OperationKind::kNone;
}

int magnitude_operation(const Architecture& architecture, CellType type, int edge) {
  const auto e = static_cast<std::size_t>(edge);
  const std::vector<double> weights = architecture.softmax(type).at(e);
  const auto& candidates = architecture.space().of(type)[e];
  int best = -1;
  for (std::size_t o = 0; o < weights.size(); ++o) {
    if (!architecture.space().can_choose(candidates[o])) continue;
    if (best < 0 || weights[o] > weights[static_cast<std::size_t>(best)]) best = static_cast<int>(o);
  }
  return best;
}

std::vector<int> magnitude_edges(const Architecture& architecture, CellType type, int node) {
  std::vector<int> edges = architecture.space().edges_into(node);
  const WeightMatrix weights = architecture.softmax(type);
  const auto strength = [&](int edge) {
    return weights[static_cast<std::size_t>(edge)]
                  [static_cast<std::size_t>(magnitude_operation(architecture, type, edge))];
  };
  std::stable_sort(edges.begin(), edges.end(), [&](int a, int b) { return strength(a) > strength(b); });
  edges.resize(2);
  std::sort(edges.begin(), edges.end());
  return edges;
}

}  // namespace ptnas
