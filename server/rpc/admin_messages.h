// Between the messages of admin.proto and what auth/ works with.
#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sasld/v1/admin.pb.h"
#include "server/auth/accounts.h"
#include "server/auth/domains.h"
#include "storage/store.h"

namespace sasld {

// As Store::UsesOf yields them.
using Uses = std::map<std::string, LastUse>;

grpc::Status ToGrpc(const absl::Status& status);

void SetTime(absl::Time time, google::protobuf::Timestamp& timestamp);
absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);

// All but the last use, which is not part of the account, and what FillDefaults() fills.
void FillUser(const Account& account, v1::User& user);
// What holds by the account's domain: domain and effective_attributes.
void FillDefaults(const Account& account, v1::User& user);
void FillDomain(const Domain& domain, v1::Domain& message);
void FillLastUse(const LastUse& last, v1::LastUse& message);
void FillAppPassword(const AppPassword& one, const Uses& uses, v1::AppPassword& message);

void FillAccess(const Access& access, v1::Access& message);
Access AccessOf(const v1::Access& message);
RuleChanges RuleChangesOf(const v1::SetUserRulesRequest& request);
DomainChanges DomainChangesOf(const v1::SetDomainRequest& request);

}  // namespace sasld
