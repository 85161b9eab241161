#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ptnas {

/// What a server says to a request.
struct PageReply {
  int status = 200;
  std::string type;  ///< media type
  std::string body;
  std::string tag;  ///< ETag, quoted; empty: none
};

/// Answers GET requests by HTTP, from a thread of its own, until it is destroyed. It hands out what `answer`
/// makes and no files. Requests with another method, a body, an overlong line or header, or, on a loopback
/// address, for another host's name are refused; connections and their memory and idle time are limited.
class PageServer {
 public:
  /// `answer` gets the path as it was sent, without its query, and the If-None-Match of the request (may be
  /// empty). It is called by one thread at a time; what it throws is answered with status 500 and the message
  /// as JSON {error}.
  using Answer = std::function<PageReply(const std::string& path, const std::string& known_tag)>;

  /// Listens on `address` (a numeric IPv4 or IPv6 address), port 0: any free one. Throws Error(kUsage) for an
  /// address that is none, Error where it cannot listen.
  PageServer(const std::string& address, int port, Answer answer);
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  /// Where a browser on this machine finds it: http://ADDRESS:PORT/.
  std::string url() const;
  /// Whether other machines may reach it.
  bool is_loopback() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ptnas
