#include "ptnas/network/cell_backward.h"

#include <torch/utils.h>

#include <algorithm>
#include <map>

#include "ptnas/network/profile.h"
#include "ptnas/network/unit_backward.h"
#include "ptnas/network/weight_sums.h"

namespace ptnas {

namespace {

using Size = std::size_t;

constexpr Size kNewerInput = 1, kValuesInput = 2, kFirstParameter = 3;  // among the node's; 0 is the older

}  // namespace

// One way back. Nodes last to first; for each: the sums that its operations' batch-norms need, the second
// units, the first units. Then the preprocessing. What nobody needs is not computed.
class CellBackward {
 public:
  CellBackward(CellRecord& record, const torch::autograd::Node& node)
      : r_(record), engine_(*record.engine), node_(node), chunks_(chunk_count(record.images)) {}

  torch::autograd::variable_list run(const torch::Tensor& output_gradient) {
    gradients_.resize(kFirstParameter + engine_.parameters_.size());
    sort_wishes();
    begin_states(output_gradient.contiguous(torch::MemoryFormat::ChannelsLast));
    for (int node = engine_.graph_.nodes - 1; node >= 0; --node) {
      gather_state(node + r_.first_node);
      back_through_node(node);
    }
    if (wants_inputs_) {
      for (int i = 0; i < r_.first_node; ++i) gather_state(i);
      if (!engine_.inputs_.empty()) back_through_inputs();
    }
    if (wants_values_) gradients_[kValuesInput] = values_gradient_;
    return std::move(gradients_);
  }

 private:
  PhaseTimer time(Phase phase) const { return {engine_.graph_.index, phase}; }

  bool wants(Size input) const { return node_.should_compute_output(input); }
  bool wants_parameter(int parameter) const {
    return parameter >= 0 && wants(kFirstParameter + static_cast<Size>(parameter));
  }
  bool wants_weights(const CellEngine::Unit& u) const {
    return wants_parameter(u.first) || wants_parameter(u.second) || wants_parameter(u.depthwise);
  }
  bool wants_norm(const CellEngine::Unit& u) const {
    return wants_parameter(u.gamma) || wants_parameter(u.beta);
  }

  // The gradient of the cell's inputs is needed by what lies before, or by the preprocessing's own
  // parameters.
  void sort_wishes() {
    wants_inputs_ = wants(0) || wants(1);
    for (const int unit : engine_.inputs_) {
      const CellEngine::Unit& u = engine_.units_[static_cast<Size>(unit)];
      wants_inputs_ = wants_inputs_ || wants_weights(u) || wants_norm(u);
    }
    wants_values_ = r_.columns > 0 && wants(kValuesInput);
    if (wants_values_) {
      values_gradient_ = torch::zeros({static_cast<std::int64_t>(engine_.graph_.edges.size()), r_.columns});
    }
  }
  bool wants_state(int state) const { return state >= r_.first_node || wants_inputs_; }

  float* state_gradient(int state, std::int64_t n) {
    float* all = state == 0 && given_gradient_ != nullptr ? given_gradient_
                                                          : state_gradients_[static_cast<Size>(state)].data();
    return all + static_cast<Size>(n) * r_.shape_of(state).image();
  }
  float* node_gradient(int node, std::int64_t n) { return state_gradient(node + r_.first_node, n); }

  void begin_states(const torch::Tensor& output_gradient) {
    const CellGraph& graph = engine_.graph_;
    const int first_output = graph.first_output();
    const auto channels = static_cast<Size>(r_.node_shape.channels),
               pixels = static_cast<Size>(r_.node_shape.pixels());
    const Size step = channels * static_cast<Size>(graph.nodes - first_output);
    const float* g = output_gradient.data_ptr<float>();
    if (wants_inputs_ && r_.given != nullptr) {
      // What is gathered for the input as it is, is its gradient.
      gradients_[kNewerInput] = torch::empty_like(r_.inputs[0], torch::MemoryFormat::ChannelsLast);
      given_gradient_ = gradients_[kNewerInput].data_ptr<float>();
    }
    for (int s = 0; s < graph.states(); ++s) {
      const bool own = wants_state(s) && !(s == 0 && given_gradient_ != nullptr);
      state_gradients_.push_back(own ? Buffer(static_cast<Size>(r_.images) * r_.shape_of(s).image())
                                     : Buffer());
    }
    run_tasks(r_.images, [&](std::int64_t n, ThreadScratch&) {
      const PhaseTimer timer = time(Phase::kGather);
      for (int s = 0; s < r_.first_node && wants_inputs_; ++s)
        std::fill_n(state_gradient(s, n), r_.state_shape.image(), 0.0f);
      for (int node = 0; node < first_output; ++node)
        std::fill_n(node_gradient(node, n), r_.node_shape.image(), 0.0f);
      for (int node = first_output; node < graph.nodes; ++node) {
        kernels::copy_pixels(
            g + static_cast<Size>(n) * pixels * step + static_cast<Size>(node - first_output) * channels,
            step, pixels, r_.node_shape.channels, node_gradient(node, n), channels);
      }
    });
  }

  // What reaches a state through identities and pools, whose outputs all edges that leave it share.
  void gather_state(int state) {
    std::vector<const ActiveOperation*> identities, pools[2];
    for (const auto& node : r_.active) {
      for (const ActiveOperation& a : node) {
        if (engine_.graph_.edges[static_cast<Size>(a.edge)].from != state || a.weight == 0) continue;
        if (a.kind == OperationParts::Kind::kIdentity) identities.push_back(&a);
        if (is_pool(a.kind)) pools[static_cast<int>(pool_kind(a.kind))].push_back(&a);
      }
    }
    if (identities.empty() && pools[0].empty() && pools[1].empty()) return;
    run_tasks(r_.images, [&](std::int64_t n, ThreadScratch& scratch) {
      const PhaseTimer timer = time(Phase::kGather);
      if (!identities.empty()) {
        sum_over(identities, n, scratch, /*accumulate=*/true, state_gradient(state, n));
      }
      for (const auto kind : {kernels::PoolKind::kMaximum, kernels::PoolKind::kAverage}) {
        if (!pools[static_cast<int>(kind)].empty())
          pool_back(kind, state, pools[static_cast<int>(kind)], n, scratch);
      }
    });
  }

  static double scale_of(const ActiveOperation& a, Size c) {
    return is_pool(a.kind) && a.pool_norm.begun() ? a.weight * a.pool_norm.scale(c) : a.weight;
  }

  // out (+)= sum over the operations of weight * factor * (scale of the norm) * gradient of their node.
  void sum_over(const std::vector<const ActiveOperation*>& operations, std::int64_t n, ThreadScratch& scratch,
                bool accumulate, float* out) {
    const int channels = r_.node_shape.channels;
    const Size period = kernels::period_of(channels);
    scratch.tables.resize(std::max(scratch.tables.size(), operations.size() + 1));
    kernels::Floats& zero = scratch.tables[operations.size()];
    zero.resize(period);
    std::fill_n(zero.data(), period, 0.0f);
    std::vector<kernels::MixTerm> terms;
    std::vector<float> scale(static_cast<Size>(channels));
    for (Size i = 0; i < operations.size(); ++i) {
      const ActiveOperation& a = *operations[i];
      for (Size c = 0; c < scale.size(); ++c)
        scale[c] = static_cast<float>(r_.factor(a.edge, n) * scale_of(a, c));
      scratch.tables[i].resize(period);
      kernels::fill_period(scale.data(), channels, scratch.tables[i].data());
      const int node = engine_.graph_.edges[static_cast<Size>(a.edge)].node;
      terms.push_back({node_gradient(node, n), scratch.tables[i].data()});
    }
    kernels::mix(terms.data(), static_cast<int>(terms.size()), zero.data(),
                 static_cast<Size>(r_.node_shape.pixels()), channels, accumulate, out);
  }

  void pool_back(kernels::PoolKind kind, int state, const std::vector<const ActiveOperation*>& operations,
                 std::int64_t n, ThreadScratch& scratch) {
    const int channels = r_.node_shape.channels;
    const Size period = kernels::period_of(channels);
    scratch.image.resize(r_.node_shape.image());
    sum_over(operations, n, scratch, /*accumulate=*/false, scratch.image.data());
    std::vector<float> ones(static_cast<Size>(channels), 1.0f), raw(ones.size(), 0.0f),
        constant(ones.size(), 0.0f);
    for (const ActiveOperation* a : operations) {
      for (Size c = 0; c < ones.size() && a->pool_norm.begun(); ++c) {
        raw[c] += static_cast<float>(a->pool_norm.raw_scale(c));
        constant[c] += static_cast<float>(a->pool_norm.constant(c));
      }
    }
    scratch.tables.resize(std::max<Size>(scratch.tables.size(), 3));
    const std::vector<float>* values[3] = {&ones, &raw, &constant};
    for (Size t = 0; t < 3; ++t) {
      scratch.tables[t].resize(period);
      kernels::fill_period(values[t]->data(), channels, scratch.tables[t].data());
    }
    const kernels::NormGradient norm{scratch.tables[0].data(), scratch.tables[1].data(),
                                     scratch.tables[2].data()};
    const StateShape& shape = r_.shape_of(state);
    const kernels::PaddedLayout layout(shape.channels, shape.height, shape.width,
                                       engine_.stride_[static_cast<Size>(state)], kHalo);
    const float* out = r_.pool(kind, state).raw.data() + static_cast<Size>(n) * r_.node_shape.image();
    kernels::pool_back(kind, layout, r_.state(state, n), out, scratch.image.data(), norm,
                       state_gradient(state, n), scratch.pool);
  }

  const CellEngine::Operation& operation_of(const ActiveOperation& a) const {
    return engine_.operations_[static_cast<Size>(a.edge)][static_cast<Size>(a.operation)];
  }

  // Whether the gradient of an operation's own output is needed, beyond that of its weight. With weight 0 it
  // is 0.
  bool wants_operation(const ActiveOperation& a) const {
    if (a.weight == 0) return false;
    if (wants_state(engine_.graph_.edges[static_cast<Size>(a.edge)].from)) return true;
    for (const int unit : operation_of(a).units) {
      const CellEngine::Unit& u = engine_.units_[static_cast<Size>(unit)];
      if (wants_weights(u) || wants_norm(u)) return true;
    }
    return false;
  }

  void back_through_node(int node) {
    std::vector<ActiveOperation>& active = r_.active[static_cast<Size>(node)];
    sum_gradients(node, active);
    back_through_second_units(node, active);
    back_through_first_units(node, active);
    second_gradients_.clear();
    for (const ActiveOperation& a : active) {
      if (a.weight == 0) give_zeros(a);
      for (const int unit : operation_of(a).units) r_.units[static_cast<Size>(unit)].raw.release();
    }
  }

  // An operation that is computed with weight 0: its parameters have gradients, and so decay and momentum.
  void give_zeros(const ActiveOperation& a) {
    for (const int unit : operation_of(a).units) {
      const CellEngine::Unit& u = engine_.units_[static_cast<Size>(unit)];
      for (const int parameter : {u.depthwise, u.first, u.second, u.gamma, u.beta}) {
        if (wants_parameter(parameter))
          gradient_of(parameter) = torch::zeros_like(engine_.parameters_[static_cast<Size>(parameter)]);
      }
    }
  }
  torch::Tensor& gradient_of(int parameter) {
    return gradients_[kFirstParameter + static_cast<Size>(parameter)];
  }

  // Sums of the node's gradient g and of g times each operation's output, image by image.
  void sum_gradients(int node, std::vector<ActiveOperation>& active) {
    const auto pixels = static_cast<Size>(r_.node_shape.pixels()),
               channels = static_cast<Size>(r_.node_shape.channels);
    std::vector<double> plain(active.size() * static_cast<Size>(r_.images),
                              0);  // of operations without a norm
    for (ActiveOperation& a : active) {
      if (FusedNorm* norm = norm_of(a)) norm->begin_back();
    }
    kernels::Floats no_center(kernels::period_of(r_.node_shape.channels));
    run_tasks(r_.images, [&](std::int64_t n, ThreadScratch&) {
      const PhaseTimer timer = time(Phase::kSums);
      std::vector<double> sum_g(channels), sum_gx(channels);
      const float* g = node_gradient(node, n);
      kernels::channel_sums(g, pixels, r_.node_shape.channels, sum_g.data());
      for (Size i = 0; i < active.size(); ++i) {
        ActiveOperation& a = active[i];
        FusedNorm* norm = norm_of(a);
        if (norm == nullptr && !wants_values_) continue;
        kernels::product_sums(g, value_of(a, n), norm != nullptr ? norm->center() : no_center.data(), pixels,
                              r_.node_shape.channels, sum_gx.data());
        const double factor = r_.factor(a.edge, n);
        for (Size c = 0; c < channels; ++c) {
          if (norm != nullptr) {
            norm->sum_g(n)[c] = factor * sum_g[c];
            norm->sum_gx(n)[c] = factor * sum_gx[c];
          } else {
            plain[i * static_cast<Size>(r_.images) + static_cast<Size>(n)] += factor * sum_gx[c];
          }
        }
      }
    });
    for (Size i = 0; i < active.size(); ++i) {
      ActiveOperation& a = active[i];
      double gradient = 0;
      if (FusedNorm* norm = norm_of(a)) {
        norm->finish_back(a.weight);
        gradient = norm->weight_gradient();
      } else {
        for (std::int64_t n = 0; n < r_.images; ++n)
          gradient += plain[i * static_cast<Size>(r_.images) + static_cast<Size>(n)];
      }
      if (wants_values_) {
        values_gradient_.accessor<float, 2>()[a.edge][a.operation] = static_cast<float>(gradient);
      }
      if (!operation_of(a).units.empty()) give_norm(operation_of(a).units.back());
    }
  }

  FusedNorm* norm_of(ActiveOperation& a) {
    if (is_pool(a.kind)) return a.pool_norm.begun() ? &a.pool_norm : nullptr;
    if (operation_of(a).units.empty()) return nullptr;
    return &r_.units[static_cast<Size>(operation_of(a).units.back())].norm;
  }

  // What the operation's weight multiplies, before its batch-norm.
  const float* value_of(const ActiveOperation& a, std::int64_t n) {
    const Size offset = static_cast<Size>(n) * r_.node_shape.image();
    const int from = engine_.graph_.edges[static_cast<Size>(a.edge)].from;
    if (is_pool(a.kind)) return r_.pool(pool_kind(a.kind), from).raw.data() + offset;
    if (a.kind == OperationParts::Kind::kNoise) return a.noise.data_ptr<float>() + offset;
    if (a.kind == OperationParts::Kind::kIdentity) return r_.state(from, n);
    return r_.units[static_cast<Size>(operation_of(a).units.back())].raw_of(n);
  }

  void give_norm(int unit) {
    const CellEngine::Unit& u = engine_.units_[static_cast<Size>(unit)];
    const FusedNorm& norm = r_.units[static_cast<Size>(unit)].norm;
    if (wants_parameter(u.gamma)) gradient_of(u.gamma) = norm.gamma_gradient();
    if (wants_parameter(u.beta)) gradient_of(u.beta) = norm.beta_gradient();
  }

  WeightSums weight_sums(const std::vector<int>& units) const {
    std::vector<WeightSums::Unit> wanted;
    for (const int unit : units) {
      wanted.push_back({&r_.units[static_cast<Size>(unit)].convolution,
                        wants_weights(engine_.units_[static_cast<Size>(unit)])});
    }
    return {std::move(wanted), chunks_};
  }

  void give_weights(const std::vector<int>& units, WeightSums& sums) {
    run_tasks(static_cast<std::int64_t>(units.size()), [&](std::int64_t i, ThreadScratch&) {
      const CellEngine::Unit& u = engine_.units_[static_cast<Size>(units[static_cast<Size>(i)])];
      const auto like = [&](int parameter) { return engine_.parameters_[static_cast<Size>(parameter)]; };
      const auto give = [&](int parameter, auto make) {
        if (wants_parameter(parameter)) gradient_of(parameter) = make();
      };
      const auto unit = static_cast<Size>(i);
      sums.add_chunks(unit);
      give(u.first, [&] {
        return u.kind == CellEngine::Unit::Kind::kDense ? sums.dense(unit, like(u.first))
                                                        : sums.matrix(unit, 0, 0, like(u.first));
      });
      give(u.second, [&] { return sums.matrix(unit, 1, like(u.first).size(0), like(u.second)); });
      give(u.depthwise, [&] { return sums.depthwise(unit, like(u.depthwise)); });
    });
  }

  // The norm's gradient for one image: g's scale times the edge's factor, in that table of the scratch.
  kernels::NormGradient norm_gradient(const FusedNorm& norm, int edge, std::int64_t n, Size table,
                                      ThreadScratch& scratch) const {
    kernels::NormGradient gradient = norm.gradient();
    if (!r_.has_factors(edge)) return gradient;
    const Size period = kernels::period_of(r_.node_shape.channels);
    scratch.tables.resize(std::max(scratch.tables.size(), table + 1));
    kernels::Floats& scaled = scratch.tables[table];
    scaled.resize(period);
    for (Size i = 0; i < period; ++i) scaled.data()[i] = gradient.g_scale[i] * r_.factor(edge, n);
    gradient.g_scale = scaled.data();
    return gradient;
  }

  void pad(const kernels::PaddedLayout& layout, const float* x, const kernels::Activation& activation,
           ThreadScratch& scratch) const {
    const PhaseTimer timer = time(Phase::kPad);
    scratch.source.shape(layout);
    kernels::pad_image(scratch.source, x, activation);
  }

  // Operations of two units: from the node's gradient through the second to the gradient of the first's
  // norm's output.
  void back_through_second_units(int node, const std::vector<ActiveOperation>& active) {
    std::vector<const ActiveOperation*> work;
    std::vector<int> units;
    for (const ActiveOperation& a : active) {
      if (operation_of(a).units.size() < 2 || !wants_operation(a)) continue;
      work.push_back(&a);
      units.push_back(operation_of(a).units[1]);
      UnitRecord& before = r_.units[static_cast<Size>(operation_of(a).units[0])];
      before.norm.begin_back();
      second_gradients_[operation_of(a).units[0]] =
          Buffer(static_cast<Size>(r_.images) * r_.node_shape.image());
    }
    if (work.empty()) return;
    WeightSums sums = weight_sums(units);
    run_tasks(
        static_cast<std::int64_t>(work.size()) * chunks_, [&](std::int64_t task, ThreadScratch& scratch) {
          const auto i = static_cast<Size>(task / chunks_);
          const ImageRange range = chunk_of(r_.images, task % chunks_);
          const int first = operation_of(*work[i]).units[0];
          UnitRecord& before = r_.units[static_cast<Size>(first)];
          const UnitRecord& unit = r_.units[static_cast<Size>(units[i])];
          const kernels::Activation activation{before.norm.scale(), before.norm.bias(), true};
          sums.clear(i, task % chunks_);
          for (std::int64_t n = range.begin; n < range.end; ++n) {
            pad(unit.convolution.source, before.raw_of(n), activation, scratch);
            float* g = second_gradients_.at(first).data() + static_cast<Size>(n) * r_.node_shape.image();
            // Second units are depthwise, of stride 1: nothing but the padded image is read.
            back_through_image(
                engine_.graph_.index,
                {{&unit, node_gradient(node, n), unit.raw_of(n),
                  norm_gradient(unit.norm, work[i]->edge, n, 0, scratch), sums.at(i, task % chunks_)}},
                /*x=*/nullptr, /*accumulate=*/false, g, scratch);
            const PhaseTimer timer = time(Phase::kSums);
            kernels::gradient_sums(g, before.raw_of(n), before.norm.center(),
                                   static_cast<Size>(r_.node_shape.pixels()), r_.node_shape.channels,
                                   before.norm.sum_g(n), before.norm.sum_gx(n));
          }
        });
    give_weights(units, sums);
    for (const ActiveOperation* a : work) {
      r_.units[static_cast<Size>(operation_of(*a).units[0])].norm.finish_back(1);
      give_norm(operation_of(*a).units[0]);
    }
  }

  // The first units of an edge into the node; they read the same image.
  struct EdgeUnits {
    int edge, from;
    Size begin;  // of its units among the node's
    std::vector<int> units;
  };

  // First units of the node's edges, back to the states they leave. Edges that leave one state (in a genotype
  // a node may have two) add to the same gradient: they are one task, in their order.
  void back_through_first_units(int node, const std::vector<ActiveOperation>& active) {
    std::vector<std::vector<EdgeUnits>> states;
    std::vector<int> units;
    const auto edges_from = [&](int from) -> std::vector<EdgeUnits>& {
      for (auto& edges : states) {
        if (edges.front().from == from) return edges;
      }
      return states.emplace_back();
    };
    for (const ActiveOperation& a : active) {
      if (operation_of(a).units.empty() || !wants_operation(a)) continue;
      const int from = engine_.graph_.edges[static_cast<Size>(a.edge)].from;
      std::vector<EdgeUnits>& edges = edges_from(from);
      if (edges.empty() || edges.back().edge != a.edge) edges.push_back({a.edge, from, units.size(), {}});
      edges.back().units.push_back(operation_of(a).units[0]);
      units.push_back(operation_of(a).units[0]);
    }
    WeightSums sums = weight_sums(units);
    run_tasks(static_cast<std::int64_t>(states.size()) * chunks_,
              [&](std::int64_t task, ThreadScratch& scratch) {
                for (const EdgeUnits& edge : states[static_cast<Size>(task / chunks_)])
                  back_through_chunk(node, edge, task % chunks_, sums, scratch);
              });
    give_weights(units, sums);
  }

  void back_through_chunk(int node, const EdgeUnits& edge, std::int64_t chunk, WeightSums& sums,
                          ThreadScratch& scratch) {
    const ImageRange range = chunk_of(r_.images, chunk);
    for (Size i = 0; i < edge.units.size(); ++i) sums.clear(edge.begin + i, chunk);
    for (std::int64_t n = range.begin; n < range.end; ++n)
      back_through_edge(node, edge, n, chunk, sums, scratch);
  }

  void back_through_edge(int node, const EdgeUnits& edge, std::int64_t n, std::int64_t chunk,
                         const WeightSums& sums, ThreadScratch& scratch) {
    pad(r_.units[static_cast<Size>(edge.units.front())].convolution.source, r_.state(edge.from, n),
        {.relu = true}, scratch);
    std::vector<UnitWork> work;
    for (Size i = 0; i < edge.units.size(); ++i) {
      work.push_back(
          first_unit(node, edge.edge, edge.units[i], n, i, sums.at(edge.begin + i, chunk), scratch));
    }
    float* g = wants_state(edge.from) ? state_gradient(edge.from, n) : nullptr;
    back_through_image(engine_.graph_.index, work, r_.state(edge.from, n), /*accumulate=*/true, g, scratch);
  }

  UnitWork first_unit(int node, int edge, int unit, std::int64_t n, Size table,
                      const kernels::WeightGradient& weights, ThreadScratch& scratch) {
    const UnitRecord& record = r_.units[static_cast<Size>(unit)];
    const auto second = second_gradients_.find(unit);
    if (second != second_gradients_.end()) {
      const float* g = second->second.data() + static_cast<Size>(n) * r_.node_shape.image();
      return {&record, g, record.raw_of(n), record.norm.gradient(), weights};
    }
    return {&record, node_gradient(node, n), record.raw_of(n),
            norm_gradient(record.norm, edge, n, table, scratch), weights};
  }

  void back_through_inputs() {
    const std::vector<int>& units = engine_.inputs_;
    for (const int unit : units) r_.units[static_cast<Size>(unit)].norm.begin_back();
    run_tasks(2 * chunks_, [&](std::int64_t task, ThreadScratch&) {
      const int i = static_cast<int>(task % 2);
      UnitRecord& unit = r_.units[static_cast<Size>(units[static_cast<Size>(i)])];
      const ImageRange range = chunk_of(r_.images, task / 2);
      for (std::int64_t n = range.begin; n < range.end; ++n) {
        const PhaseTimer timer = time(Phase::kSums);
        kernels::gradient_sums(state_gradient(i, n), unit.raw_of(n), unit.norm.center(),
                               unit.convolution.pixels(), r_.state_shape.channels, unit.norm.sum_g(n),
                               unit.norm.sum_gx(n));
      }
    });
    torch::Tensor gradients[2];
    for (int i = 0; i < 2; ++i) {
      r_.units[static_cast<Size>(units[static_cast<Size>(i)])].norm.finish_back(1);
      give_norm(units[static_cast<Size>(i)]);
      if (wants(static_cast<Size>(i))) {
        gradients[i] = torch::empty_like(r_.inputs[i], torch::MemoryFormat::ChannelsLast);
        gradients_[static_cast<Size>(i)] = gradients[i];
      }
    }
    WeightSums sums = weight_sums(units);
    run_tasks(2 * chunks_, [&](std::int64_t task, ThreadScratch& scratch) {
      const auto i = static_cast<Size>(task % 2);
      const UnitRecord& unit = r_.units[static_cast<Size>(units[i])];
      const ImageRange range = chunk_of(r_.images, task / 2);
      const bool wants_input = gradients[i].defined();
      sums.clear(i, task / 2);
      const Size image = r_.input_shape[i].image();
      for (std::int64_t n = range.begin; n < range.end; ++n) {
        const float* x = r_.inputs[i].data_ptr<float>() + static_cast<Size>(n) * image;
        pad(unit.convolution.source, x, {.relu = true}, scratch);
        back_through_image(
            engine_.graph_.index,
            {{&unit, state_gradient(static_cast<int>(i), n), unit.raw_of(n), unit.norm.gradient(),
              sums.at(i, task / 2)}},
            x, /*accumulate=*/false,
            wants_input ? gradients[i].data_ptr<float>() + static_cast<Size>(n) * image : nullptr, scratch);
      }
    });
    give_weights(units, sums);
  }

  CellRecord& r_;
  CellEngine& engine_;
  const torch::autograd::Node& node_;
  std::int64_t chunks_;
  bool wants_inputs_ = false, wants_values_ = false;
  torch::Tensor values_gradient_;           // [edges, columns]
  std::vector<Buffer> state_gradients_;     // by state
  float* given_gradient_ = nullptr;         // of state 0 where it is the input as it is
  std::map<int, Buffer> second_gradients_;  // by first unit: gradient of its norm's output
  torch::autograd::variable_list gradients_;
};

torch::autograd::variable_list back_through_cell(CellRecord& record, const torch::autograd::Node& node,
                                                 const torch::Tensor& output_gradient) {
  return CellBackward(record, node).run(output_gradient);
}

}  // namespace ptnas
