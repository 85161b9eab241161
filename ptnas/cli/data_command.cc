// ptnas data show: what is in a data set.

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/data/contact_sheet.h"
#include "ptnas/data/dataset.h"

namespace ptnas {

namespace {

void print_description(const Json& d) {
  const auto number = [](const Json& value) { return static_cast<long long>(value.get<std::int64_t>()); };
  std::printf("%s: %zu classes, %lldx%lldx%lld, %lld training and %lld test images\n",
              d.at("name").get<std::string>().c_str(), d.at("classes").size(), number(d.at("channels")),
              number(d.at("height")), number(d.at("width")), number(d.at("train")), number(d.at("test")));
  for (std::size_t c = 0; c < d.at("mean").size(); ++c) {
    std::printf("channel %zu: mean %.4f, deviation %.4f%s\n", c, d["mean"][c].get<double>(),
                d["deviation"][c].get<double>(), d.at("measured").get<bool>() ? " (measured)" : "");
  }
  std::printf("\n%-24s %10s %10s\n", "class", "training", "test");
  for (std::size_t c = 0; c < d["classes"].size(); ++c) {
    std::printf("%-24s %10lld %10lld\n", d["classes"][c].get<std::string>().c_str(),
                number(d["train_counts"][c]), number(d["test_counts"][c]));
  }
  if (d.contains("left_out")) {
    for (const Json& file : d["left_out"]) std::printf("left out: %s\n", file.dump().c_str());
  }
}

}  // namespace

void add_data_command(CommandBuilder& builder) {
  CLI::App& data = builder.add(builder.root(), "data", "Look at data sets", nullptr);
  data.require_subcommand(1);
  auto flags = std::make_shared<Flags>();
  auto per_class = std::make_shared<int>(8);
  CLI::App& show = builder.add(
      data, "show", "Classes, sizes and counts of a data set; with --out a contact sheet",
      [flags, per_class] {
        const Configuration configuration = resolve_configuration({{"command line", flags->values}});
        const std::unique_ptr<Dataset> dataset = open_dataset(configuration.data);
        if (!flags->out.empty()) write_contact_sheet(*dataset, flags->out, *per_class);
        const Json description = dataset->describe();
        if (flags->json) {
          std::printf("%s\n", description.dump(2).c_str());
        } else {
          print_description(description);
        }
      });
  show.add_flag("--json", flags->json, "print JSON");
  show.add_option("--out", flags->out, "contact sheet: a PNG file to write");
  show.add_option("--per-class", *per_class, "images of each class on the contact sheet")
      ->capture_default_str();
  add_option_flags(show, *flags, kDataPart);
}

}  // namespace ptnas
