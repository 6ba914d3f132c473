#include "client/adapter/dovecot_child.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "client/adapter/tab_fields.h"
#include "proto/common/status_macros.h"
#include "spdlog/pattern_formatter.h"

namespace sasld {
namespace {

constexpr int kStatusDescriptor = 5;
// The first listening socket follows descriptors of Dovecot's own, of which newer versions have
// more: 7 in 2.3, 8 in 2.4.0, 9 since 2.4.2. What comes before it does not listen.
constexpr int kFirstSocketAtLeast = 7;
constexpr int kFirstSocketAtMost = 16;
constexpr uint32_t kMostSockets = 100;

bool Listens(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

absl::StatusOr<uint32_t> NumberIn(const Environment& environment, const char* name) {
  const char* value = environment(name);
  std::string_view digits = value != nullptr ? value : "";
  uint32_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return absl::FailedPreconditionError("Dovecot's master gave no number in " + std::string(name) +
                                         "; sasld-adapter knows Dovecot 2.3 and 2.4");
  }
  return number;
}

struct SocketType {
  std::string_view word;
  std::string_view protocol;
};

// Of 2.4's "type=".
constexpr std::array<SocketType, 7> kTypes{{
    {"auth", "dovecot-auth"},
    {"auth-legacy", "dovecot-auth"},
    {"login", "dovecot-login"},
    {"master", "dovecot-master"},
    {"userdb", "dovecot-userdb"},
    {"token", ""},
    {"token-login", ""},
}};

// Of the last part of the name, after its last '-'; all others are for mail servers.
constexpr std::array<SocketType, 5> kSuffixes{{
    {"login", "dovecot-login"},
    {"master", "dovecot-master"},
    {"userdb", "dovecot-userdb"},
    {"token", ""},
    {"tokenlogin", ""},
}};

class DovecotLogType final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& line) override {
    // Dovecot counts its types as spdlog its levels, with the lowest at 1.
    line.push_back(static_cast<char>(std::max(1, static_cast<int>(message.level))));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<DovecotLogType>();
  }
};

}  // namespace

const Protocol* ProtocolOfDovecotSocket(std::string_view path, std::string_view settings) {
  constexpr std::string_view kType = "type=";
  TabFields fields(settings);
  fields.Next();  // the name
  while (std::optional<std::string_view> field = fields.Next()) {
    if (field->substr(0, kType.size()) != kType) continue;
    for (const SocketType& type : kTypes) {
      if (type.word == field->substr(kType.size())) return FindProtocol(type.protocol);
    }
  }
  std::string_view name = path.substr(path.rfind('/') + 1);
  std::string_view suffix = name.substr(name.rfind('-') + 1);
  for (const SocketType& type : kSuffixes) {
    if (type.word == suffix) return FindProtocol(type.protocol);
  }
  return FindProtocol("dovecot-auth");
}

absl::StatusOr<std::optional<DovecotChild>> DovecotChildOf(const Environment& environment) {
  if (environment("DOVECOT_CHILD_PROCESS") == nullptr) return std::optional<DovecotChild>();
  DovecotChild child;
  ASSIGN_OR_RETURN(child.generation, NumberIn(environment, "GENERATION"));
  ASSIGN_OR_RETURN(child.client_limit, NumberIn(environment, "CLIENT_LIMIT"));
  ASSIGN_OR_RETURN(const uint32_t count, NumberIn(environment, "SOCKET_COUNT"));
  int first = kFirstSocketAtLeast;
  while (first < kFirstSocketAtMost && !Listens(first)) ++first;
  for (uint32_t i = 0; i < std::min(count, kMostSockets); ++i) {
    const int fd = first + static_cast<int>(i);
    std::string path = PathOfSocket(fd);
    if (path.empty() || !Listens(fd)) {
      return absl::FailedPreconditionError(
          "Dovecot's master passed something else than a listening Unix socket as descriptor " +
          std::to_string(fd) +
          "; take inet_listener and fifo_listener out of service auth in dovecot.conf");
    }
    const char* settings = environment(("SOCKET" + std::to_string(i) + "_SETTINGS").c_str());
    const Protocol* protocol = ProtocolOfDovecotSocket(path, settings != nullptr ? settings : "");
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (protocol == nullptr) continue;
    if (int flags = fcntl(fd, F_GETFL); flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
      return absl::FailedPreconditionError(path + ": " + std::strerror(errno));
    }
    ListenConfig listen{};
    listen.protocol = protocol;
    listen.socket.path = path;
    listen.max_connections = std::max<size_t>(1, child.client_limit);
    child.listen.push_back(std::move(listen));
    child.sockets.push_back({fd, std::move(path)});
  }
  if (child.sockets.empty()) {
    return absl::FailedPreconditionError(
        "Dovecot's master passed no sockets; run sasld-adapter as service auth in dovecot.conf");
  }
  return child;
}

absl::Status ReportToDovecot(const DovecotChild& child) {
  // struct master_status of master-interface.h.
  const std::array<uint32_t, 3> status = {static_cast<uint32_t>(getpid()), child.generation,
                                          child.client_limit};
  if (write(kStatusDescriptor, status.data(), sizeof status) == sizeof status) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(std::string("Dovecot's master cannot be told that the adapter is "
                                            "ready: ") +
                                std::strerror(errno));
}

std::unique_ptr<spdlog::formatter> DovecotLogFormatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  // failures.c: a byte 01, the type, the process id, a space, the text.
  formatter->add_flag<DovecotLogType>('*').set_pattern("\001%*%P %v");
  return formatter;
}

}  // namespace sasld
