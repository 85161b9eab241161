#include "ptnas/search/run_search.h"

#include <chrono>

#include "ptnas/core/log.h"
#include "ptnas/search/early_stop.h"
#include "ptnas/search/search_table.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

void run_search(RunDirectory& run, const Dataset& dataset, const DataOptions& data,
                const SearchOptions& options, const RuntimeOptions& runtime,
                const OperationChooser* chooser) {
  if (run.finished("search")) {
    log_info("search: finished already");
    return;
  }
  const std::unique_ptr<SearchMethod> method = make_search_method(options.method);
  SupernetTrainer trainer(dataset, data, options, runtime);
  StageCheckpoints checkpoints(run, RunDirectory::kSearchCheckpoint, "search", runtime);
  EarlyStop early_stop(run, options);
  EpochProgress progress;
  const auto take = [&](State& state) {
    trainer.take(state);
    early_stop.take(state);
    state.values["progress"] = to_json(progress);
  };
  if (State state; checkpoints.load(state)) {
    trainer.put(state);
    progress = progress_from_json(state.values["progress"]);
    early_stop.put(state);
    method->check(trainer);
  } else {
    method->check(trainer);
    checkpoints.save(take);
  }
  const auto after_step = [&] { checkpoints.after_step(take); };
  while (progress.epoch < options.epochs && !early_stop.stopped()) {
    const auto started = std::chrono::steady_clock::now();
    const double rate =
        cosine_rate(options.learning_rate, options.learning_rate_end, progress.epoch, options.epochs);
    trainer.run_epoch(*method, rate, progress, "search",
                      fmt::format("search epoch {}/{}", progress.epoch + 1, options.epochs), after_step);
    // An evaluation, and what follows it, is made again whole where it is interrupted.
    Json line = trainer.epoch_line("search", progress.epoch, progress, rate, after_step);
    if (const auto eigenvalue = early_stop.measure(trainer, progress.epoch)) line["hessian"] = *eigenvalue;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    line["seconds"] = seconds;
    run.append_metrics(line);
    log_info("search epoch {}/{}: loss {:.3f}, accuracy {:.1f} %, validation accuracy {:.1f} %, {}",
             progress.epoch + 1, options.epochs, progress.loss(), 100 * progress.accuracy(),
             100 * line["valid_accuracy"].get<double>(), format_duration(seconds));
    method->after_epoch(trainer, {progress.epoch, chooser, [&] { checkpoints.between_steps(); }});
    early_stop.keep(trainer, progress.epoch);
    progress = EpochProgress{progress.epoch + 1, 0, 0, 0, 0};
    if (options.snapshot_every > 0 && progress.epoch % options.snapshot_every == 0)
      save_supernet(run.file(RunDirectory::snapshot(progress.epoch)), trainer);
    checkpoints.save(take);
    early_stop.forget_old();
  }
  early_stop.rewind(trainer);
  save_supernet(run.file(RunDirectory::kSupernet), trainer);
  run.set_finished("search");
  early_stop.clean();
}

}  // namespace ptnas
