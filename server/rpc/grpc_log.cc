#include "server/rpc/grpc_log.h"

#include <grpc/support/log.h>

#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "proto/common/log_limiter.h"

namespace sasld {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(10);

class GrpcLog {
 public:
  GrpcLog(std::shared_ptr<spdlog::logger> log, std::function<absl::Time()> now)
      : log_(std::move(log)), now_(std::move(now)) {}

  void Tell(const gpr_log_func_args& line) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::optional<uint64_t> held_back;
    {
      absl::MutexLock lock(&mutex_);
      LogLimiter& limiter = places_.try_emplace({line.file, line.line}, kPeriod).first->second;
      held_back = limiter.Admit(now_());
    }
    if (!held_back) return;
    std::string_view file = line.file;
    log_->warn("gRPC: {} ({}:{}, {} more before)", line.message, file.substr(file.rfind('/') + 1),
               line.line, *held_back);
  }

 private:
  const std::shared_ptr<spdlog::logger> log_;
  const std::function<absl::Time()> now_;
  absl::Mutex mutex_;
  // By file and line, as many as gRPC has.
  absl::flat_hash_map<std::pair<const char*, int>, LogLimiter> places_ ABSL_GUARDED_BY(mutex_);
};

// gRPC's callback is given nothing of ours, so this must be a global. Never deleted: gRPC's threads
// may be there longer than main().
GrpcLog* grpc_log = nullptr;

}  // namespace

void TakeGrpcLog(std::shared_ptr<spdlog::logger> log, std::function<absl::Time()> now) {
  if (std::getenv("GRPC_VERBOSITY") != nullptr) return;
  grpc_log = new GrpcLog(std::move(log), std::move(now));
  gpr_set_log_function([](gpr_log_func_args* line) { grpc_log->Tell(*line); });
}

}  // namespace sasld
