#include "mta.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sasld::testing {

Mta::Mta(const std::string& path) : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0)
      << path << ": " << std::strerror(errno);
  timeval limit{10, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

Mta::~Mta() { close(socket_); }

void Mta::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;  // hung up: the next read tells
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

size_t Mta::WriteSome(std::string_view bytes) {
  ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return count > 0 ? static_cast<size_t>(count) : 0;
}

bool Mta::CannotWrite() {
  return send(socket_, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE;
}

std::string Mta::Line() {
  while (true) {
    size_t end = buffer_.find('\n', at_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(at_, end - at_);
      at_ = end + 1;
      return line;
    }
    buffer_.erase(0, at_);
    at_ = 0;
    char bytes[65536];
    ssize_t count = recv(socket_, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return "<nothing>";
    if (count <= 0) return "<closed>";
    buffer_.append(bytes, static_cast<size_t>(count));
  }
}

std::string Mta::Greeting() {
  std::string all;
  for (std::string line = Line(); line != "<closed>" && line != "<nothing>"; line = Line()) {
    if (line.substr(0, 4) == "MECH" || line == "DONE") all += line + '|';
    if (line == "DONE") break;
  }
  return all;
}

void Mta::Handshake(int minor) {
  EXPECT_NE(Greeting(), "");
  Write("VERSION\t1\t" + std::to_string(minor) + "\nCPID\t1\n");
}

}  // namespace sasld::testing
