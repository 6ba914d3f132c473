#include "proto/rpc/health_question.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/common/unix_socket.h"

namespace sasld {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// errno of connecting to a Unix socket: gRPC tells it in words only.
int ConnectError(const std::string& path) {
  const int fd = ConnectUnix(path);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

std::string WhyNotReached(const HealthTarget& target, const grpc::Status& status) {
  const absl::StatusOr<std::string> path = UnixSocketPath(target.address);
  if (!path.ok()) {
    return absl::StrCat("cannot be reached: ", status.error_message(),
                        "; is sasld running there? Does it take our certificate? Its log tells");
  }
  switch (const int error = ConnectError(*path)) {
    case 0:
      return absl::StrCat("listens, but does not answer as sasld does: ", status.error_message());
    case ENOENT:
    case ECONNREFUSED:
      return "nobody listens there; start sasld, or see that this is an address of its listen.sasl";
    case EACCES:
      return absl::StrCat("uid ", geteuid(),
                          " may not connect there; run this as a user whom owner, group and mode "
                          "of the socket and its folders let in");
    default:
      return absl::StrCat("cannot connect: ", std::strerror(error));
  }
}

// A question that is under way.
struct Question {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<HealthCheckResponse>> reader;
  HealthCheckResponse response;
  grpc::Status status;
};

std::string WhyNot(const HealthTarget& target, const Question& question, absl::Duration timeout) {
  switch (question.status.error_code()) {
    case grpc::StatusCode::OK:
      return "says that it does not serve: it is stopping; wait until it has started again";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::StrCat("does not answer within ", absl::FormatDuration(timeout),
                          "; it hangs or has too much to do: see its log");
    case grpc::StatusCode::UNIMPLEMENTED:
      return "is a gRPC server without a health service, so not sasld; is the address right?";
    default:
      return WhyNotReached(target, question.status);
  }
}

std::unique_ptr<Question> Ask(const HealthTarget& target, absl::Duration timeout,
                              grpc::CompletionQueue& queue) {
  auto question = std::make_unique<Question>();
  question->context.set_deadline(
      gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN));
  const auto stub = Health::NewStub(grpc::CreateChannel(target.address, target.credentials));
  question->reader = stub->AsyncCheck(&question->context, HealthCheckRequest(), &queue);
  question->reader->Finish(&question->response, &question->status, question.get());
  return question;
}

bool Serves(const Question& question) {
  return question.status.ok() && question.response.status() == HealthCheckResponse::SERVING;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseHealthTimeout(const std::string& text) {
  absl::Duration timeout;
  if (absl::ParseDuration(text, &timeout) && timeout >= absl::Milliseconds(1) &&
      timeout <= absl::Minutes(1)) {
    return timeout;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--timeout: \"", text, "\" is not a duration such as 3s or 500ms, at most 1m"));
}

absl::StatusOr<std::string> FirstServing(const std::vector<HealthTarget>& targets,
                                         absl::Duration timeout) {
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Question>> questions;
  questions.reserve(targets.size());
  for (const HealthTarget& target : targets) questions.push_back(Ask(target, timeout, queue));
  std::string serving;
  void* tag = nullptr;
  bool ok = false;
  // Each is answered, by its deadline at the latest.
  for (size_t answered = 0; answered < questions.size() && queue.Next(&tag, &ok); ++answered) {
    if (!serving.empty() || !Serves(*static_cast<Question*>(tag))) continue;
    for (size_t i = 0; i < questions.size(); ++i) {
      if (questions[i].get() == tag) serving = targets[i].address;
      questions[i]->context.TryCancel();
    }
  }
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  if (!serving.empty()) return serving;
  std::vector<std::string> reasons;
  for (size_t i = 0; i < questions.size(); ++i) {
    reasons.push_back(
        absl::StrCat(targets[i].address, ": ", WhyNot(targets[i], *questions[i], timeout)));
  }
  return absl::UnavailableError(absl::StrJoin(reasons, "; "));
}

}  // namespace sasld
