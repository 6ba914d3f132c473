#include "client/libsasl2/adapter_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace sasld::libsasl2 {
namespace {

// How long to wait before another try at a socket whose queue is full; it cannot be polled.
constexpr timespec kQueueIsFull{.tv_sec = 0, .tv_nsec = 10'000'000};

int64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// Never one of the first three: daemons close those and take what is there for their terminal.
int OpenSocket() {
  int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (first < 0 || first > 2) return first;
  int higher = fcntl(first, F_DUPFD_CLOEXEC, 3);
  close(first);
  return higher;
}

}  // namespace

Deadline Within(int64_t milliseconds) { return Now() + milliseconds; }

bool AdapterSocket::Connect(std::string_view path, Deadline deadline) {
  Close();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() > kMaxPathBytes) return Fail("the path is too long");
  std::copy(path.begin(), path.end(), address.sun_path);
  descriptor_ = OpenSocket();
  if (descriptor_ < 0) return FailWithErrno();
  while (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return FailWithErrno();
    if (Now() >= deadline) return Fail("its queue is full");
    nanosleep(&kQueueIsFull, nullptr);
  }
  return true;
}

bool AdapterSocket::Send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!WaitFor(POLLOUT, deadline)) return false;
    } else if (errno != EINTR) {
      return FailWithErrno();
    }
  }
  return true;
}

std::optional<std::string_view> AdapterSocket::ReadLine(Deadline deadline) {
  while (true) {
    std::string_view rest(read_.data() + begin_, end_ - begin_);
    if (size_t size = rest.find('\n'); size != std::string_view::npos) {
      begin_ += size + 1;
      return std::string_view(rest.data(), size);
    }
    std::copy(rest.begin(), rest.end(), read_.begin());
    begin_ = 0;
    end_ = rest.size();
    if (end_ == read_.size()) {
      Fail("it wrote a line of more than 8192 bytes");
      return std::nullopt;
    }
    ssize_t got = recv(descriptor_, read_.data() + end_, read_.size() - end_, 0);
    if (got > 0) {
      end_ += static_cast<size_t>(got);
    } else if (got == 0) {
      Fail("it closed the connection");
      return std::nullopt;
    } else if (errno == EAGAIN) {
      if (!WaitFor(POLLIN, deadline)) return std::nullopt;
    } else if (errno != EINTR) {
      FailWithErrno();
      return std::nullopt;
    }
  }
}

bool AdapterSocket::WaitFor(short events, Deadline deadline) {
  while (true) {
    int64_t left = deadline - Now();
    if (left <= 0) return Fail("it did not answer in time");
    pollfd wanted{.fd = descriptor_, .events = events, .revents = 0};
    int ready = poll(&wanted, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return FailWithErrno();
  }
}

void AdapterSocket::Close() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
  explicit_bzero(read_.data(), end_);
  begin_ = end_ = 0;
}

bool AdapterSocket::Fail(const char* why) {
  why_ = why;
  return false;
}

bool AdapterSocket::FailWithErrno() {
  const char* text = strerrordesc_np(errno);
  return Fail(text != nullptr ? text : "an unknown error");
}

}  // namespace sasld::libsasl2
