#include "open_descriptors.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace sasld::testing {
namespace {

// `get` is getsockname or getpeername.
std::string Path(int descriptor, int (*get)(int, sockaddr*, socklen_t*)) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (get(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  return address.sun_family == AF_UNIX ? address.sun_path : "";
}

std::string Socket(int descriptor) {
  int listens = 0;
  socklen_t size = sizeof listens;
  getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
  if (std::string own = Path(descriptor, getsockname); !own.empty()) {
    return (listens != 0 ? "listens at " : "accepted at ") + own;
  }
  return "connected to " + Path(descriptor, getpeername);
}

}  // namespace

std::vector<std::string> OpenDescriptors() {
  std::vector<std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed_meanwhile;
    std::string what = std::filesystem::read_symlink(entry.path(), closed_meanwhile).string();
    if (what.starts_with("socket:")) what = Socket(std::atoi(entry.path().filename().c_str()));
    if (what.starts_with("pipe:")) what = "pipe";
    if (!what.empty()) open.push_back(std::move(what));
  }
  std::sort(open.begin(), open.end());
  return open;
}

std::string Difference(const std::vector<std::string>& before,
                       const std::vector<std::string>& after) {
  std::string text;
  auto tell = [&text](const char* what, const auto& from, const auto& without) {
    std::vector<std::string> lines;
    std::set_difference(from.begin(), from.end(), without.begin(), without.end(),
                        std::back_inserter(lines));
    for (const std::string& line : lines) text += what + line + '\n';
  };
  tell("more: ", after, before);
  tell("less: ", before, after);
  return text;
}

}  // namespace sasld::testing
