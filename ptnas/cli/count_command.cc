// ptnas count: parameters and multiply-adds of a genotype's network.

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/core/json.h"
#include "ptnas/space/count.h"

namespace ptnas {

void add_count_command(CommandBuilder& builder) {
  struct Arguments {
    std::string genotype;
    NetworkShape shape;
    int image_size = 32;
    std::string stem = "cifar";
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = builder.add(
      builder.root(), "count", "Parameters and multiply-adds of a genotype's network, as JSON", [arguments] {
        NetworkShape shape = arguments->shape;
        shape.height = shape.width = arguments->image_size;
        shape.stem = stem_from_name(arguments->stem);
        const NetworkCost cost = count_network(read_genotype(arguments->genotype), shape);
        Json result;
        result["parameters"] = cost.parameters;
        result["multiply_adds"] = cost.multiply_adds;
        std::printf("%s\n", result.dump().c_str());
      });
  command
      .add_option("genotype", arguments->genotype,
                  "run directory, genotype file or DARTS' Genotype(...) text")
      ->required();
  command.add_option("--channels", arguments->shape.channels, "channels of the first cell")
      ->capture_default_str();
  command.add_option("--cells", arguments->shape.cells, "cells")->capture_default_str();
  command.add_option("--classes", arguments->shape.classes, "classes")->capture_default_str();
  command.add_option("--image-channels", arguments->shape.image_channels, "channels of an image")
      ->capture_default_str();
  command.add_option("--image-size", arguments->image_size, "height and width of an image")
      ->capture_default_str();
  command.add_option("--stem", arguments->stem, "cifar, or imagenet: three convolutions of stride 2")
      ->capture_default_str();
}

}  // namespace ptnas
