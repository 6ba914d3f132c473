// gRPC's own lines, in sasld's log.
#pragma once

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "spdlog/logger.h"

namespace sasld {

// Makes warnings in `log` of gRPC's errors, which would go to standard error otherwise: why a
// caller's TLS handshake failed is told there only. One line in ten seconds from each place in
// gRPC, since strangers can cause one with each connection. Changes nothing where GRPC_VERBOSITY is
// set: who sets it wants gRPC's lines as they are.
//
// To be called once, before gRPC is used. Keeps `log` and `now` until the process ends. `now` is
// called on any thread.
void TakeGrpcLog(std::shared_ptr<spdlog::logger> log, std::function<absl::Time()> now);

}  // namespace sasld
