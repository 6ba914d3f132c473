#include "client/adapter/fellow_adapter.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "proto/common/unix_socket.h"

namespace sasld {

std::shared_ptr<FellowAdapter> FellowAdapter::ConnectTo(const std::string& path,
                                                        asio::io_context& loop) {
  const int descriptor = ConnectUnix(path);
  if (descriptor < 0) return nullptr;
  std::shared_ptr<FellowAdapter> fellow(new FellowAdapter(loop, descriptor));
  fellow->client_.Greet(fellow->output_);
  fellow->Flush();
  fellow->WaitForInput();
  return fellow;
}

void FellowAdapter::Ask(std::string_view login, Done done) {
  if (!connected() || asked_.size() >= kMaxAsked) return done({});
  if (asked_.empty()) silent_ticks_ = 0;
  asked_.emplace(client_.Request(login, output_), std::move(done));
  Flush();
}

void FellowAdapter::Tick() {
  if (asked_.empty() || ++silent_ticks_ <= kPatience) return;
  // It may be heard again, and is nowhere else to be found. Unless it does not read.
  output_.empty() ? FailAll() : Close();
}

void FellowAdapter::WaitForInput() {
  if (!connected()) return;
  socket_.async_wait(Socket::wait_read,
                     [waiting = weak_from_this()](const asio::error_code& error) {
                       auto self = waiting.lock();
                       if (self && !error) self->Read();
                     });
}

void FellowAdapter::Read() {
  if (!connected()) return;
  std::array<char, 16384> input;
  const ssize_t count = ::recv(socket_.native_handle(), input.data(), input.size(), MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return Close();
  const bool is_ours =
      count < 0 || client_.Receive({input.data(), static_cast<size_t>(count)}, answered_);
  for (const auto& [id, answer] : std::exchange(answered_, {})) {
    silent_ticks_ = 0;
    if (auto found = asked_.extract(id)) found.mapped()(answer);
  }
  if (!is_ours) return Close();
  WaitForInput();
}

void FellowAdapter::Flush() {
  while (!output_.empty() && !waiting_for_room_) {
    const ssize_t count = ::send(socket_.native_handle(), output_.data(), output_.size(),
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      output_.erase(0, static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      WaitForRoom();
    } else if (errno != EINTR) {
      return Close();
    }
  }
}

void FellowAdapter::WaitForRoom() {
  waiting_for_room_ = true;
  socket_.async_wait(Socket::wait_write,
                     [waiting = weak_from_this()](const asio::error_code& error) {
                       auto self = waiting.lock();
                       if (!self || error) return;
                       self->waiting_for_room_ = false;
                       self->Flush();
                     });
}

void FellowAdapter::Close() {
  asio::error_code ignored;
  socket_.close(ignored);
  output_ = {};
  FailAll();
}

void FellowAdapter::FailAll() {
  for (auto& [id, done] : std::exchange(asked_, {})) done({});
}

}  // namespace sasld
