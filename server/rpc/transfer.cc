#include "server/rpc/transfer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "server/rpc/pages.h"
#include "server/rpc/user_records.h"

namespace sasld {
namespace {

constexpr int kMostUsers = 1000;

OnExisting OnExistingOf(v1::ImportUsersRequest::IfThere if_there) {
  switch (if_there) {
    case v1::ImportUsersRequest::SKIP:
      return OnExisting::kSkip;
    case v1::ImportUsersRequest::REPLACE:
      return OnExisting::kReplace;
    default:
      return OnExisting::kRefuse;
  }
}

v1::ImportUsersReply::Result::Outcome OutcomeOf(ImportResult::Outcome outcome) {
  switch (outcome) {
    case ImportResult::Outcome::kAdded:
      return v1::ImportUsersReply::Result::ADDED;
    case ImportResult::Outcome::kReplaced:
      return v1::ImportUsersReply::Result::REPLACED;
    case ImportResult::Outcome::kSkipped:
      return v1::ImportUsersReply::Result::SKIPPED;
    case ImportResult::Outcome::kRefused:
      break;
  }
  return v1::ImportUsersReply::Result::REFUSED;
}

}  // namespace

absl::Status ImportUsers(UserImport& import, const v1::ImportUsersRequest& request, absl::Time now,
                         v1::ImportUsersReply& reply) {
  if (request.users_size() > kMostUsers) {
    return absl::InvalidArgumentError(absl::StrCat("users: at most ", kMostUsers, " at a time"));
  }
  std::vector<ImportedUser> users;
  std::vector<int> places;
  for (int i = 0; i < request.users_size(); ++i) {
    v1::ImportUsersReply::Result& result = *reply.add_results();
    absl::StatusOr<ImportedUser> user = ReadRecord(request.users(i));
    if (user.ok()) {
      users.push_back(*std::move(user));
      places.push_back(i);
    } else {
      result.set_outcome(v1::ImportUsersReply::Result::REFUSED);
      result.set_text(std::string(user.status().message()));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<ImportResult> results,
                   import.Import(users, OnExistingOf(request.if_there()), request.dry_run(), now));
  for (size_t i = 0; i < results.size(); ++i) {
    v1::ImportUsersReply::Result& result = *reply.mutable_results(places[i]);
    result.set_outcome(OutcomeOf(results[i].outcome));
    result.set_text(results[i].text);
  }
  return absl::OkStatus();
}

absl::Status ExportUsers(const Store& store, const PasswordHasher& hasher,
                         const v1::ExportUsersRequest& request, v1::ExportUsersReply& reply) {
  const size_t page = request.page_size() == 0 ? size_t{kMostUsers}
                                               : std::min<size_t>(request.page_size(), kMostUsers);
  return FillPage(store, {request.prefix(), request.page_token(), page}, reply,
                  [&hasher](const Account& account, v1::UserRecord& record) {
                    FillRecord(account, hasher, record);
                  });
}

}  // namespace sasld
