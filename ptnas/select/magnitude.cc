// Selection by alpha (DARTS): on each edge the operation of the largest weight, for each node its two
// strongest edges.

#include "ptnas/select/selection_record.h"

namespace ptnas {

Genotype select_by_magnitude(const SelectionContext& context) {
  SupernetTrainer trainer(context.dataset, context.data, context.search, context.runtime);
  load_supernet(context.supernet(), trainer);
  const Architecture& architecture = trainer.architecture();
  const SearchSpace& space = architecture.space();
  const std::int64_t seed = context.runtime.seed;
  Json record = begin_record(context, trainer, 0);
  Json& events = record["events"];
  for (const CellType type : space.cell_types()) {
    for (int edge = 0; edge < space.edge_count(); ++edge) {
      Json event = operation_event(architecture, type, edge, events.size(), seed);
      event["chosen"] = event["alpha_choice"];
      events.push_back(std::move(event));
    }
    for (int node = 1; node < space.nodes && keeps_two_edges(space.family); ++node) {
      Json event = topology_event(architecture, type, node, events.size(), seed);
      event["kept"] = event["alpha_choice"];
      events.push_back(std::move(event));
    }
  }
  record["complete"] = true;
  write_json(context.run.file(RunDirectory::kSelection), record);
  return derive_by_magnitude(space, architecture.softmax(CellType::kNormal),
                             architecture.softmax(CellType::kReduction));
}

}  // namespace ptnas
