#include "client/saslctl/connection.h"

#include <grpc/support/log.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace sasld::saslctl {
namespace {

constexpr std::string_view kScheme = "unix:";

// connect(2) as a question: 0 or errno.
int TryConnect(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  const int result =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  close(fd);
  return result;
}

bool IsSocket(const std::string& path) {
  struct stat file;
  return stat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

}  // namespace

absl::Status CheckServer(const std::string& server) {
  if (!server.starts_with(kScheme) || server.size() == kScheme.size()) {
    return absl::InvalidArgumentError("--server: \"" + server +
                                      "\" is not an address such as unix:/run/sasld/admin.sock");
  }
  const std::string path = server.substr(kScheme.size());
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError("--server: the path is longer than a socket's can be");
  }
  switch (const int error = TryConnect(path); error) {
    case 0:
    case EAGAIN:  // its queue is full: a server is there
      return absl::OkStatus();
    case ENOENT:
    case ENOTDIR:
      return absl::UnavailableError(
          server +
          ": there is no such socket. Start sasld; if its configuration has another "
          "address at [listen] admin, give that to --server");
    case ECONNREFUSED:
      if (!IsSocket(path)) {
        return absl::InvalidArgumentError(
            "--server: " + path +
            " is no socket; sasld's is at [listen] admin in its configuration");
      }
      return absl::UnavailableError(server + ": nobody listens there any more; start sasld");
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(
          server + ": permission denied; run saslctl as root, or as the user sasld runs as");
    default:
      return absl::UnavailableError(server + ": " + strerror(error));
  }
}

absl::Status FromGrpc(const grpc::Status& status, const std::string& server) {
  const std::string& text = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return absl::OkStatus();
    case grpc::StatusCode::INVALID_ARGUMENT:
      return absl::FailedPreconditionError(text);
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::UnimplementedError(
          server + " does not serve administration: give --server the admin socket of sasld");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::DeadlineExceededError(server + " did not answer in time (see --timeout)");
    case grpc::StatusCode::UNAVAILABLE:
      return absl::UnavailableError(server + ": " + text);
    default:
      return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                          text.empty() ? "the server gave no reason" : text);
  }
}

Connection::Connection(const std::string& server, absl::Duration timeout)
    : server_(server), timeout_(timeout) {
  // gRPC's own lines would mix with ours on standard error; who debugs sets GRPC_VERBOSITY.
  if (std::getenv("GRPC_VERBOSITY") == nullptr) {
    gpr_set_log_function([](gpr_log_func_args*) {});
  }
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateChannel(server, grpc::InsecureChannelCredentials());
  admin_ = v1::Admin::NewStub(channel);
  sasl_ = v1::Sasl::NewStub(channel);
}

}  // namespace sasld::saslctl
