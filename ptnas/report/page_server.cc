#include "ptnas/report/page_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "ptnas/core/error.h"
#include "ptnas/core/json.h"

namespace ptnas {

namespace {

// More than browsers open, within the usual limit of 1024 files, and no more than 16 MB in all.
constexpr unsigned kConnections = 480, kIdleSeconds = 5, kBytesPerConnection = 32 * 1024;

struct Address {
  sockaddr_storage storage = {};
  bool is_v6 = false, is_loopback = false, is_any = false;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address address_of(const std::string& text, int port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    const std::uint32_t number = ntohl(v4->sin_addr.s_addr);
    address.is_loopback = number >> 24 == 127;
    address.is_any = number == INADDR_ANY;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    address.is_v6 = true;
    address.is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
    address.is_any = IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) != 0;
  } else {
    fail_usage("--address must be an IP address such as 127.0.0.1 or ::1, not `{}`", text);
  }
  return address;
}

// A page of a stranger whose name leads here must not read what it gets: it would ask for its own host.
bool is_own_host(std::string_view host) {
  if (const std::size_t colon = host.rfind(':'); colon != host.npos && host.back() != ']')
    host = host.substr(0, colon);
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

std::string_view header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

PageReply refusal(int status, const char* why) {
  return {status, "text/plain; charset=utf-8", std::string(why) + "\n", ""};
}

MHD_Result send_reply(MHD_Connection* connection, PageReply reply) {
  MHD_Response* response =
      MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  const auto add = [&](const char* name, const std::string& value) {
    MHD_add_response_header(response, name, value.c_str());
  };
  if (!reply.type.empty()) add("Content-Type", reply.type);
  if (!reply.tag.empty()) add("ETag", reply.tag);
  if (reply.status == MHD_HTTP_METHOD_NOT_ALLOWED) add("Allow", "GET");
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Content-Security-Policy", "frame-ancestors 'none'");
  add("Connection", "close");
  const MHD_Result sent = MHD_queue_response(connection, static_cast<unsigned>(reply.status), response);
  MHD_destroy_response(response);
  return sent;
}

PageReply answer_or_error(const PageServer::Answer& answer, const std::string& path,
                          const std::string& known_tag) {
  std::string message;
  try {
    return answer(path, known_tag);
  } catch (const std::exception& error) {
    message = error.what();
  }
  const Json json = {{"error", message}};
  return {MHD_HTTP_INTERNAL_SERVER_ERROR, "application/json",
          json.dump(-1, ' ', true, Json::error_handler_t::replace), ""};
}

}  // namespace

struct PageServer::State {
  Answer answer;
  Address address;
  std::string text;
  MHD_Daemon* daemon = nullptr;

  static MHD_Result handle(void* self, MHD_Connection* connection, const char* url, const char* method,
                           const char*, const char*, std::size_t*, void**) {
    return send_reply(connection, static_cast<const State*>(self)->reply_to(connection, url, method));
  }
  // Paths stay as they were sent: %00 would end them early.
  static std::size_t keep_escapes(void*, MHD_Connection*, char* text) { return std::strlen(text); }
  PageReply reply_to(MHD_Connection* connection, const char* url, const char* method) const {
    if (std::strcmp(method, "GET") != 0)
      return refusal(MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is answered here");
    if (address.is_loopback && !is_own_host(header(connection, "Host")))
      return refusal(MHD_HTTP_FORBIDDEN, "this server answers to its own address only");
    return answer_or_error(answer, url, std::string(header(connection, "If-None-Match")));
  }
};

PageServer::PageServer(const std::string& address, int port, Answer answer)
    : state_(std::make_unique<State>()) {
  state_->answer = std::move(answer);
  state_->address = address_of(address, port);
  state_->text = address;
  unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;
  if (state_->address.is_v6) flags |= MHD_USE_IPv6;
  errno = 0;
  state_->daemon =
      MHD_start_daemon(flags, static_cast<std::uint16_t>(port), nullptr, nullptr, &State::handle,
                       state_.get(), MHD_OPTION_SOCK_ADDR, state_->address.get(), MHD_OPTION_CONNECTION_LIMIT,
                       kConnections, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
                       MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<std::size_t>(kBytesPerConnection),
                       MHD_OPTION_UNESCAPE_CALLBACK, &State::keep_escapes, nullptr, MHD_OPTION_END);
  if (state_->daemon == nullptr) {
    fail("cannot listen on {} port {} ({}); choose another --port, or leave it out for any free one", address,
         port, errno == 0 ? "refused" : std::strerror(errno));
  }
}

PageServer::~PageServer() {
  if (state_->daemon != nullptr) MHD_stop_daemon(state_->daemon);
}

std::string PageServer::url() const {
  const MHD_DaemonInfo* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_BIND_PORT);
  const Address& address = state_->address;
  const std::string host = address.is_any  ? (address.is_v6 ? "[::1]" : "127.0.0.1")
                           : address.is_v6 ? "[" + state_->text + "]"
                                           : state_->text;
  return fmt::format("http://{}:{}/", host, info == nullptr ? 0 : static_cast<int>(info->port));
}

bool PageServer::is_loopback() const { return state_->address.is_loopback; }

}  // namespace ptnas
