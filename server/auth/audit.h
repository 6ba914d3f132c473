// The audit trail: one line for each exchange that came to an end, with the true reason.
//
//   auth result=failure reason=bad-credentials mechanism=PLAIN user="ann@example.org" service=smtp
//     remote_ip=192.0.2.7 secured=yes detail="PLAIN"
//
// Once a credential was proved, the line ends in credential=main, credential=app:ID or
// credential=certificate.
//
// The format is stable: fields are only ever added at the end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/auth/login_counts.h"
#include "server/sasl/mechanism.h"
#include "server/sasl/outcome.h"

namespace spdlog {
class logger;
}

namespace sasld {

struct AuditRecord {
  std::string_view mechanism;  // as registered; "unknown" if it is none of ours
  const ConnectionFacts& facts;
  std::string_view authcid;          // empty if none was learned
  std::string_view authzid;          // empty unless another than authcid
  std::string_view trace = {};       // what an anonymous client says of itself
  std::string_view credential = {};  // what was proved: "main", "app:ID"; empty: nothing
};

// Thread-safe.
class Audit {
 public:
  // Successes are written too if `log_successes`; the mail server logs them anyway.
  Audit(std::shared_ptr<spdlog::logger> log, bool log_successes);

  void Granted(const AuditRecord& record);
  void Refused(const AuditRecord& record, Reason reason, std::string_view detail);
  // Temporary, but nothing of ours is broken: the client has come too often, or again.
  void HeldBack(const AuditRecord& record, Reason reason, std::string_view detail);
  // `why`: what is broken; for the administrator. Not OK.
  void Undecided(const AuditRecord& record, const absl::Status& why);

  struct Counts {
    uint64_t granted = 0;
    uint64_t refused = 0;
    uint64_t undecided = 0;  // with those held back
  };
  Counts counts() const;
  const LoginCounts& login_counts() const { return login_counts_; }

 private:
  void TellClientsFault(std::string_view result, const AuditRecord& record, Reason reason,
                        std::string_view detail);

  const std::shared_ptr<spdlog::logger> log_;
  const bool log_successes_;
  LoginCounts login_counts_;
};

// "bad-credentials".
std::string_view NameOf(Reason reason);

}  // namespace sasld
