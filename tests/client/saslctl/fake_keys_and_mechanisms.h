// What a fake sasld tells of keys and mechanisms.
#pragma once

#include "sasld/v1/admin.grpc.pb.h"

namespace sasld::saslctl {

// Two keys, of which 2 is the current one; two mechanisms.
class FakeKeysAndMechanisms : public v1::Admin::Service {
 public:
  grpc::Status ListKeys(grpc::ServerContext*, const v1::ListKeysRequest*,
                        v1::ListKeysReply* reply) override {
    for (const uint32_t id : {1U, 2U}) {
      v1::Key& key = *reply->add_keys();
      key.set_id(id);
      key.set_current(id == 2);
      key.set_users(id == 1 ? 3 : 120);
    }
    reply->set_resealing(true);
    return grpc::Status::OK;
  }

  grpc::Status RotateKey(grpc::ServerContext*, const v1::RotateKeyRequest*,
                         v1::RotateKeyReply* reply) override {
    reply->set_id(3);
    return grpc::Status::OK;
  }

  grpc::Status RetireKey(grpc::ServerContext*, const v1::RetireKeyRequest* request,
                         v1::RetireKeyReply*) override {
    if (request->id() == 1) return grpc::Status::OK;
    if (request->id() == 2) {
      return {grpc::StatusCode::FAILED_PRECONDITION, "key 2 is the current one"};
    }
    return {grpc::StatusCode::NOT_FOUND, "there is no such key"};
  }

  grpc::Status GetMechanismCoverage(grpc::ServerContext*, const v1::GetMechanismCoverageRequest*,
                                    v1::GetMechanismCoverageReply* reply) override {
    reply->set_users(120);
    v1::MechanismCoverage& mechanism = *reply->add_mechanisms();
    mechanism.set_name("SCRAM-SHA-256");
    mechanism.set_enabled(true);
    mechanism.set_users(119);
    reply->add_mechanisms()->set_name("CRAM-MD5");
    return grpc::Status::OK;
  }
};

}  // namespace sasld::saslctl
