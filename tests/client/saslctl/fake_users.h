// Import and export of a fake sasld: users in a map, as they came.
#pragma once

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/client/saslctl/fake_domains.h"

namespace sasld::saslctl {

// Refuses a user with a password "{BAD}…", and names that are there if the request says so.
class FakeUsers : public FakeDomains {
 public:
  grpc::Status ImportUsers(grpc::ServerContext*, const v1::ImportUsersRequest* request,
                           v1::ImportUsersReply* reply) override {
    absl::MutexLock lock(&users_mutex_);
    if (request->users_size() > 1000) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "users: more than 1000"};
    }
    if (!request->dry_run() && imports_left_ == 0) {
      return {grpc::StatusCode::UNAVAILABLE, "the store cannot be written"};
    }
    if (!request->dry_run()) --imports_left_;
    for (const v1::UserRecord& record : request->users()) {
      v1::ImportUsersReply::Result& result = *reply->add_results();
      const bool is_there = records_.contains(record.name());
      if (record.passwords_size() > 0 && record.passwords(0).starts_with("{BAD}")) {
        result.set_outcome(v1::ImportUsersReply::Result::REFUSED);
        result.set_text("password: no such scheme");
      } else if (is_there && request->if_there() == v1::ImportUsersRequest::FAIL) {
        result.set_outcome(v1::ImportUsersReply::Result::REFUSED);
        result.set_text("there is such a user");
      } else if (is_there && request->if_there() == v1::ImportUsersRequest::SKIP) {
        result.set_outcome(v1::ImportUsersReply::Result::SKIPPED);
      } else {
        result.set_outcome(is_there ? v1::ImportUsersReply::Result::REPLACED
                                    : v1::ImportUsersReply::Result::ADDED);
        if (!request->dry_run()) records_[record.name()] = record;
      }
    }
    return grpc::Status::OK;
  }

  grpc::Status ExportUsers(grpc::ServerContext*, const v1::ExportUsersRequest* request,
                           v1::ExportUsersReply* reply) override {
    absl::MutexLock lock(&users_mutex_);
    for (auto next = records_.upper_bound(request->page_token()); next != records_.end(); ++next) {
      if (!next->first.starts_with(request->prefix())) continue;
      if (static_cast<uint32_t>(reply->users_size()) == request->page_size()) {
        reply->set_next_page_token(reply->users().rbegin()->name());
        break;
      }
      *reply->add_users() = next->second;
    }
    return grpc::Status::OK;
  }

  std::map<std::string, v1::UserRecord> records() {
    absl::MutexLock lock(&users_mutex_);
    return records_;
  }
  void Forget() {
    absl::MutexLock lock(&users_mutex_);
    records_.clear();
  }
  // After so many batches the store cannot be written.
  void LetImport(int batches) {
    absl::MutexLock lock(&users_mutex_);
    imports_left_ = batches;
  }

 private:
  absl::Mutex users_mutex_;
  std::map<std::string, v1::UserRecord> records_ ABSL_GUARDED_BY(users_mutex_);
  int imports_left_ ABSL_GUARDED_BY(users_mutex_) = 1'000'000;
};

}  // namespace sasld::saslctl
