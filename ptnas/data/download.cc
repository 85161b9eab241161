#include "ptnas/data/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/data/transfer_progress.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr int kTriesWithoutProgress = 4, kTries = 100;
constexpr long kConnectSeconds = 30, kStalledSeconds = 30, kRedirects = 10;

// What the server says that tells one state of the file from another.
struct Validator {
  std::string url, text;  // text: a strong ETag, else Last-Modified; may be empty
};

fs::path validator_file(const fs::path& part) { return part.string() + ".from"; }

Validator read_validator(const fs::path& part) {
  if (!fs::exists(validator_file(part))) return {};
  const std::string text = read_file(validator_file(part));
  const std::size_t line = text.find('\n');
  return line == text.npos ? Validator{} : Validator{text.substr(0, line), text.substr(line + 1)};
}

void start_anew(const fs::path& part) {
  fs::remove(part);
  fs::remove(validator_file(part));
}

// One request and what came of it.
struct Attempt {
  const Download& what;
  int file = -1;
  std::uint64_t start = 0, received = 0;
  std::string etag, modified;
  bool too_long = false, cannot_write = false;
  TransferProgress progress;

  ~Attempt() {
    if (file >= 0) ::close(file);
  }
};

// What a later attempt has to ask for. No exception may pass through libcurl.
bool keep_validator(Attempt& attempt) {
  if (attempt.start > 0 || attempt.received > 0) return true;
  const std::string& text =
      attempt.etag.empty() || attempt.etag.starts_with("W/") ? attempt.modified : attempt.etag;
  try {
    write_file(validator_file(attempt.what.part), attempt.what.url + "\n" + text);
  } catch (const std::exception&) {
    attempt.cannot_write = true;
  }
  return !attempt.cannot_write;
}

std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& attempt = *static_cast<Attempt*>(self);
  attempt.too_long = attempt.start + attempt.received + count > attempt.what.most_bytes;
  if (attempt.too_long || !keep_validator(attempt)) return 0;
  for (std::size_t done = 0; done < count;) {
    const ssize_t written = ::write(attempt.file, bytes + done, count - done);
    if (written < 0 && errno == EINTR) continue;
    attempt.cannot_write = written <= 0;
    if (attempt.cannot_write) return 0;
    done += static_cast<std::size_t>(written);
  }
  attempt.received += count;
  return count;
}

// The headers of the last answer: those of a redirection are forgotten with the next status line.
std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& attempt = *static_cast<Attempt*>(self);
  const std::string line(bytes, count);
  std::string lower = line;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto value = [&line](std::size_t skip) {
    const std::size_t from = line.find_first_not_of(" \t", skip), to = line.find_last_not_of(" \t\r\n");
    return from == line.npos || to < from ? std::string() : line.substr(from, to - from + 1);
  };
  if (lower.starts_with("http/")) attempt.etag = attempt.modified = "";
  if (lower.starts_with("etag:")) attempt.etag = value(5);
  if (lower.starts_with("last-modified:")) attempt.modified = value(14);
  return count;
}

int take_progress(void* self, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  auto& attempt = *static_cast<Attempt*>(self);
  attempt.progress.update(attempt.start + static_cast<std::uint64_t>(now),
                          total > 0 ? attempt.start + static_cast<std::uint64_t>(total) : 0);
  return interrupt_requested() ? 1 : 0;
}

void set_options(CURL* curl, Attempt& attempt, char* error) {
  curl_easy_setopt(curl, CURLOPT_URL, attempt.what.url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kRedirects);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "ptnas/" PTNAS_VERSION);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, take_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(attempt.start));
}

bool is_transient(CURLcode code, long status) {
  if (code == CURLE_HTTP_RETURNED_ERROR) return status >= 500 || status == 408 || status == 429;
  return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
         code == CURLE_GOT_NOTHING || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_COULDNT_CONNECT ||
         code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;
}

struct Outcome {
  bool done = false, again = false, anew = false;
  std::string why = {};
};

Outcome outcome_of(const Attempt& attempt, CURLcode code, long status, const char* error) {
  if (code == CURLE_OK && status != 416) return {.done = true};
  // The server will not, or can not, go on where the last transfer ended: the file is another one now, or
  // shorter.
  if (attempt.start > 0 && (code == CURLE_RANGE_ERROR || status == 416)) return {.again = true, .anew = true};
  if (attempt.cannot_write)
    fail("cannot write {}: {}; free some space, the same command goes on", attempt.what.part.string(),
         std::strerror(errno));
  if (attempt.too_long)
    fail("{}: expected at most {} bytes, found more; it is not the file that was meant", attempt.what.url,
         attempt.what.most_bytes);
  return {.again = is_transient(code, status), .why = *error != '\0' ? error : curl_easy_strerror(code)};
}

Outcome try_once(const Download& what) {
  const Validator known = read_validator(what.part);
  if (known.url != what.url || known.text.empty()) start_anew(what.part);
  Attempt attempt{what,  -1,    file_size_or_zero(what.part), 0, "", "",
                  false, false, TransferProgress(what.label)};
  attempt.file = ::open(what.part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (attempt.file < 0) fail("cannot write {}: {}", what.part.string(), std::strerror(errno));
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) fail("libcurl cannot start");
  char error[CURL_ERROR_SIZE] = "";
  set_options(curl.get(), attempt, error);
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(nullptr, curl_slist_free_all);
  if (attempt.start > 0) {
    headers.reset(curl_slist_append(nullptr, ("If-Range: " + known.text).c_str()));
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  }
  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (interrupt_requested())
    throw Interrupted("interrupted; the same command goes on where the download stopped");
  return outcome_of(attempt, code, status, error);
}

// Waits a while, at least until the next signal.
void wait_before(int failures) {
  for (int i = 0; i < (5 << std::min(failures, 5)) && !interrupt_requested(); ++i) usleep(100'000);
}

}  // namespace

void download(const Download& what) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) fail("libcurl cannot start: {}", curl_easy_strerror(ready));
  for (int tries = 1, failures = 0;; ++tries) {
    const std::uint64_t before = file_size_or_zero(what.part);
    const Outcome outcome = try_once(what);
    if (outcome.done) break;
    if (outcome.anew) start_anew(what.part);
    failures = file_size_or_zero(what.part) > before ? 0 : failures + 1;
    if (!outcome.again || failures >= kTriesWithoutProgress || tries >= kTries)
      fail("cannot fetch {}: {}; the same command goes on where it stopped, --from names another place",
           what.url, outcome.why.empty() ? "the server does not give the file in parts" : outcome.why);
    log_info("{}: {}; trying again", what.label,
             outcome.anew ? "another file than before, starting anew" : outcome.why);
    if (!outcome.anew) wait_before(failures);
  }
  fs::remove(validator_file(what.part));
}

}  // namespace ptnas
