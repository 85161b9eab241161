#include "ptnas/select/run_selection.h"

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/log.h"

namespace ptnas {

namespace {

struct Selection {
  const char* name;
  Genotype (*select)(const SelectionContext&);
};

// One line a selection, named in selection_names().
constexpr Selection kSelections[] = {
    {"perturbation", select_by_perturbation},
    {"magnitude", select_by_magnitude},
    {"magnitude-progressive", select_by_magnitude_progressively},
    {"discretization", select_by_discretization},
    {"random", select_at_random},
};

Genotype select(const SelectionContext& context) {
  if (context.search.method == "sgas" && context.options.selection != "random")
    return select_as_searched(context);
  for (const Selection& selection : kSelections) {
    if (context.options.selection == selection.name) return selection.select(context);
  }
  fail_usage("--selection must be one of {}, not `{}`", fmt::join(selection_names(), ", "),
             context.options.selection);
}

}  // namespace

std::filesystem::path SelectionContext::supernet() const {
  if (options.from_epoch == 0) return supernet_run.file(RunDirectory::kSupernet);
  const std::string name = RunDirectory::snapshot(options.from_epoch);
  if (!supernet_run.has(name)) {
    fail("{} has no {}: its search kept no supernet of that epoch; see --snapshot-every",
         supernet_run.path().string(), name);
  }
  return supernet_run.file(name);
}

void run_selection(const SelectionContext& context) {
  if (context.run.finished("select")) {
    log_info("selection: finished already");
    return;
  }
  const Genotype genotype = select(context);
  const Json json = to_json(genotype);
  write_json(context.run.file(RunDirectory::kGenotype), json);
  if (json.contains("text"))
    write_file(context.run.file("genotype.txt"), json["text"].get<std::string>() + "\n");
  context.run.set_finished("select");
}

}  // namespace ptnas
