#include "ptnas/job/jobs.h"

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/report/report.h"
#include "ptnas/search/run_search.h"
#include "ptnas/search/search_table.h"
#include "ptnas/select/perturbation_chooser.h"
#include "ptnas/select/run_selection.h"
#include "ptnas/train/retrain.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

// A selection works on its supernet's data and shape: a flag must not say otherwise.
void check_against_supernet(const fs::path& supernet_run, Configuration& configuration) {
  const OptionValues saved = RunDirectory::open_for_reading(supernet_run).configuration();
  const std::vector<std::string> names = option_names(kDataPart | kSearchPart);
  for (const NamedValue& value : option_values(configuration)) {
    if (value.name == "preset" || value.name == "loader-threads") continue;
    if (std::find(names.begin(), names.end(), value.name) == names.end()) continue;
    const auto found = saved.find(value.name);
    if (found != saved.end() && found->second != value.value) {
      fail_usage("--{} is {}, but the supernet of {} was trained with {}; leave the option out", value.name,
                 value.value, supernet_run.string(), found->second);
    }
  }
}

// The child names its parent before anything else is written, so that its data and search options are fixed.
void name_parent(const fs::path& out, const fs::path& supernet_run) {
  RunDirectory child = RunDirectory::open_for_writing(out);
  if (child.has(RunDirectory::kSearchCheckpoint) || child.has(RunDirectory::kSupernet))
    fail_usage("{} has a supernet of its own; give another --out", out.string());
  child.set_parent(fs::absolute(supernet_run).lexically_normal());
}

}  // namespace

Session search_job(const Flags& flags, const std::vector<std::string>& command_line) {
  if (flags.out.empty()) fail_usage("--out is required: the run directory to write");
  Session session = open_session({flags, command_line, flags.out, std::nullopt});
  const Configuration& c = session.configuration;
  run_search(session.run, *session.dataset, c.data, c.search, c.runtime,
             make_operation_chooser(c.select).get());
  return session;
}

Session select_job(const std::string& supernet_run, const Flags& flags,
                   const std::vector<std::string>& command_line) {
  const fs::path supernet_path = supernet_run;
  const RunDirectory supernet = RunDirectory::open_for_reading(supernet_path);
  if (!supernet.has(RunDirectory::kSupernet)) {
    fail("{} has no trained supernet yet; finish its search first (ptnas search --resume --out {})",
         supernet_run, supernet_run);
  }
  const bool in_place =
      flags.out.empty() || fs::weakly_canonical(flags.out) == fs::weakly_canonical(supernet_path);
  const fs::path out = in_place ? supernet_path : fs::path(flags.out);
  constexpr unsigned kDecides = kSelectPart | kTrainPart;
  Configuration wanted = configuration_of(supernet_path, flags, kDecides);
  check_against_supernet(supernet_path, wanted);
  if (!in_place) name_parent(out, supernet_path);
  Session session = open_session({flags, command_line, out, supernet_path, kDecides});
  const Configuration& c = session.configuration;
  run_selection({in_place ? session.run : supernet, session.run, *session.dataset, c.data, c.search, c.select,
                 c.runtime, *make_search_method(c.search.method), c.preset});
  write_report(session.run);
  return session;
}

Session train_job(const std::string& given, const Flags& flags,
                  const std::vector<std::string>& command_line) {
  // `train --resume --out RUN` needs no more: the run has its genotype.
  const bool by_directory = given.empty() && flags.resume;
  if (by_directory && !is_run_directory(flags.out))
    fail_usage("--resume expects --out to be a run directory, and `{}` is none; give a genotype", flags.out);
  const std::string genotype = by_directory ? flags.out : given;
  if (genotype.empty()) fail_usage("train expects a genotype: a run directory, a file or text; see --help");
  std::optional<fs::path> based_on;
  if (is_run_directory(genotype)) based_on = genotype;
  fs::path out = flags.out;
  if (out.empty()) {
    if (!based_on) fail_usage("train expects --out RUN when the genotype is not a run directory's");
    out = *based_on;
  }
  const Genotype read = read_genotype(genotype);
  SessionRequest request{flags, command_line, out, based_on, kTrainPart};
  if (read.family == Family::kNasBench201) request.space = "nb201";
  Session session = open_session(request);
  const Configuration& c = session.configuration;
  put_genotype(session.run, read);
  retrain(session.run, *session.dataset, read, c.data, c.train, c.runtime);
  write_report(session.run);
  return session;
}

}  // namespace ptnas
