// The Admin service: what saslctl asks for. Calls into auth/, no decisions.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "sasld/v1/admin.grpc.pb.h"
#include "server/auth/accounts.h"
#include "server/auth/audit.h"
#include "server/auth/calibration.h"
#include "server/auth/domains.h"
#include "server/auth/exchange.h"
#include "server/auth/key_rotation.h"
#include "server/auth/user_import.h"
#include "storage/store.h"

namespace spdlog {
class logger;
}

namespace sasld {

// What the service is made of. All of it must outlive it.
struct AdminParts {
  Accounts& accounts;
  Store& store;
  KeyRotation& key_rotation;
  UserImport& user_import;
  const Exchange& exchange;
  const Lane& lane;
  const Audit& audit;
  std::string store_url;
  absl::Time started;
  std::shared_ptr<spdlog::logger> log;
  Calibration& calibration;
  Domains& domains;
};

// Each change is logged with the name it was made to, never with a secret.
std::unique_ptr<grpc::Service> MakeAdminService(AdminParts parts);

}  // namespace sasld
