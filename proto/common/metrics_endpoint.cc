#include "proto/common/metrics_endpoint.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "proto/common/status_macros.h"
#include "proto/common/unix_socket.h"

namespace sasld {
namespace {

constexpr int kBacklog = 16;
constexpr unsigned kMaxConnections = 16;
constexpr unsigned kMaxConnectionsOfOneAddress = 8;
constexpr unsigned kSilenceSeconds = 5;
// A request of Prometheus has some hundred bytes.
constexpr size_t kConnectionBytes = size_t{16} * 1024;
// Whatever else this process does goes before.
constexpr int kNiceness = 19;
// Whoever may enter its folder may read it, as he could on a loopback address.
constexpr mode_t kUnixMode = 0666;

// For either kind of address.
struct IpSocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

IpSocketAddress SocketAddressOf(const MetricsAddress& address) {
  IpSocketAddress result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  if (inet_pton(AF_INET, address.ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    result.size = sizeof(*v4);
    return result;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  inet_pton(AF_INET6, address.ip.c_str(), &v6->sin6_addr);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(address.port);
  result.size = sizeof(*v6);
  return result;
}

// "[::]" is all addresses, of both kinds; where the kernel has no IPv6, of the other.
absl::StatusOr<int> ListenTcp(const MetricsAddress& address) {
  const IpSocketAddress where = SocketAddressOf(address);
  const int family = where.storage.ss_family;
  const int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0 && errno == EAFNOSUPPORT && address.ip == "::") {
    return ListenTcp({address.text, "", "0.0.0.0", address.port});
  }
  const int on = 1;
  const int off = 0;
  if (descriptor >= 0 && setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      (family != AF_INET6 ||
       setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
      bind(descriptor, reinterpret_cast<const sockaddr*>(&where.storage), where.size) == 0 &&
      listen(descriptor, kBacklog) == 0) {
    return descriptor;
  }
  const std::string why = std::strerror(errno);
  if (descriptor >= 0) close(descriptor);
  return absl::UnavailableError(
      "cannot listen at " + address.text + ": " + why +
      "; is the port in use (ss -ltnp), and is the address one of this machine's?");
}

absl::StatusOr<int> Listen(const MetricsAddress& address) {
  if (address.unix_path.empty()) return ListenTcp(address);
  return ListenUnix({address.unix_path, kUnixMode, "", ""}, kBacklog);
}

MHD_Result Reply(MHD_Connection* connection, unsigned status, std::string_view type,
                 std::string_view body) {
  // It takes a copy; the type lacks a const.
  MHD_Response* response = MHD_create_response_from_buffer(
      body.size(), const_cast<char*>(body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, std::string(type).c_str());
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_GET);
  }
  const MHD_Result queued = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return queued;
}

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";

// Called once the head of a request is there, before any body: that is never read.
MHD_Result Answer(void* text, MHD_Connection* connection, const char* path, const char* method,
                  const char*, const char*, size_t*, void**) {
  if (std::string_view(path) != "/metrics") {
    return Reply(connection, MHD_HTTP_NOT_FOUND, kPlain, "The metrics are at /metrics.\n");
  }
  if (std::string_view(method) != MHD_HTTP_METHOD_GET) {
    return Reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, kPlain, "Only GET is served here.\n");
  }
  return Reply(connection, MHD_HTTP_OK, kExposition,
               (*static_cast<MetricsEndpoint::Text*>(text))());
}

// On the daemon's thread.
MHD_Result YieldToOthers(void*, const sockaddr*, socklen_t) {
  // Linux keeps niceness for each thread; failing to lower it harms nobody.
  setpriority(PRIO_PROCESS, 0, kNiceness);
  return MHD_YES;
}

}  // namespace

struct MetricsEndpoint::Daemon {
  explicit Daemon(MHD_Daemon* started) : handle(started) {}
  ~Daemon() { MHD_stop_daemon(handle); }  // closes the listening socket too
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  MHD_Daemon* const handle;
};

MetricsEndpoint::MetricsEndpoint(MetricsAddress address, Text text)
    : address_(std::move(address)), text_(std::move(text)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

absl::Status MetricsEndpoint::Open() {
  if (address_.off() || daemon_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int descriptor, Listen(address_));
  // poll(2), as descriptors may be too many for select(2).
  MHD_Daemon* started =
      MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, 0, YieldToOthers, nullptr, Answer, &text_,
                       MHD_OPTION_LISTEN_SOCKET, descriptor, MHD_OPTION_CONNECTION_LIMIT,
                       kMaxConnections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                       kMaxConnectionsOfOneAddress, MHD_OPTION_CONNECTION_TIMEOUT, kSilenceSeconds,
                       MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes, MHD_OPTION_END);
  if (started == nullptr) {
    // The descriptor is the library's, which closes it on most such ways.
    return absl::UnavailableError("cannot listen at " + address_.text +
                                  ": no thread could be started; raise the limit of processes");
  }
  daemon_ = std::make_unique<Daemon>(started);
  return absl::OkStatus();
}

void MetricsEndpoint::OpenOrTell(bool again, spdlog::logger& log) {
  if (address_.off() || daemon_) return;
  const absl::Status opened = Open();
  if (opened.ok()) {
    log.info("metrics are served at {}", address_.text);
  } else if (!again) {
    log.error("metrics: {}. Trying again; logins go on without", std::string(opened.message()));
  }
}

bool MetricsEndpoint::is_open() const { return daemon_ != nullptr; }

void MetricsEndpoint::Close() { daemon_.reset(); }

}  // namespace sasld
