// A supernet that its search has decided (SGAS, SGAS+PT): what was decided there becomes the record and the
// genotype; nothing is measured or tuned here.

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/select/confidence.h"
#include "ptnas/select/selection_record.h"

namespace ptnas {

namespace {

CellType type_of(const std::string& name) {
  for (const CellType type : kCellTypes) {
    if (name == name_of(type)) return type;
  }
  fail(
      "the supernet says that a `{}` cell was decided in its search, expected normal or reduction; it is "
      "damaged",
      name);
}

std::vector<int> decided_edges(const Architecture& architecture, CellType type, int node) {
  std::vector<int> edges = architecture.space().edges_into(node);
  std::erase_if(
      edges, [&](int edge) { return !architecture.decided(type, edge) || architecture.removed(type, edge); });
  return edges;
}

// The events of one decision: its operation and, where it was the node's last, the edges that stay.
void add_events(const Json& decision, const Architecture& architecture, std::int64_t seed, Json& events) {
  const SearchSpace& space = architecture.space();
  const CellType type = type_of(decision.at("cell").get<std::string>());
  const int edge = decision.at("edge").get<int>();
  Json event = operation_event(architecture, type, edge, events.size(), seed);
  if (decision.contains("measured")) event.update(decision["measured"]);
  event["chosen"] = candidate_name(space, type, edge, decision.at("operation").get<int>());
  event["epoch"] = decision.at("epoch");
  event["edges"] = decision.at("edges");
  events.push_back(std::move(event));
  if (decision.at("removed").empty()) return;
  const int node = space.edge(edge).node;
  Json topology = topology_event(architecture, type, node, events.size(), seed);
  topology["kept"] = decided_edges(architecture, type, node);
  events.push_back(std::move(topology));
}

// What stays of each cell: a node's decided edges. The others count as removed whatever they were.
Genotype genotype_of(const Architecture& architecture) {
  const SearchSpace& space = architecture.space();
  CellDecisions decisions[2];
  std::vector<int> others[2];
  for (const CellType type : space.cell_types()) {
    const auto t = static_cast<std::size_t>(type);
    for (int edge = 0; edge < space.edge_count(); ++edge) {
      if (architecture.open(type, edge)) {
        fail("edge {} of the {} cell is still open in this supernet; finish its search first", edge,
             name_of(type));
      }
      decisions[t].operation.push_back(architecture.decided(type, edge).value_or(0));
      others[t].push_back(-1);
    }
    for (int node = 0; node < space.nodes; ++node) {
      decisions[t].kept.push_back(decided_edges(architecture, type, node));
      decisions[t].ranked.push_back(decisions[t].kept.back());
    }
  }
  return derive_from_decisions(space, decisions, others);
}

void check_selection(const SelectionContext& context, const Json& state) {
  const std::string chosen_by = state.at("chooser").at("selection").get<std::string>();
  if (chosen_by == context.options.selection) return;
  fail_usage(
      "--selection is {}, but the operations of this supernet were chosen in its search, by {}; leave it "
      "out, "
      "or search again with it",
      context.options.selection, chosen_by);
}

}  // namespace

Genotype select_as_searched(const SelectionContext& context) {
  SupernetTrainer trainer(context.dataset, context.data, context.search, context.runtime);
  load_supernet(context.supernet(), trainer);
  const Json& state = trainer.method_state();
  if (!state.contains("decisions")) {
    fail("nothing was decided in the search of {}, which --method {} expects; search again",
         context.supernet_run.path().string(), context.search.method);
  }
  Json record;
  try {
    check_selection(context, state);
    record = begin_record(context, trainer, 0);
    Json events = Json::array();
    for (const Json& decision : state["decisions"])
      add_events(decision, trainer.architecture(), context.runtime.seed, events);
    for (const Json& event : events)
      record["images"] = std::max(record["images"].get<std::int64_t>(), event["images"].get<std::int64_t>());
    record["events"] = std::move(events);
    put_summary(record);
  } catch (const nlohmann::json::exception& error) {
    fail("the supernet does not say what its search decided ({}); it is damaged", error.what());
  }
  record["complete"] = true;
  write_json(context.run.file(RunDirectory::kSelection), record);
  return genotype_of(trainer.architecture());
}

}  // namespace ptnas
