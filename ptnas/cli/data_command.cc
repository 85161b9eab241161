// ptnas data show: what is in a data set; ptnas data fetch: lays one down.

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/data/contact_sheet.h"
#include "ptnas/data/dataset.h"
#include "ptnas/data/fetch.h"

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

struct FetchFlags {
  std::string name, out;
  FetchRequest request;
  bool list = false, json = false;
};

std::string size_text(const FetchSet& set) {
  std::uint64_t bytes = 0;
  for (const FetchFile& file : set.files) bytes += file.bytes;
  return bytes == 0 ? "size not known" : fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
}

void list_sets(bool as_json) {
  Json all = Json::array();
  for (const FetchSet& set : fetch_table()) {
    all.push_back(describe(set));
    if (as_json) continue;
    std::printf("%-15s %s; %s\n%15s terms: %s\n%15s checked against: %s\n", set.name.c_str(),
                size_text(set).c_str(), set.homepage.c_str(), "", set.terms.c_str(), "", set.sums.c_str());
    if (!set.by_hand.empty()) std::printf("%15s by hand: %s; then --from FILE\n", "", set.by_hand.c_str());
  }
  if (as_json) std::printf("%s\n", all.dump(2).c_str());
}

// Standard output has what --data (of a table: --table) takes, so that a shell can put it there.
void fetch_set(const FetchFlags& flags) {
  if (flags.list) {
    list_sets(flags.json);
    return;
  }
  if (flags.name.empty()) fail_usage("expected the name of a data set; --list says which there are");
  const FetchSet& set = find_fetch_set(flags.name);
  log_info("{}: {}", set.name, set.homepage);
  log_info("terms: {}", set.terms);
  defer_interrupts();
  FetchRequest request = flags.request;
  request.out = flags.out;
  const std::filesystem::path folder = fetch(set, request);
  const std::string use = set.use + folder.string();
  if (flags.json) {
    std::printf("%s\n", Json{{"use", use}, {"folder", folder.string()}}.dump(2).c_str());
  } else {
    std::printf("%s\n", use.c_str());
  }
}

void add_fetch_command(CommandBuilder& builder, CLI::App& data) {
  auto flags = std::make_shared<FetchFlags>();
  CLI::App& fetch = builder.add(data, "fetch", "Download a data set, check it, and print what --data takes",
                                [flags] { fetch_set(*flags); });
  fetch.add_option("name", flags->name, "which one; --list says which there are");
  fetch
      .add_option("--from", flags->request.from,
                  "take it from here: an address that ends in `/`, a folder, or each file in order (again "
                  "for the next)")
      ->type_name("PATH")
      ->allow_extra_args(false);
  fetch.add_option("--out", flags->out, "folder to make; default: ptnas/NAME in the user's cache")
      ->type_name("DIR");
  fetch.add_option("--sha256", flags->request.sha256, "the sum a file must have for which none is known")
      ->type_name("SUM");
  fetch.add_flag("--list", flags->list, "sources, terms and sizes of all that can be fetched");
  fetch.add_flag("--json", flags->json, "print JSON");
}

}  // namespace

void add_data_command(CommandBuilder& builder) {
  CLI::App& data = builder.add(builder.root(), "data", "Look at data sets, and fetch them", nullptr);
  data.require_subcommand(1);
  add_fetch_command(builder, data);
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
