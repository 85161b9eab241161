#include "ptnas/search/import_supernet.h"

#include "ptnas/io/published_checkpoint.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

void import_supernet(RunDirectory& run, const std::filesystem::path& checkpoint, const Dataset& dataset,
                     const DataOptions& data, const SearchOptions& options, const RuntimeOptions& runtime) {
  SupernetTrainer trainer(dataset, data, options, runtime);
  load_published(read_published_checkpoint(checkpoint), trainer.network(), trainer.architecture());
  save_supernet(run.file(RunDirectory::kSupernet), trainer);
  run.set_finished("search");
}

}  // namespace ptnas
