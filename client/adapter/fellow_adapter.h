// A connection to another adapter at the same socket: to the one before this one, or to the one
// that has taken the socket over. While both run, a login that one of them granted may be asked for
// at the other (dovecot_logins.h), which then asks its fellow.
//
// One object is one connection, and lives on the event loop's thread.
#pragma once

#include <asio.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "client/adapter/dovecot_master_client.h"

namespace sasld {

class FellowAdapter : public std::enable_shared_from_this<FellowAdapter> {
 public:
  using Done = absl::AnyInvocable<void(const DovecotMasterAnswer& answer)>;
  static constexpr size_t kMaxAsked = 1024;
  // Of ticks: longer than sasld may take, for which the fellow waits.
  static constexpr int kPatience = 3;

  // Connects to whoever listens at `path` now. Null: nobody does.
  static std::shared_ptr<FellowAdapter> ConnectTo(const std::string& path, asio::io_context& loop);
  FellowAdapter(const FellowAdapter&) = delete;
  FellowAdapter& operator=(const FellowAdapter&) = delete;

  // False once it has gone; it does not come back.
  bool connected() const { return socket_.is_open(); }
  // Calls `done` once: with its answer, or with one that nobody knows if it is gone, if it goes, or
  // if kMaxAsked wait already; then maybe before this returns. `login`: AppendDovecotLogin.
  void Ask(std::string_view login, Done done);
  size_t asked() const { return asked_.size(); }
  // To be called every few seconds: waits no longer for one that has answered nothing since the
  // last kPatience times.
  void Tick();

 private:
  using Socket =
      asio::basic_stream_socket<asio::local::stream_protocol, asio::io_context::executor_type>;

  FellowAdapter(asio::io_context& loop, int descriptor)
      : socket_(loop, asio::local::stream_protocol(), descriptor) {}
  void WaitForInput();
  void Read();
  void Flush();
  void WaitForRoom();
  void Close();
  void FailAll();

  Socket socket_;
  DovecotMasterClient client_;
  std::string output_;
  bool waiting_for_room_ = false;
  std::unordered_map<uint32_t, Done> asked_;
  std::vector<DovecotMasterClient::Answered> answered_;
  int silent_ticks_ = 0;
};

}  // namespace sasld
