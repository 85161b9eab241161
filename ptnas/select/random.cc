// The control: edges and operations drawn uniformly. A comparison of selections without it says little.

#include "ptnas/select/selection_record.h"

namespace ptnas {

namespace {

// The chosen edges' operations, and which edges each node keeps; an edge that was not drawn has no operation.
Json events_of(const Genotype& genotype, const Architecture& architecture, std::int64_t seed) {
  const SearchSpace& space = architecture.space();
  Json events = Json::array();
  for (const CellType type : space.cell_types()) {
    for (int node = 0; node < space.nodes; ++node) {
      const int first = space.edges_into(node).front();  // the one from state 0
      std::vector<int> kept;
      for (const GenotypeEdge& chosen : genotype.of(type)[static_cast<std::size_t>(node)]) {
        kept.push_back(first + chosen.from);
        Json event = operation_event(architecture, type, kept.back(), events.size(), seed);
        event["chosen"] = std::string(name_of(chosen.operation));
        events.push_back(std::move(event));
      }
      if (node == 0 || !keeps_two_edges(space.family)) continue;  // has its inputs
      Json event = topology_event(architecture, type, node, events.size(), seed);
      event["kept"] = kept;
      events.push_back(std::move(event));
    }
  }
  return events;
}

}  // namespace

Genotype select_at_random(const SelectionContext& context) {
  SupernetTrainer trainer(context.dataset, context.data, context.search, context.runtime);
  load_supernet(context.supernet(), trainer);
  RandomStream stream(static_cast<std::uint64_t>(context.runtime.seed), Purpose::kRandomSelection);
  Genotype genotype = random_genotype(trainer.network().space(), stream);
  Json record = begin_record(context, trainer, 0);
  record["events"] = events_of(genotype, trainer.architecture(), context.runtime.seed);
  record["complete"] = true;
  write_json(context.run.file(RunDirectory::kSelection), record);
  return genotype;
}

}  // namespace ptnas
