#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ptnas/core/run_directory.h"
#include "ptnas/io/nb201_table.h"
#include "ptnas/job/session.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

/// What was asked for.
struct ExperimentRequest {
  std::string name;
  std::string scale = "smoke";
  std::vector<std::int64_t> seeds = {0};
  std::vector<std::string> data = {"fashion-mnist"};  ///< as --data takes them
  std::vector<std::string> spaces = {};               ///< of those the experiment has; empty: all
  std::string table = {};                             ///< NAS-Bench-201's stored results; empty: none
  OptionValues options = {};                          ///< laid over the scale's
  std::filesystem::path root = "experiments";
};

/// A measurement in a trained supernet: returns what becomes measurement.json of `run`, a child of
/// `supernet`. Long ones keep their intermediate results in `run` themselves.
struct MeasureContext {
  const RunDirectory& supernet;
  RunDirectory& run;
  const Dataset& dataset;
  const Configuration& configuration;
};
using Measurement = std::function<Json(const MeasureContext&)>;

/// One ordinary run that an experiment is made of.
struct PlannedRun {
  std::string stage;   ///< search, select, train or measure
  std::string label;   ///< readable and unique within an experiment
  std::string name;    ///< directory under ROOT/runs: label and a hash of all that determines the run
  std::string parent;  ///< name of the run whose supernet or genotype it takes; empty: none
  Configuration configuration;
  Measurement measure;
  double trials = 0;  ///< of a measurement: how often it tunes a supernet for --converged-epochs
};

/// What an experiment's function works with: it asks for runs, which are planned the first time, and reads
/// what those that are finished have found. The same function plans an experiment and, at any time later,
/// makes its tables: what is not there yet is nullopt or empty. The same run asked for twice, by one
/// experiment or by several, is one run.
class Study {
 public:
  explicit Study(const ExperimentRequest& request);

  const ExperimentRequest& request() const { return request_; }
  const std::vector<std::int64_t>& seeds() const { return request_.seeds; }
  /// Whether the space was asked for.
  bool wants(const std::string& space) const;

  // Each takes the options that the experiment sets, over the scale's and the user's, and returns the run's
  // name. Throws Error(kUsage) where the user sets one of them too.
  std::string search(const OptionValues& own);
  std::string select(const std::string& supernet, const OptionValues& own);
  std::string train(const std::string& selected, const OptionValues& own = {});
  std::string measure(const std::string& supernet, const std::string& what, const OptionValues& own,
                      Measurement measurement, double trials = 0);

  const std::vector<PlannedRun>& runs() const { return runs_; }
  const PlannedRun& run(const std::string& name) const;
  std::filesystem::path path_of(const std::string& run) const;

  // What finished runs have found.
  bool finished(const std::string& run) const;
  std::optional<double> test_error(const std::string& trained, const char* top = "top1") const;  ///< percent
  std::optional<double> parameters(const std::string& trained) const;                            ///< millions
  std::optional<Genotype> genotype(const std::string& selected) const;
  Json selection(const std::string& selected) const;    ///< selection.json, or null
  Json measurement(const std::string& measured) const;  ///< or null
  std::vector<Json> metrics(const std::string& run) const;
  /// Validation accuracy after the last epoch of the search, percent.
  std::optional<double> supernet_accuracy(const std::string& searched) const;
  /// Hours that a run's stages computed.
  std::optional<double> hours(const std::string& run) const;
  /// Test accuracy of an architecture in NAS-Bench-201's table after 200 epochs, percent; nullopt without
  /// table or genotype.
  std::optional<double> stored_accuracy(const std::string& selected, Nb201Dataset dataset);

 private:
  std::string add(PlannedRun run, const OptionValues& own, unsigned parts);
  Configuration resolve(const OptionValues& beneath, const OptionValues& own) const;

  ExperimentRequest request_;
  std::vector<PlannedRun> runs_;
  std::unique_ptr<Nb201Table> table_;
  std::map<std::string, Nb201Record> looked_up_;
};

}  // namespace ptnas
