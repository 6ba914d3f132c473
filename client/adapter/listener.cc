#include "client/adapter/listener.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "client/monotonic_time.h"

namespace sasld {
namespace {

constexpr int kMaxAcceptedAtOnce = 64;  // then others have their turn
constexpr absl::Duration kPause = absl::Milliseconds(100);
// What sasld takes for a step, more or less. Who sends many, hangs up and comes again waits
// for so long before the next has its turn, or such steps would gather and hold up everybody.
constexpr absl::Duration kForAnAbandonedStep = absl::Microseconds(100);
constexpr absl::Duration kLongestForAbandoned = absl::Seconds(1);
constexpr std::string_view kRaiseOpenFiles =
    "raise this process's limit of open files (LimitNOFILE= of its systemd unit, or ulimit -n)";

// Dovecot's mail processes ask for a login only who has the process id of whom it is from. With us
// that may be another process: see fellow_adapter.h. So all of them have one number.
constexpr pid_t kServerPid = 1;

constexpr mode_t kPermissions = 0777;
constexpr mode_t kOpenToAll = 0666;

}  // namespace

Listener::Listener(ListenConfig config, int descriptor, Holder holder,
                   ListenerSurroundings& surroundings)
    : config_(std::move(config)),
      holder_(holder),
      surroundings_(surroundings),
      acceptor_(surroundings.loop, asio::local::stream_protocol(), descriptor),
      pause_(surroundings.loop) {
  struct stat file;
  if (lstat(path().c_str(), &file) != 0) return;
  is_open_to_all_ = (file.st_mode & kPermissions) == kOpenToAll;
  owner_ = file.st_uid;
  group_ = file.st_gid;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

Listener::~Listener() {
  while (!connections_.empty()) connections_.back()->Close();
}

void Listener::StopAccepting() {
  if (!acceptor_.is_open()) return;
  if (holder_ == Holder::kThisProcess) {
    // From here on no one gets into the queue, so that it can be emptied.
    ::shutdown(acceptor_.native_handle(), SHUT_RD);
    Accept(std::numeric_limits<int>::max());
  }
  asio::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Listener::EndQuiet(bool even_if_new) {
  for (const std::shared_ptr<Connection>& connection : connections_) {
    connection->EndIfQuiet(even_if_new);
  }
}

void Listener::GiveUp() {
  while (!connections_.empty()) {
    std::shared_ptr<Connection> last = connections_.back();
    last->GiveUp();
    last->Close();
  }
}

void Listener::WaitForConnections() {
  acceptor_.async_wait(Acceptor::wait_read, [this](const asio::error_code& error) {
    if (!error) AcceptSome();
  });
}

void Listener::AcceptSome() {
  if (absl::Duration early = accepts_from_ - MonotonicNow(); early > absl::ZeroDuration()) {
    return AcceptAfter(early);
  }
  if (Accept(kMaxAcceptedAtOnce)) WaitForConnections();
}

bool Listener::Accept(int most) {
  auto pause = [this](std::string_view why, std::string_view what_to_do) {
    Pause(why, what_to_do);
    return false;
  };
  for (int i = 0; i < most; ++i) {
    // Those who wait in the kernel's queue are served later; smtpd would die of a refusal.
    if (connections_.size() >= config_.max_connections) {
      return pause("max_connections is reached", "raise it in [[listen]]");
    }
    if (surroundings_.connections >= surroundings_.max_connections) {
      return pause("the limit of open files is reached", kRaiseOpenFiles);
    }
    int descriptor =
        accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor >= 0) {
      Adopt(descriptor);
    } else if (errno == EAGAIN || errno == EINVAL) {  // EINVAL: shut down, and no one is left
      break;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // EMFILE after all, if the limit was lowered meanwhile.
      int why = errno;
      return pause(std::strerror(why), why == EMFILE ? kRaiseOpenFiles : "see accept(2)");
    }
  }
  return true;
}

bool Listener::Admitted(const Peer& peer) {
  if (Admits(config_.access, peer)) return true;
  if (IsFellow(peer)) return true;
  counts_.connections_refused.Add();
  if (auto held_back = refusals_.Admit(MonotonicNow())) {
    surroundings_.log.warn(
        "{}: refused a client of uid {}, gid {} (pid {}): allow_users and allow_groups of its "
        "[[listen]] do not have it; add it there if it is a mail server ({} more before)",
        path(), peer.uid, peer.gid, peer.pid, *held_back);
  }
  return false;
}

PeerFacts Listener::FactsOf(const Peer& peer) const {
  bool is_stranger = is_open_to_all_ && peer.uid != 0 && peer.uid != owner_ && peer.gid != group_ &&
                     !IsFellow(peer);
  return {peer.pid, peer.uid, is_stranger};
}

void Listener::Adopt(int descriptor) {
  const PeerGroups groups =
      config_.access.groups.empty() ? PeerGroups::kWithout : PeerGroups::kWith;
  const Peer peer = PeerOf(descriptor, groups).value_or(Peer());
  if (!Admitted(peer)) {
    close(descriptor);
    return;
  }
  SessionFacts facts{surroundings_.mechanisms.current(),
                     config_.temporary_failure,
                     kServerPid,
                     ++surroundings_.connections_made,
                     {},
                     FactsOf(peer),
                     &surroundings_.dovecot_logins,
                     &config_.backends};
  // Dovecot's mail processes prove by the cookie that a login was handed to them: no connection
  // without one. Cannot fail for so few bytes once the kernel's generator is up.
  if (getrandom(facts.cookie.data(), facts.cookie.size(), 0) !=
      static_cast<ssize_t>(facts.cookie.size())) {
    close(descriptor);
    return;
  }
  Connection::Socket socket(surroundings_.loop, asio::local::stream_protocol(), descriptor);
  auto connection = std::make_shared<Connection>(
      std::move(socket), config_.protocol->make_session(facts), config_.trust, *this,
      surroundings_.relay, surroundings_.scratch);
  connection->index = connections_.size();
  connection->is_fellow = IsFellow(peer);
  connections_.push_back(connection);
  ++surroundings_.connections;
  counts_.connections.Add();
  counts_.connections_made.Add();
  connection->Start();
}

void Listener::Pause(std::string_view why, std::string_view what_to_do) {
  counts_.accept_pauses.Add();
  if (auto held_back = pauses_.Admit(MonotonicNow())) {
    surroundings_.log.warn("{}: {} connections are open, more have to wait: {}; {}", path(),
                           connections_.size(), why, what_to_do);
  }
  AcceptAfter(kPause);
}

void Listener::AcceptAfter(absl::Duration pause) {
  pause_.expires_after(absl::ToChronoNanoseconds(pause));
  pause_.async_wait([this](const asio::error_code& error) {
    if (!error && acceptor_.is_open()) AcceptSome();
  });
}

void Listener::Tick(absl::Time now) {
  // Backwards: Tick() may close, and closing moves the last one here.
  for (size_t i = connections_.size(); i-- > 0;) {
    std::shared_ptr<Connection> connection = connections_[i];
    // A fellow may have nothing to ask for long, and could not come back.
    connection->Tick(now, connection->is_fellow ? absl::InfiniteDuration() : surroundings_.idle);
  }
  if (predecessor_) predecessor_->Tick();
  if (successor_) successor_->Tick();
}

void Listener::Closed(Connection& connection) {
  size_t index = connection.index;
  connections_.back()->index = index;
  connections_[index].swap(connections_.back());
  connections_.pop_back();
  --surroundings_.connections;
  counts_.connections.Subtract();
}

void Listener::Abandoned(size_t steps) {
  counts_.steps_abandoned.Add(steps);
  const absl::Time now = MonotonicNow();
  accepts_from_ = std::min(std::max(accepts_from_, now) + kForAnAbandonedStep * steps,
                           now + kLongestForAbandoned);
}

void Listener::Violated(Connection& connection, std::string_view why) {
  surroundings_.pacer.HangUpLater(connection.weak_from_this());
  counts_.violations.Add();
  if (auto held_back = violations_.Admit(MonotonicNow())) {
    surroundings_.log.warn(
        "{}: a client broke the protocol and was disconnected: {} ({} more before)", path(), why,
        *held_back);
  }
}

void Listener::Exhausted(Connection& connection) {
  counts_.turns_awaited.Add();
  surroundings_.pacer.Await(connection.weak_from_this());
}

void Listener::Wanted(Connection& connection, const LoginWanted& wanted) {
  std::shared_ptr<FellowAdapter> fellow = Fellow();
  if (!fellow) return connection.LoginAnswered(wanted.exchange, {});
  fellow->Ask(wanted.login, [asker = connection.weak_from_this(),
                             exchange = wanted.exchange](const DovecotMasterAnswer& answer) {
    if (auto one = asker.lock()) one->LoginAnswered(exchange, answer);
  });
}

size_t Listener::logins_asked_for() const {
  return (predecessor_ ? predecessor_->asked() : 0) + (successor_ ? successor_->asked() : 0);
}

bool Listener::IsFellow(const Peer& peer) const { return claims_logins() && peer.uid == geteuid(); }

std::shared_ptr<FellowAdapter> Listener::Fellow() {
  if (predecessor_ && predecessor_->connected()) return predecessor_;
  if (successor_ && successor_->connected()) return successor_;
  struct stat now;
  const bool is_another =
      lstat(path().c_str(), &now) == 0 && (now.st_dev != device_ || now.st_ino != inode_);
  successor_ = is_another ? FellowAdapter::ConnectTo(path(), surroundings_.loop) : nullptr;
  return successor_;
}

void Listener::Noticed(std::string_view what) {
  if (auto held_back = notices_.Admit(MonotonicNow())) {
    surroundings_.log.warn("{}: {} ({} more before)", path(), what, *held_back);
  }
}

}  // namespace sasld
