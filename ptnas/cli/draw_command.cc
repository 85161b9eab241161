// ptnas draw: a genotype's cells as SVG.

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/core/files.h"
#include "ptnas/report/draw.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

void add_draw_command(CommandBuilder& builder) {
  auto genotype = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  CLI::App& command =
      builder.add(builder.root(), "draw", "Draw the cells of a genotype as SVG", [genotype, out] {
        const std::string svg = draw_genotype_svg(read_genotype(*genotype));
        if (out->empty()) {
          std::fwrite(svg.data(), 1, svg.size(), stdout);
        } else {
          write_file(*out, svg);
        }
      });
  command
      .add_option("genotype", *genotype,
                  "run directory, genotype file, DARTS' Genotype(...) text or NAS-Bench-201's |op~0|+..")
      ->required();
  command.add_option("--out", *out, "SVG file; default: standard output");
}

}  // namespace ptnas
