#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <optional>

#include "ptnas/network/cell_backward.h"
#include "ptnas/network/cell_engine.h"
#include "ptnas/network/cell_record.h"
#include "ptnas/network/cell_units.h"
#include "ptnas/network/profile.h"

namespace ptnas {

namespace {

torch::Tensor channels_last(const torch::Tensor& x) {
  return x.contiguous(torch::MemoryFormat::ChannelsLast);
}

void fill_scaled(const float* table, float factor, std::size_t period, float* out) {
  for (std::size_t i = 0; i < period; ++i) out[i] = table[i] * factor;
}

}  // namespace

// One pass. The order of work: both inputs' preprocessing; then node by node the first convolutions of its
// edges, the second ones, and the node's sum. A batch-norm ends each: a barrier over the batch.
class CellForward {
 public:
  CellForward(CellEngine& engine, const CellPass& pass) : engine_(engine), pass_(pass) {}

  torch::Tensor run(const torch::Tensor& older, const torch::Tensor& newer, bool keep,
                    std::shared_ptr<CellRecord>& record) {
    keep_ = keep;
    begin(older, newer, pass_.weights);
    output_ = new_output();
    for (int node = 0; node < engine_.graph_.nodes; ++node) make_node(node);
    record = record_;
    return output_;
  }

  void run_many(const torch::Tensor& older, const torch::Tensor& newer, const std::vector<CellPass>& passes,
                const std::function<void(std::size_t, torch::Tensor)>& take) {
    const int split = first_different_node(passes);
    begin(older, newer, union_of(passes));
    output_ = new_output();
    for (int node = 0; node < split; ++node) make_node(node);
    if (split < engine_.graph_.nodes) make_units(split);
    const torch::Tensor shared = output_;
    for (std::size_t i = 0; i < passes.size(); ++i) {
      output_ = i + 1 < passes.size() ? shared.clone() : shared;
      for (int node = split; node < engine_.graph_.nodes; ++node) {
        activate_node(node, passes[i].weights);
        if (node > split) make_units(node);
        mix_node(node);
      }
      take(i, output_);
    }
  }

 private:
  using Weights = std::vector<std::vector<double>>;

  // The first node whose edges' weights are not the same in all passes; the number of nodes where all are.
  int first_different_node(const std::vector<CellPass>& passes) const {
    for (std::size_t e = 0; e < engine_.graph_.edges.size(); ++e) {
      for (const CellPass& pass : passes) {
        if (pass.weights[e] != passes.front().weights[e]) return engine_.graph_.edges[e].node;
      }
    }
    return engine_.graph_.nodes;
  }

  // An operation that any pass computes has a weight here.
  static Weights union_of(const std::vector<CellPass>& passes) {
    Weights weights = passes.front().weights;
    for (const CellPass& pass : passes) {
      for (std::size_t e = 0; e < weights.size(); ++e) {
        for (std::size_t o = 0; o < weights[e].size(); ++o) {
          if (weights[e][o] == 0) weights[e][o] = pass.weights[e][o];
        }
      }
    }
    return weights;
  }

  torch::Tensor new_output() const {
    const CellGraph& graph = engine_.graph_;
    return torch::empty({record_->images, (graph.nodes - graph.first_output()) * graph.channels,
                         record_->node_shape.height, record_->node_shape.width},
                        torch::TensorOptions(torch::kFloat).memory_format(torch::MemoryFormat::ChannelsLast));
  }

  void begin(const torch::Tensor& older, const torch::Tensor& newer, const Weights& weights) {
    record_ = std::make_shared<CellRecord>();
    units_.emplace(engine_, *record_);
    prepare(older, newer);
    for (int node = 0; node < engine_.graph_.nodes; ++node) activate_node(node, weights);
    make_inputs();
  }

  void activate_node(int node, const Weights& weights) {
    record_->active[static_cast<std::size_t>(node)].clear();
    for (std::size_t e = 0; e < engine_.graph_.edges.size(); ++e) {
      if (engine_.graph_.edges[e].node != node) continue;
      for (std::size_t o = 0; o < engine_.operations_[e].size(); ++o)
        activate(static_cast<int>(e), static_cast<int>(o), weights[e][o]);
    }
  }

  void prepare(const torch::Tensor& older, const torch::Tensor& newer) {
    CellRecord& r = *record_;
    r.engine = engine_.shared_from_this();
    r.images = newer.size(0);
    r.first_node = engine_.graph_.first_node();
    const torch::Tensor given[] = {older, newer};
    for (int i = 0; i < r.first_node; ++i) {
      r.inputs[i] = channels_last(given[i + 2 - r.first_node]);  // a single input is the newer
      r.input_shape[i] = {static_cast<int>(r.inputs[i].size(2)), static_cast<int>(r.inputs[i].size(3)),
                          static_cast<int>(r.inputs[i].size(1))};
    }
    const int stride = engine_.stride_[0], channels = engine_.graph_.channels;
    const StateShape& newest = r.input_shape[r.first_node - 1];
    r.state_shape = {newest.height, newest.width, channels};
    if (engine_.inputs_.empty()) r.given = r.inputs[0].data_ptr<float>();
    r.node_shape = {static_cast<int>(strided(r.state_shape.height, stride)),
                    static_cast<int>(strided(r.state_shape.width, stride)), channels};
    r.factors = pass_.factors;
    r.factors.resize(engine_.graph_.edges.size());
    r.columns = pass_.values.defined() ? pass_.values.size(1) : 0;
    r.units.resize(engine_.units_.size());
    const auto states = static_cast<std::size_t>(engine_.graph_.states());
    r.states.resize(states);
    for (auto& pools : r.pools) pools.resize(states);
    r.active.resize(static_cast<std::size_t>(engine_.graph_.nodes));
  }

  // Whether an operation of weight 0 need not be computed: in the DARTS family as a rule; else where nothing
  // would be left of it, neither statistics nor a gradient.
  bool is_left_out(const CellEngine::Operation& operation) const {
    if (skips_zero_weights(engine_.graph_.family)) return true;
    if (keep_) return false;
    const auto updates = [&](const BatchNorm& norm) {
      return norm.updates_statistics(record_->images * record_->node_shape.pixels());
    };
    return !(operation.norm && updates(*operation.norm)) &&
           std::none_of(operation.units.begin(), operation.units.end(), [&](int unit) {
             return updates(*engine_.units_[static_cast<std::size_t>(unit)].norm);
           });
  }

  void activate(int edge, int operation, double weight) {
    const auto e = static_cast<std::size_t>(edge), o = static_cast<std::size_t>(operation);
    const OperationParts::Kind kind = engine_.operations_[e][o].kind;
    if (kind == OperationParts::Kind::kNone) return;
    if (weight == 0 && is_left_out(engine_.operations_[e][o])) return;
    ActiveOperation active{edge, operation, kind, weight, {}, {}};
    const CellGraph::Edge& at = engine_.graph_.edges[e];
    if (is_pool(kind)) record_->pool(pool_kind(kind), at.from).active = true;
    if (kind == OperationParts::Kind::kNoise) active.noise = draw_noise(edge);
    record_->active[static_cast<std::size_t>(at.node)].push_back(std::move(active));
  }

  torch::Tensor draw_noise(int edge) const {
    const CellRecord& r = *record_;
    return noise_of({r.images, r.node_shape.height, r.node_shape.width, r.node_shape.channels}, pass_.context,
                    engine_.graph_.index * kPlacesPerCell + edge);
  }

  void make_inputs() {
    CellRecord& r = *record_;
    const auto prepared = static_cast<std::int64_t>(engine_.inputs_.size());
    for (std::size_t i = 0; i < engine_.inputs_.size(); ++i) {
      // FactorizedReduce reads one pixel beyond an odd size; a halo is a multiple of the stride.
      units_->begin(engine_.inputs_[i], r.input_shape[i], 1, 2);
      r.states[i] = Buffer(static_cast<std::size_t>(r.images) * r.state_shape.image());
    }
    const std::int64_t chunks = chunk_count(r.images);
    run_tasks(prepared * chunks, [&](std::int64_t task, ThreadScratch& scratch) {
      const auto i = static_cast<std::size_t>(task % prepared);
      const int unit = engine_.inputs_[i];
      const ImageRange range = chunk_of(r.images, task / prepared);
      for (std::int64_t n = range.begin; n < range.end; ++n) {
        units_->pad(unit,
                    r.inputs[i].data_ptr<float>() + static_cast<std::size_t>(n) * r.input_shape[i].image(),
                    {.relu = true}, scratch);
        units_->convolve(unit, scratch.source, n, scratch);
      }
    });
    for (const int unit : engine_.inputs_) units_->finish(unit);
    for (int i = 0; i < r.first_node; ++i) begin_pools(i);
    run_tasks(r.first_node * chunks, [&](std::int64_t task, ThreadScratch& scratch) {
      const auto i = static_cast<int>(task % r.first_node);
      const ImageRange range = chunk_of(r.images, task / r.first_node);
      for (std::int64_t n = range.begin; n < range.end; ++n) {
        if (prepared > 0) normalise_input(i, n);
        pool_image(i, n, scratch);
      }
    });
    if (!keep_) {
      for (const int unit : engine_.inputs_) units_->release(unit);
    }
  }

  void normalise_input(int state, std::int64_t n) {
    const PhaseTimer timer(engine_.graph_.index, Phase::kMix);
    const UnitRecord& record = units_->record(engine_.inputs_[static_cast<std::size_t>(state)]);
    const kernels::MixTerm term{record.raw_of(n), record.norm.scale()};
    kernels::mix(&term, 1, record.norm.bias(), record.convolution.pixels(), record_->state_shape.channels,
                 /*accumulate=*/false, record_->state(state, n));
  }

  void begin_pools(int state) {
    CellRecord& r = *record_;
    for (const auto kind : {kernels::PoolKind::kMaximum, kernels::PoolKind::kAverage}) {
      PooledState& pooled = r.pool(kind, state);
      if (!pooled.active) continue;
      pooled.raw = Buffer(static_cast<std::size_t>(r.images) * r.node_shape.image());
      // The edges' norms are alike in mode and size: any of them tells.
      if (const BatchNorm* norm = any_pool_norm(kind, state)) {
        pooled.moments.begin(*norm, r.images, r.node_shape.pixels(), r.node_shape.channels);
        pooled.measured = pooled.moments.wants_moments();
      }
    }
  }

  const BatchNorm* any_pool_norm(kernels::PoolKind kind, int state) const {
    for (const auto& node : record_->active) {
      for (const ActiveOperation& a : node) {
        const auto e = static_cast<std::size_t>(a.edge);
        if (is_pool(a.kind) && pool_kind(a.kind) == kind && engine_.graph_.edges[e].from == state) {
          return engine_.operations_[e][static_cast<std::size_t>(a.operation)].norm.get();
        }
      }
    }
    return nullptr;
  }

  kernels::PaddedLayout pool_layout(int state) const {
    const StateShape& shape = record_->shape_of(state);
    return {shape.channels, shape.height, shape.width, engine_.stride_[static_cast<std::size_t>(state)],
            kHalo};
  }

  void pool_image(int state, std::int64_t n, ThreadScratch& scratch) {
    const PhaseTimer timer(engine_.graph_.index, Phase::kPool);
    CellRecord& r = *record_;
    for (const auto kind : {kernels::PoolKind::kMaximum, kernels::PoolKind::kAverage}) {
      PooledState& pooled = r.pool(kind, state);
      if (!pooled.active) continue;
      float* raw = pooled.raw.data() + static_cast<std::size_t>(n) * r.node_shape.image();
      kernels::pool(kind, pool_layout(state), r.state(state, n), raw, scratch.pool);
      if (pooled.measured) {
        kernels::channel_moments(raw, static_cast<std::size_t>(r.node_shape.pixels()), r.node_shape.channels,
                                 pooled.moments.image(n));
      }
    }
  }

  // Units that read the same image: a state, or what a first unit left.
  struct Job {
    int state, before;  // the first unit, or -1
    int stride;
    std::vector<int> units;
  };
  // What an edge has to do: one job for its first units, and one for each second unit.
  struct EdgeJobs {
    Job first;
    std::vector<Job> seconds;
  };
  std::vector<EdgeJobs> jobs_into(int node) const {
    std::vector<EdgeJobs> edges;
    int last = -1;
    for (const ActiveOperation& a : record_->active[static_cast<std::size_t>(node)]) {
      const auto e = static_cast<std::size_t>(a.edge);
      const auto& units = engine_.operations_[e][static_cast<std::size_t>(a.operation)].units;
      if (units.empty()) continue;
      const CellGraph::Edge& edge = engine_.graph_.edges[e];
      if (a.edge != last) edges.push_back({{edge.from, -1, edge.stride, {}}, {}});
      last = a.edge;
      edges.back().first.units.push_back(units[0]);
      if (units.size() > 1) edges.back().seconds.push_back({-1, units[0], 1, {units[1]}});
    }
    return edges;
  }

  // All units of the jobs; a batch-norm ends each, a barrier over the batch.
  void run_jobs(const std::vector<Job>& jobs) {
    CellRecord& r = *record_;
    for (const Job& job : jobs) {
      const StateShape& shape = job.before < 0 ? r.shape_of(job.state) : r.node_shape;
      for (const int unit : job.units) units_->begin(unit, shape, job.stride, kHalo);
    }
    const std::int64_t chunks = chunk_count(r.images);
    run_tasks(static_cast<std::int64_t>(jobs.size()) * chunks,
              [&](std::int64_t task, ThreadScratch& scratch) {
                const Job& job = jobs[static_cast<std::size_t>(task / chunks)];
                const ImageRange range = chunk_of(r.images, task % chunks);
                for (std::int64_t n = range.begin; n < range.end; ++n) run_job(job, n, scratch);
              });
    for (const Job& job : jobs) {
      for (const int unit : job.units) units_->finish(unit);
      if (job.before >= 0 && !keep_) units_->release(job.before);
    }
  }

  void run_job(const Job& job, std::int64_t n, ThreadScratch& scratch) const {
    if (job.before < 0) {
      units_->pad(job.units.front(), record_->state(job.state, n), {.relu = true}, scratch);
    } else {
      const UnitRecord& before = units_->record(job.before);
      units_->pad(job.units.front(), before.raw_of(n), {before.norm.scale(), before.norm.bias(), true},
                  scratch);
    }
    for (const int unit : job.units) units_->convolve(unit, scratch.source, n, scratch);
  }

  // What an active operation adds to its node: factor (scale x + bias), scale and bias by channel.
  struct Term {
    const float* x;
    int edge;
    kernels::Floats scale, bias;
  };
  Term term_of(ActiveOperation& a) {
    CellRecord& r = *record_;
    const auto e = static_cast<std::size_t>(a.edge);
    const auto& operation = engine_.operations_[e][static_cast<std::size_t>(a.operation)];
    const int from = engine_.graph_.edges[e].from;
    const FusedNorm* norm = nullptr;
    const float* x = nullptr;
    if (is_pool(a.kind)) {
      PooledState& pooled = r.pool(pool_kind(a.kind), from);
      x = pooled.raw.data();
      if (operation.norm) {
        a.pool_norm.begin(*operation.norm, r.images, r.node_shape.pixels(), r.node_shape.channels);
        a.pool_norm.finish(*operation.norm, pooled.moments);
        norm = &a.pool_norm;
      }
    } else if (a.kind == OperationParts::Kind::kNoise) {
      x = a.noise.data_ptr<float>();
    } else if (a.kind == OperationParts::Kind::kIdentity) {
      x = r.state(from);
    } else {
      UnitRecord& unit = r.units[static_cast<std::size_t>(operation.units.back())];
      x = unit.raw.data();
      norm = &unit.norm;
    }
    return make_term(x, a, norm);
  }

  Term make_term(const float* x, const ActiveOperation& a, const FusedNorm* norm) const {
    const auto channels = static_cast<std::size_t>(record_->node_shape.channels);
    std::vector<float> scale(channels), bias(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      scale[c] = static_cast<float>(norm != nullptr ? a.weight * norm->scale(c) : a.weight);
      bias[c] = static_cast<float>(norm != nullptr ? a.weight * norm->bias(c) : 0.0);
    }
    const std::size_t period = kernels::period_of(static_cast<int>(channels));
    Term term{x, a.edge, kernels::Floats(period), kernels::Floats(period)};
    kernels::fill_period(scale.data(), static_cast<int>(channels), term.scale.data());
    kernels::fill_period(bias.data(), static_cast<int>(channels), term.bias.data());
    return term;
  }

  void make_node(int node) {
    make_units(node);
    mix_node(node);
    if (!keep_) release_node(node);
  }

  // Edge by edge: what a first unit leaves is still in the last cache when the second reads it. An edge's
  // second units and the next one's first go together, which halves the barriers.
  void make_units(int node) {
    const std::vector<EdgeJobs> edges = jobs_into(node);
    for (std::size_t i = 0; i <= edges.size() && !edges.empty(); ++i) {
      std::vector<Job> jobs;
      if (i < edges.size()) jobs.push_back(edges[i].first);
      if (i > 0) jobs.insert(jobs.end(), edges[i - 1].seconds.begin(), edges[i - 1].seconds.end());
      if (!jobs.empty()) run_jobs(jobs);
    }
  }

  void mix_node(int node) {
    CellRecord& r = *record_;
    std::vector<Term> terms;
    for (ActiveOperation& a : r.active[static_cast<std::size_t>(node)]) terms.push_back(term_of(a));
    const int state = node + r.first_node;
    r.states[static_cast<std::size_t>(state)] =
        Buffer(static_cast<std::size_t>(r.images) * r.node_shape.image());
    begin_pools(state);
    run_tasks(r.images, [&](std::int64_t n, ThreadScratch& scratch) {
      mix_image(terms, state, n, scratch);
      copy_to_output(node, n);
      pool_image(state, n, scratch);
    });
  }

  void copy_to_output(int node, std::int64_t n) {
    const CellGraph& graph = engine_.graph_;
    if (node < graph.first_output()) return;
    const PhaseTimer timer(engine_.graph_.index, Phase::kMix);
    const CellRecord& r = *record_;
    const auto channels = static_cast<std::size_t>(r.node_shape.channels),
               pixels = static_cast<std::size_t>(r.node_shape.pixels());
    const std::size_t step = channels * static_cast<std::size_t>(graph.nodes - graph.first_output());
    float* out = output_.data_ptr<float>() + static_cast<std::size_t>(n) * step * pixels +
                 static_cast<std::size_t>(node - graph.first_output()) * channels;
    kernels::copy_pixels(r.state(node + r.first_node, n), channels, pixels, r.node_shape.channels, out, step);
  }

  void mix_image(const std::vector<Term>& terms, int state, std::int64_t n, ThreadScratch& scratch) {
    const PhaseTimer timer(engine_.graph_.index, Phase::kMix);
    CellRecord& r = *record_;
    const std::size_t period = kernels::period_of(r.node_shape.channels);
    const std::size_t offset = static_cast<std::size_t>(n) * r.node_shape.image();
    scratch.tables.resize(std::max(scratch.tables.size(), terms.size() + 1));
    kernels::Floats& constant = scratch.tables[terms.size()];
    constant.resize(period);
    std::fill_n(constant.data(), period, 0.0f);
    std::vector<kernels::MixTerm> mixed;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const Term& term = terms[t];
      const float factor = r.factor(term.edge, n);
      const float* scale = term.scale.data();
      if (r.has_factors(term.edge)) {
        scratch.tables[t].resize(period);
        fill_scaled(scale, factor, period, scratch.tables[t].data());
        scale = scratch.tables[t].data();
      }
      for (std::size_t i = 0; i < period; ++i) constant.data()[i] += factor * term.bias.data()[i];
      mixed.push_back({term.x + offset, scale});
    }
    kernels::mix(mixed.data(), static_cast<int>(mixed.size()), constant.data(),
                 static_cast<std::size_t>(r.node_shape.pixels()), r.node_shape.channels, /*accumulate=*/false,
                 r.state(state, n));
  }

  void release_node(int node) {
    CellRecord& r = *record_;
    for (const ActiveOperation& a : r.active[static_cast<std::size_t>(node)]) {
      const auto& operation =
          engine_.operations_[static_cast<std::size_t>(a.edge)][static_cast<std::size_t>(a.operation)];
      for (const int unit : operation.units) units_->release(unit);
    }
  }

  CellEngine& engine_;
  const CellPass& pass_;
  std::shared_ptr<CellRecord> record_;
  std::optional<CellUnits> units_;
  torch::Tensor output_;
  bool keep_ = false;
};

torch::Tensor CellEngine::forward(const torch::Tensor& older_output, const torch::Tensor& newer,
                                  const CellPass& pass) {
  // What is not read is no input of the autograd node either.
  const torch::Tensor older = graph_.first_node() == 2 ? older_output : torch::Tensor();
  const bool differentiable = wants_gradient(parameters_, older, newer, pass);
  std::shared_ptr<CellRecord> record;
  torch::Tensor output;
  {
    const torch::NoGradGuard no_grad;
    output = CellForward(*this, pass).run(older, newer, differentiable, record);
  }
  if (differentiable) attach_backward(output, std::move(record), parameters_, older, newer, pass);
  return output;
}

void CellEngine::forward_many(const torch::Tensor& older, const torch::Tensor& newer,
                              const std::vector<CellPass>& passes,
                              const std::function<void(std::size_t, torch::Tensor)>& take) {
  const torch::NoGradGuard no_grad;
  CellForward(*this, passes.front()).run_many(older, newer, passes, take);
}

}  // namespace ptnas
