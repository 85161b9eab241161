// Selection by alpha (DARTS): on each edge the operation of the largest weight, for each node its two
// strongest edges.

#include "ptnas/select/selection_record.h"

namespace ptnas {

namespace {

Json operation_event(const Architecture& architecture, CellType type, int edge, std::size_t number) {
  const int chosen = magnitude_operation(architecture, type, edge);
  Json event = Json::object();
  event["event"] = number;
  event["kind"] = "operation";
  event["cell"] = std::string(name_of(type));
  event["edge"] = edge;
  event["from"] = architecture.space().edge(edge).from;
  event["node"] = architecture.space().edge(edge).node;
  event["scores"] = Json::array();
  event["chosen"] = candidate_name(architecture.space(), type, edge, chosen);
  event["alpha_choice"] = event["chosen"];
  return event;
}

Json topology_event(const Architecture& architecture, CellType type, int node, std::size_t number) {
  Json event = Json::object();
  event["event"] = number;
  event["kind"] = "topology";
  event["cell"] = std::string(name_of(type));
  event["node"] = node;
  event["rounds"] = Json::array();
  event["kept"] = magnitude_edges(architecture, type, node);
  event["alpha_choice"] = event["kept"];
  return event;
}

}  // namespace

Genotype select_by_magnitude(const SelectionContext& context) {
  SupernetTrainer trainer(context.dataset, context.data, context.search, context.runtime);
  load_supernet(context.supernet_run.file(RunDirectory::kSupernet), trainer);
  const Architecture& architecture = trainer.architecture();
  Json record = begin_record(context, trainer, 0);
  Json& events = record["events"];
  for (const CellType type : kCellTypes) {
    for (int e = 0; e < architecture.space().edge_count(); ++e)
      events.push_back(operation_event(architecture, type, e, events.size()));
    for (int n = 1; n < architecture.space().nodes; ++n)
      events.push_back(topology_event(architecture, type, n, events.size()));
  }
  record["complete"] = true;
  write_json(context.run.file(RunDirectory::kSelection), record);
  return derive_by_magnitude(architecture.space(), architecture.softmax(CellType::kNormal),
                             architecture.softmax(CellType::kReduction));
}

}  // namespace ptnas
