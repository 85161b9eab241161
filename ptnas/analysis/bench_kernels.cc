#include "ptnas/analysis/bench_kernels.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <functional>
#include <string>

#include "ptnas/core/random.h"
#include "ptnas/kernels/convolution.h"
#include "ptnas/kernels/norm.h"
#include "ptnas/kernels/peak.h"
#include "ptnas/kernels/pool.h"
#include "ptnas/kernels/vector_target.h"

namespace ptnas {

namespace {

using kernels::Convolution;
using kernels::Floats;

void fill(Floats& floats, std::size_t size, RandomStream& stream) {
  floats.resize(size);
  for (std::size_t i = 0; i < size; ++i) floats.data()[i] = static_cast<float>(stream.uniform(-1, 1));
}

// A kernel on one image: made once, run many times.
struct Case {
  std::string name;
  int channels, size;
  double operations;  // floating-point, two a multiply-add
  std::function<void()> run;
};

// Everything that a convolution's way there and back needs.
struct ConvolutionSetting {
  Convolution convolution;
  kernels::PackedWeights weights;
  kernels::Padded source;
  Floats raw, g, tables, dx, gradient;
  kernels::ConvolutionScratch scratch;

  explicit ConvolutionSetting(const Convolution& c) : convolution(c) {
    RandomStream stream(1, Purpose::kInitialisation, 0);
    const auto in = static_cast<std::size_t>(c.source.channels),
               out = static_cast<std::size_t>(c.out_channels);
    Floats values;
    fill(values, in * std::max(out, c.taps.size()), stream);
    weights.shape(c);
    if (c.depthwise) weights.pack_depthwise(c, values.data());
    for (int m = 0; m < c.matrices(); ++m) weights.pack_matrix(c, m, values.data(), 0, c.out_channels, in, 1);
    source.shape(c.source);
    Floats image;
    fill(image, in * static_cast<std::size_t>(c.source.height * c.source.width), stream);
    kernels::pad_image(source, image.data(), {.relu = true});
    fill(raw, c.pixels() * out, stream);
    fill(g, c.pixels() * out, stream);
    fill(tables, 3 * kernels::period_of(c.out_channels), stream);
    dx.resize(c.source.size);
    gradient.resize(c.matrix_size() + c.depthwise_size());
  }
  double operations() const {
    const double in = convolution.source.channels, out = convolution.out_channels;
    const double taps = static_cast<double>(convolution.taps.size());
    return 2 * static_cast<double>(convolution.pixels()) *
           (convolution.depthwise ? in * (taps + out) : in * out * taps);
  }
  void forward() { kernels::convolve(convolution, weights, source, raw.data(), {nullptr, nullptr}, scratch); }
  void backward() {
    const std::size_t period = kernels::period_of(convolution.out_channels);
    kernels::convolve_back(
        convolution, weights, &source, g.data(), raw.data(),
        {tables.data(), tables.data() + period, tables.data() + 2 * period}, dx.data(),
        /*accumulate=*/false,
        {convolution.depthwise ? gradient.data() + convolution.matrix_size() : nullptr, gradient.data()},
        scratch);
  }
};

void add_convolution(std::vector<Case>& cases, const std::string& name, const Convolution& c) {
  auto setting = std::make_shared<ConvolutionSetting>(c);
  const int channels = c.source.channels, size = c.source.height;
  cases.push_back(
      {name + ", forward", channels, size, setting->operations(), [setting] { setting->forward(); }});
  // The way back: two products of the same size, and for a separable one its depthwise part once more.
  const double again =
      c.depthwise ? 2.0 * static_cast<double>(c.pixels() * c.taps.size()) * c.source.channels : 0;
  cases.push_back({name + ", backward", channels, size, 2 * setting->operations() + again,
                   [setting] { setting->backward(); }});
}

std::vector<Case> make_cases() {
  std::vector<Case> cases;
  constexpr int kHalo = 4;
  for (const auto& [channels, size] : {std::pair{16, 32}, {32, 16}, {64, 8}}) {
    const kernels::PaddedLayout source(channels, size, size, 1, kHalo);
    add_convolution(cases, "separable 3x3", kernels::separable_convolution(source, 3, 1));
    add_convolution(cases, "separable 5x5", kernels::separable_convolution(source, 5, 1));
    add_convolution(cases, "dilated 3x3", kernels::separable_convolution(source, 3, 2));
    add_convolution(cases, "dilated 5x5", kernels::separable_convolution(source, 5, 2));
    add_convolution(cases, "dense 1x1",
                    kernels::dense_convolution({4 * channels, size, size, 1, 0}, channels, 1));
    add_convolution(cases, "dense 3x3",
                    kernels::dense_convolution({channels, size, size, 1, 2}, channels, 3));
  }
  return cases;
}

class Collector final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration)
        seconds.push_back(run.real_accumulated_time / static_cast<double>(run.iterations));
    }
  }
  std::vector<double> seconds;
};

// Median seconds a call.
double best_time_of(const std::function<void()>& run) {
  benchmark::ClearRegisteredBenchmarks();
  benchmark::RegisterBenchmark("kernel",
                               [&run](benchmark::State& state) {
                                 for (auto unused : state) {
                                   (void)unused;
                                   run();
                                 }
                               })
      ->MinTime(0.03)
      ->Repetitions(5);
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  std::sort(collector.seconds.begin(), collector.seconds.end());
  return collector.seconds.at(collector.seconds.size() / 2);
}

}  // namespace

Json bench_kernels() {
  constexpr std::size_t kRounds = 100000;
  float sink = 0;
  double operations = 0;
  const double peak_seconds = best_time_of([&] {
    operations = kernels::multiply_add_peak(kRounds, &sink);
    benchmark::DoNotOptimize(sink);
  });
  const double peak = operations / peak_seconds;
  Json result = Json::object();
  result["vector_target"] = kernels::vector_target();
  result["peak_gflops"] = peak / 1e9;
  result["kernels"] = Json::array();
  for (const Case& c : make_cases()) {
    const double seconds = best_time_of(c.run);
    Json row = Json::object();
    row["name"] = c.name;
    row["channels"] = c.channels;
    row["size"] = c.size;
    row["microseconds"] = 1e6 * seconds;
    row["gflops"] = c.operations / seconds / 1e9;
    row["share_of_peak"] = c.operations / seconds / peak;
    result["kernels"].push_back(std::move(row));
  }
  return result;
}

}  // namespace ptnas
