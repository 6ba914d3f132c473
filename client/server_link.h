// One server of the step client: connects, keeps one StepStream, asks for the mechanisms now and
// then, and connects again after a failure.
//
// A server may be connected and yet say nothing: stopped, swapped out, behind a cable that was
// pulled. So who owes an answer and is silent is asked for the mechanisms, which takes no time to
// tell; who does not answer that either is silent() until it says something, and hung up on after
// five seconds. A step alone tells nothing: refusals are held back for seconds.
//
// Not thread-safe: the step client calls it under its lock. Nothing here blocks; what happens comes
// back through the completion queue.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sasld/v1/sasl.grpc.pb.h"

namespace sasld {

// How a server is reached: "unix:/path" or "host:port", and the credentials for it.
struct ServerAddress {
  std::string target;
  std::shared_ptr<grpc::ChannelCredentials> credentials;  // gRPC's way to hold them
  // The host name that the target is an address of, if it came from one: what the server's
  // certificate must have.
  std::string name = {};

  std::string Text() const { return name.empty() ? target : name + " (" + target + ")"; }
  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

class ServerLink {
 public:
  // What a finished operation brought.
  struct News {
    std::optional<v1::ListMechanismsReply> mechanisms;
    std::optional<v1::StepReplyBatch> replies;
    bool connected = false;             // just now
    bool ready_to_write = false;        // connected, or a write is done
    std::optional<std::string> broken;  // the connection is gone, or there was none: why
  };
  // The tag of an operation on the completion queue.
  struct Operation {
    enum class Kind { kList, kStart, kRead, kWrite, kFinish };
    ServerLink* link;
    Kind kind;
  };

  // `queue` must outlive the link and be drained of its operations first: see idle().
  ServerLink(ServerAddress address, grpc::CompletionQueue& queue);
  ~ServerLink();
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  // Starts what is due at `now`; returns when there will be something to start.
  absl::Time Advance(absl::Time now);
  // Takes an operation that came back.
  News Complete(Operation::Kind kind, bool ok, absl::Time now);
  // Hangs up and stays down. Operations under way come back soon.
  void Retire();

  bool connected() const { return connected_; }
  // Connected and no write under way.
  bool ready_to_write() const { return connected_ && !writing_; }
  // Whether no operation is under way.
  bool idle() const { return !attempt_; }
  // Only while ready_to_write(). `batch` is not needed after the call.
  void Write(const v1::StepBatch& batch, absl::Time now);

  // Connected, but says nothing when asked. Changes in Advance(), Complete() and Retire().
  bool silent() const { return silent_; }
  // Steps written, less replies read. Zero while not connected.
  size_t unanswered() const { return unanswered_; }
  // When it is to be asked, for want of an answer. Advance() does.
  absl::Time AskAt() const;

  const ServerAddress& address() const { return address_; }

 private:
  struct Attempt;

  void Connect(absl::Time now);
  void List(absl::Duration within, absl::Time now);
  void Break(std::string why, News& news);
  void HangUp();
  void CompleteList(bool ok, absl::Time now, News& news);
  void Read();
  void CompleteRead(bool ok, absl::Time now, News& news);
  void Hear(absl::Time now);
  void Disconnected();
  bool IsStopping(const grpc::Status& status, absl::Time now);
  void Settle(absl::Time now);

  const ServerAddress address_;
  grpc::CompletionQueue& queue_;
  std::unique_ptr<Attempt> attempt_;
  bool connected_ = false;
  bool writing_ = false;
  bool silent_ = false;
  size_t unanswered_ = 0;
  bool retired_ = false;
  absl::Time connected_since_ = absl::InfinitePast();
  absl::Time next_attempt_ = absl::InfinitePast();
  absl::Time next_list_ = absl::InfinitePast();
  absl::Time asked_ = absl::InfinitePast();  // for the mechanisms
  absl::Time heard_ = absl::InfinitePast();  // or when it began to owe an answer
  absl::Time stopping_since_ = absl::InfiniteFuture();
  absl::Time read_by_ = absl::InfiniteFuture();
  absl::Duration backoff_ = absl::ZeroDuration();
};

}  // namespace sasld
