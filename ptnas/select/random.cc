// The control: edges and operations drawn uniformly. A comparison of selections without it says little.

#include "ptnas/select/selection_record.h"

namespace ptnas {

Genotype select_at_random(const SelectionContext& context) {
  SupernetTrainer trainer(context.dataset, context.data, context.search, context.runtime);
  load_supernet(context.supernet_run.file(RunDirectory::kSupernet), trainer);
  RandomStream stream(static_cast<std::uint64_t>(context.runtime.seed), Purpose::kRandomSelection);
  const Genotype genotype = random_genotype(trainer.network().space(), stream);
  Json record = begin_record(context, trainer, 0);
  record["complete"] = true;
  write_json(context.run.file(RunDirectory::kSelection), record);
  return genotype;
}

}  // namespace ptnas
