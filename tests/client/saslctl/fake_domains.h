// Domains of a fake sasld, in a map.
#pragma once

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/client/saslctl/fake_keys_and_mechanisms.h"

namespace sasld::saslctl {

// Refuses an attribute "BAD"; pages have two domains at most.
class FakeDomains : public FakeKeysAndMechanisms {
 public:
  grpc::Status SetDomain(grpc::ServerContext*, const v1::SetDomainRequest* request,
                         v1::Domain* reply) override {
    absl::MutexLock lock(&domains_mutex_);
    last_set_domain_ = *request;
    if (request->attributes().contains("BAD")) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "attributes: \"BAD\" is not a name"};
    }
    v1::Domain& domain = domains_[request->name()];
    if (domain.name().empty()) domain.set_enabled(true);
    domain.set_name(request->name());
    domain.set_epoch(domain.epoch() + 1);
    if (request->has_enabled()) domain.set_enabled(request->enabled());
    if (request->has_require_app_password()) {
      domain.set_require_app_password(request->require_app_password());
    }
    if (request->has_services()) {
      *domain.mutable_access()->mutable_services() = request->services().names();
    }
    for (const auto& [name, value] : request->attributes()) {
      (*domain.mutable_attributes())[name] = value;
    }
    *reply = domain;
    return grpc::Status::OK;
  }

  grpc::Status GetDomain(grpc::ServerContext*, const v1::GetDomainRequest* request,
                         v1::Domain* reply) override {
    absl::MutexLock lock(&domains_mutex_);
    const auto found = domains_.find(request->name());
    if (found == domains_.end()) return {grpc::StatusCode::NOT_FOUND, "no such domain"};
    *reply = found->second;
    return grpc::Status::OK;
  }

  grpc::Status ListDomains(grpc::ServerContext*, const v1::ListDomainsRequest* request,
                           v1::ListDomainsReply* reply) override {
    absl::MutexLock lock(&domains_mutex_);
    for (auto next = domains_.upper_bound(request->page_token()); next != domains_.end(); ++next) {
      if (reply->domains_size() == 2) {
        reply->set_next_page_token(reply->domains().rbegin()->name());
        break;
      }
      *reply->add_domains() = next->second;
    }
    return grpc::Status::OK;
  }

  grpc::Status DeleteDomain(grpc::ServerContext*, const v1::DeleteDomainRequest* request,
                            v1::DeleteDomainReply*) override {
    absl::MutexLock lock(&domains_mutex_);
    if (domains_.erase(request->name()) == 1) return grpc::Status::OK;
    return {grpc::StatusCode::NOT_FOUND, "no such domain"};
  }

  v1::SetDomainRequest last_set_domain() {
    absl::MutexLock lock(&domains_mutex_);
    return last_set_domain_;
  }

 private:
  absl::Mutex domains_mutex_;
  std::map<std::string, v1::Domain> domains_ ABSL_GUARDED_BY(domains_mutex_);
  v1::SetDomainRequest last_set_domain_ ABSL_GUARDED_BY(domains_mutex_);
};

}  // namespace sasld::saslctl
