// Table 1 (Section 3.2): test accuracy before and after two layers of every stage, or two edges of every
// cell, have changed places.

#include "ptnas/analysis/reference_training.h"
#include "ptnas/analysis/shuffling.h"
#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/plot.h"
#include "ptnas/train/memory_format.h"

namespace ptnas {

namespace {

// The paper's numbers, percent.
struct PaperShuffle {
  const char *network, *before, *after;
};
constexpr PaperShuffle kPaperShuffles[] = {{"VGG", "92.69", "9.83 \u00b1 0.33"},
                                           {"ResNet", "93.86", "83.20 \u00b1 2.03"},
                                           {"DARTS supernet", "88.44", "81.09 \u00b1 1.87"}};

struct ShuffleScale {
  std::int64_t shuffles, images;
  int vgg_channels, resnet_channels, blocks;
};
ShuffleScale shuffle_scale(const std::string& scale) {
  if (scale == "smoke") return {3, 64, 2, 2, 3};
  if (scale == "small") return {20, 2000, 16, 8, 3};
  return {100, 0, kVggChannels, kResNetChannels, 5};
}

Json shuffle_record(const ShuffleResult& result) {
  return {{"before", result.before},
          {"mean", result.mean()},
          {"deviation", result.deviation()},
          {"after", result.after}};
}

Measurement shuffled_reference(ReferenceShape shape, const ShuffleScale& scale) {
  return [shape, scale](const MeasureContext& c) {
    const Configuration& o = c.configuration;
    const auto network = train_reference(c.run, c.dataset, shape, o.data, o.train, o.runtime);
    return shuffle_record(shuffle_layers(
        *network, c.dataset, {scale.shuffles, scale.images, static_cast<std::uint64_t>(o.runtime.seed)},
        memory_format_of(o.runtime.memory_format), torch::Device(o.runtime.device)));
  };
}

Measurement shuffled_supernet(const ShuffleScale& scale) {
  return [scale](const MeasureContext& c) {
    const Configuration& o = c.configuration;
    SupernetTrainer trainer(c.dataset, o.data, o.search, o.runtime);
    load_supernet(c.supernet.file(RunDirectory::kSupernet), trainer);
    return shuffle_record(
        shuffle_edges(trainer, {scale.shuffles, scale.images, static_cast<std::uint64_t>(o.runtime.seed)}));
  };
}

}  // namespace

Result make_table1(Study& study) {
  const std::string& data = study.request().data.front();
  const ShuffleScale scale = shuffle_scale(study.request().scale);
  std::vector<double> before[3], after[3], spread[3];
  for (const std::int64_t seed : study.seeds()) {
    const std::string supernet = supernet_of(study, kDarts, {"darts", data, seed});
    const ReferenceShape vgg{.kind = ReferenceKind::kVgg16, .channels = scale.vgg_channels},
        resnet{.kind = ReferenceKind::kResNet, .channels = scale.resnet_channels, .blocks = scale.blocks};
    const std::string measured[] = {
        study.measure(supernet, "shuffled-vgg16", {}, shuffled_reference(vgg, scale)),
        study.measure(supernet, "shuffled-resnet", {}, shuffled_reference(resnet, scale)),
        study.measure(supernet, "shuffled-edges", {}, shuffled_supernet(scale))};
    for (std::size_t i = 0; i < 3; ++i) {
      const Json found = study.measurement(measured[i]);
      if (found.is_null()) continue;
      before[i].push_back(100 * found.at("before").get<double>());
      after[i].push_back(100 * found.at("mean").get<double>());
      spread[i].push_back(100 * found.at("deviation").get<double>());
    }
  }
  ResultTable table{
      "table1",
      fmt::format("Test accuracy (%) before and after shuffling, {} shuffles a network", scale.shuffles),
      {"network", "before", "after (mean over the shuffles)", "deviation over the shuffles", "paper: before",
       "paper: after"},
      {}};
  BarPanel panel{"Test accuracy (%)", "%", {"before", "after"}, {}};
  for (std::size_t i = 0; i < 3; ++i) {
    const PaperShuffle& paper = kPaperShuffles[i];
    table.rows.push_back({text_cell(paper.network), measured_cell(before[i]), measured_cell(after[i]),
                          measured_cell(spread[i]), quoted_cell(paper.before), quoted_cell(paper.after)});
    if (before[i].empty()) continue;
    panel.groups.push_back({paper.network,
                            {mean_of(before[i]), mean_of(after[i])},
                            {deviation_of(before[i]), mean_of(spread[i])}});
  }
  Result result;
  result.tables.push_back(std::move(table));
  result.figures.push_back(
      {"table1",
       "Test accuracy before and after shuffling; bars: of the accuracy after it the deviation over the "
       "shuffles, of the one before over the seeds",
       draw_bars_svg({panel})});
  return result;
}

}  // namespace ptnas
