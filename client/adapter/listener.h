// One listening socket and its connections. Lives on the event loop's thread.
#pragma once

#include <sys/types.h>

#include <asio.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/adapter/config.h"
#include "client/adapter/connection.h"
#include "client/adapter/dovecot_logins.h"
#include "client/adapter/fellow_adapter.h"
#include "client/adapter/listener_counts.h"
#include "client/adapter/mechanism_cache.h"
#include "client/adapter/pacer.h"
#include "client/adapter/relay.h"
#include "proto/common/log_limiter.h"
#include "spdlog/logger.h"

namespace sasld {

// What the listeners of one adapter share.
struct ListenerSurroundings {
  asio::io_context& loop;
  Relay& relay;
  const MechanismCache& mechanisms;
  spdlog::logger& log;
  absl::Duration idle;
  LoopScratch scratch = {};
  Pacer pacer{loop};
  // Of all listeners together: what the process's limit of open files leaves, and how many are
  // open.
  size_t max_connections = 0;
  size_t connections = 0;
  uint64_t connections_made = 0;
  DovecotLogins dovecot_logins = {};
};

class Listener final : public ConnectionOwner {
 public:
  // Who has the listening socket.
  enum class Holder {
    kThisProcess,
    kAnother,  // as well, who passes it to this process's successor
  };
  // Takes over `descriptor`, which listens at config.socket.path. `surroundings` must outlive it.
  Listener(ListenConfig config, int descriptor, Holder holder, ListenerSurroundings& surroundings);
  ~Listener() override;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void Start() { WaitForConnections(); }
  // There may have been another adapter at the path (or null): connected to before this one took
  // the path.
  void Follow(std::shared_ptr<FellowAdapter> predecessor) { predecessor_ = std::move(predecessor); }
  // Connections live on. Those that wait to be accepted are the successor's if another process
  // holds the socket too; else they are taken now, and later ones are refused (ECONNREFUSED) until
  // a successor replaces the file, which stays: Dovecot tries again then, and not where there is
  // none (ENOENT).
  void StopAccepting();
  // Connection::EndIfQuiet for all.
  void EndQuiet(bool even_if_new);
  // Connection::GiveUp for all.
  void GiveUp();
  // To be called every few seconds.
  void Tick(absl::Time now);
  size_t connections() const { return connections_.size(); }
  const std::string& path() const { return config_.socket.path; }
  // How many logins its fellows are asked for.
  size_t logins_asked_for() const;
  bool claims_logins() const { return config_.protocol->claims_logins; }
  std::string_view protocol() const { return config_.protocol->name; }
  const ListenerCounts& counts() const { return counts_; }

 private:
  using Acceptor =
      asio::basic_socket_acceptor<asio::local::stream_protocol, asio::io_context::executor_type>;
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;

  void Closed(Connection& connection) override;
  void Abandoned(size_t steps) override;
  void Violated(Connection& connection, std::string_view why) override;
  void Exhausted(Connection& connection) override;
  void Began() override { counts_.begun.Add(); }
  void Answered(const v1::StepReply& reply) override { counts_.Count(reply); }
  void Wanted(Connection& connection, const LoginWanted& wanted) override;
  void Noticed(std::string_view what) override;

  void WaitForConnections();
  void AcceptSome();
  void AcceptAfter(absl::Duration pause);
  // Up to so many. False: there are more, which have to wait for something.
  bool Accept(int most);
  // Whether the configuration lets in who has connected; a refusal is logged.
  bool Admitted(const Peer& peer);
  void Adopt(int descriptor);
  std::shared_ptr<FellowAdapter> Fellow();
  PeerFacts FactsOf(const Peer& peer) const;
  // Whether it may be another adapter that comes for a login.
  bool IsFellow(const Peer& peer) const;
  void Pause(std::string_view why, std::string_view what_to_do);

  const ListenConfig config_;
  const Holder holder_;
  ListenerSurroundings& surroundings_;
  Acceptor acceptor_;
  Timer pause_;
  // Where the socket is open to all, whom it was made for; others are strangers.
  bool is_open_to_all_ = false;
  uid_t owner_ = 0;
  gid_t group_ = 0;
  // The socket's file, which is another one once a successor has taken the path.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  // Null where there is none.
  std::shared_ptr<FellowAdapter> predecessor_;
  std::shared_ptr<FellowAdapter> successor_;
  std::vector<std::shared_ptr<Connection>> connections_;
  absl::Time accepts_from_ = absl::InfinitePast();
  ListenerCounts counts_;
  LogLimiter refusals_{absl::Seconds(10)};
  LogLimiter pauses_{absl::Minutes(1)};
  LogLimiter violations_{absl::Seconds(10)};
  LogLimiter notices_{absl::Minutes(1)};
};

}  // namespace sasld
