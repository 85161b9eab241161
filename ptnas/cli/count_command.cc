// ptnas count: parameters and multiply-adds of a genotype's network.

#include <cstdio>
#include <optional>

#include "ptnas/cli/program.h"
#include "ptnas/core/json.h"
#include "ptnas/space/count.h"

namespace ptnas {

void add_count_command(CommandBuilder& builder) {
  struct Arguments {
    std::string genotype;
    NetworkShape shape;
    std::optional<int> channels, cells;  // usual for the genotype where not given
    int image_size = 32;
    std::string stem = "cifar";
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = builder.add(
      builder.root(), "count", "Parameters and multiply-adds of a genotype's network, as JSON", [arguments] {
        const Genotype genotype = read_genotype(arguments->genotype);
        const NetworkShape usual = usual_shape(genotype.family);
        NetworkShape shape = arguments->shape;
        shape.channels = arguments->channels.value_or(usual.channels);
        shape.cells = arguments->cells.value_or(usual.cells);
        shape.height = shape.width = arguments->image_size;
        shape.stem = stem_from_name(arguments->stem);
        const NetworkCost cost = count_network(genotype, shape);
        Json result;
        result["parameters"] = cost.parameters;
        result["multiply_adds"] = cost.multiply_adds;
        std::printf("%s\n", result.dump().c_str());
      });
  command
      .add_option("genotype", arguments->genotype,
                  "run directory, genotype file, DARTS' Genotype(...) text or NAS-Bench-201's |op~0|+..")
      ->required();
  command.add_option("--channels", arguments->channels,
                     "channels of the first cell; default: 36, of NAS-Bench-201 16");
  command.add_option("--cells", arguments->cells,
                     "cells; default: 20, of NAS-Bench-201 5 in each of its three stages");
  command.add_option("--classes", arguments->shape.classes, "classes")->capture_default_str();
  command.add_option("--image-channels", arguments->shape.image_channels, "channels of an image")
      ->capture_default_str();
  command.add_option("--image-size", arguments->image_size, "height and width of an image")
      ->capture_default_str();
  command.add_option("--stem", arguments->stem, "cifar, or imagenet: three convolutions of stride 2")
      ->capture_default_str();
}

}  // namespace ptnas
