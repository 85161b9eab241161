// ptnas watch: a page that follows a run.

#include <unistd.h>

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/report/page_server.h"
#include "ptnas/report/run_watcher.h"

namespace ptnas {

namespace {

struct WatchFlags {
  std::string run, address = "127.0.0.1";
  int port = 0;
};

void watch(const WatchFlags& flags) {
  if (flags.port < 0 || flags.port > 65535)
    fail_usage("--port must be 0 (any free one) to 65535, not {}", flags.port);
  RunWatcher watcher(flags.run);
  const PageServer server(flags.address, flags.port,
                          [&watcher](const std::string& path, const std::string& known_tag) {
                            return watcher.reply(path, known_tag);
                          });
  defer_interrupts();
  if (!server.is_loopback()) log_warning("whoever reaches this machine at that port can read the run");
  std::printf("%s\n", server.url().c_str());
  if (std::fflush(stdout) != 0) fail("cannot write the address to standard output");
  log_info("following {}; open the address in a browser, Ctrl-C ends", flags.run);
  while (!interrupt_requested()) usleep(50'000);
}

}  // namespace

void add_watch_command(CommandBuilder& builder) {
  auto flags = std::make_shared<WatchFlags>();
  CLI::App& command = builder.add(builder.root(), "watch", "Serve a page that follows a run while it goes on",
                                  [flags] { watch(*flags); });
  command.add_option("run", flags->run, "run directory")->required()->type_name("DIR");
  command.add_option("--port", flags->port, "port to listen on; 0: any free one")->capture_default_str();
  command
      .add_option("--address", flags->address, "IP address to listen on; 0.0.0.0: every one of this machine")
      ->capture_default_str();
}

}  // namespace ptnas
