// One server of the step client: connects, keeps one StepStream, asks for the mechanisms now and
// then, and connects again after a failure.
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
  void Write(const v1::StepBatch& batch);

  const std::string& target() const { return address_.target; }

 private:
  struct Attempt;

  void Connect(absl::Time now);
  void List(absl::Duration within);
  void Break(std::string why, News& news);
  void HangUp();
  void CompleteList(bool ok, absl::Time now, News& news);
  void Read();
  void CompleteRead(bool ok, absl::Time now, News& news);
  void Settle(absl::Time now);

  const ServerAddress address_;
  grpc::CompletionQueue& queue_;
  std::unique_ptr<Attempt> attempt_;
  bool connected_ = false;
  bool writing_ = false;
  int unanswered_ = 0;  // steps written, less replies read
  bool retired_ = false;
  absl::Time connected_since_ = absl::InfinitePast();
  absl::Time next_attempt_ = absl::InfinitePast();
  absl::Time next_list_ = absl::InfinitePast();
  absl::Time read_by_ = absl::InfiniteFuture();
  absl::Duration backoff_ = absl::ZeroDuration();
};

}  // namespace sasld
