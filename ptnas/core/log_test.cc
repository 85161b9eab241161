#include "ptnas/core/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace ptnas {
namespace {

using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

TEST(LogTest, LinesGoToStandardErrorAndQuietKeepsWarnings) {
  CaptureStderr();
  log_info("{} of {}", 1, 2);
  set_quiet(true);
  log_line("not seen");
  log_warning("seen");
  set_quiet(false);
  log_line("100 % {}");
  EXPECT_EQ(GetCapturedStderr(), "1 of 2\nwarning: seen\n100 % {}\n");
}

TEST(LogTest, LinesOfSeveralThreadsStayWhole) {
  CaptureStderr();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; ++i) log_line(std::string(100, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(GetCapturedStderr());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_EQ(line, std::string(100, 'x'));
  EXPECT_EQ(count, 200);
}

TEST(LogTest, ProgressIsSilentInAPipeAtFirst) {
  CaptureStderr();
  {
    Progress progress("search, epoch 1", 10);
    for (int step = 1; step <= 10; ++step) progress.update(step, 2.3, 0.1, step * 64);
  }
  EXPECT_EQ(GetCapturedStderr(), "");
}

// Standard error is a terminal of `columns` while the object lives.
class Terminal {
 public:
  explicit Terminal(unsigned short columns)
      : master_(::posix_openpt(O_RDWR | O_NOCTTY)), before_(::dup(STDERR_FILENO)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return;
    slave_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    if (slave_ < 0) return;
    winsize size = {};
    size.ws_col = columns;
    ::ioctl(slave_, TIOCSWINSZ, &size);
    ::dup2(slave_, STDERR_FILENO);
  }
  ~Terminal() {
    ::dup2(before_, STDERR_FILENO);
    for (const int fd : {master_, slave_, before_}) ::close(fd);
  }
  bool works() const { return slave_ >= 0; }
  std::string output() const {
    char text[4096];
    const ssize_t size = ::read(master_, text, sizeof text);
    return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

 private:
  int master_, before_, slave_ = -1;
};

TEST(LogTest, ProgressOnATerminalIsABarThatFitsInItsLine) {
  for (const unsigned short columns : {200, 40}) {
    const Terminal terminal(columns);
    if (!terminal.works()) GTEST_SKIP() << "no pseudo-terminals here";
    {
      Progress progress("search, epoch 1", 10);
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      progress.update(5, 2.25, 0.125, 320);
      log_line("a line");
    }
    const std::string output = terminal.output();
    const std::string bar = output.substr(1, output.find('\r', 1) - 1);
    EXPECT_EQ(output.front(), '\r');
    EXPECT_TRUE(bar.starts_with("search, epoch 1 [##########-")) << bar;
    EXPECT_LT(bar.size(), columns);
    if (columns == 200) {
      EXPECT_NE(bar.find("loss 2.250, accuracy 12.5 %"), bar.npos) << bar;
      EXPECT_NE(bar.find("images/s"), bar.npos) << bar;
      EXPECT_TRUE(bar.ends_with(" left")) << bar;
    }
    EXPECT_TRUE(output.ends_with("\r" + std::string(bar.size(), ' ') + "\ra line\r\n")) << output;
  }
}

TEST(LogTest, DurationsReadWell) {
  EXPECT_EQ(format_duration(0), "0.0 s");
  EXPECT_EQ(format_duration(4.21), "4.2 s");
  EXPECT_EQ(format_duration(59.97), "1 min 00 s");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(3599.7), "1 h 00 min");
  EXPECT_EQ(format_duration(3720), "1 h 02 min");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(0.0 / 0.0), "?");
}

}  // namespace
}  // namespace ptnas
