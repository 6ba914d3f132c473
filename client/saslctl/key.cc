#include "client/saslctl/key.h"

#include <string>

#include "client/saslctl/connection.h"
#include "client/saslctl/output.h"
#include "client/saslctl/terminal.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

std::string Line(const std::string& id, const std::string& state, const std::string& users) {
  std::string line = id;
  line.resize(6, ' ');
  line += state;
  line.resize(16, ' ');
  return line + users + "\n";
}

}  // namespace

KeyCommands::KeyCommands(CLI::App& app)
    : key_(app.add_subcommand("key", "List and change the keys that users are sealed under")) {
  key_->require_subcommand(1)->fallthrough();
  list_ = key_->add_subcommand("list", "List the keys, and how many users are sealed under each")
              ->fallthrough();
  rotate_ = key_->add_subcommand("rotate",
                                 "Make a new key the current one, and seal all users anew in the "
                                 "background")
                ->fallthrough();
  retire_ = key_->add_subcommand("retire",
                                 "Take a key that is not the current one out of the "
                                 "key file, after a question on a terminal")
                ->fallthrough();
  retire_->add_option("ID", id_, "The key's id, as key list shows it")->required()->type_name("");
  retire_->add_flag("-y,--yes", yes_, "Do not ask");
}

absl::Status KeyCommands::Run(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  if (list_->parsed()) return List(invocation);
  if (rotate_->parsed()) return Rotate(invocation);
  return Retire(invocation);
}

absl::Status KeyCommands::List(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const v1::ListKeysReply reply,
                   Connection(invocation.server, invocation.timeout)
                       .Call(&v1::Admin::Stub::ListKeys, v1::ListKeysRequest()));
  Output& output = invocation.output;
  if (output.format() == OutputFormat::kJson) {
    Json json;
    json["keys"] = Json::array();
    for (const v1::Key& key : reply.keys()) {
      Json one;
      one["id"] = key.id();
      one["current"] = key.current();
      one["users"] = key.users();
      json["keys"].push_back(one);
    }
    json["resealing"] = reply.resealing();
    output.Object(json, {});
    return absl::OkStatus();
  }
  output.Data(Line("KEY", "STATE", "USERS"));
  for (const v1::Key& key : reply.keys()) {
    output.Data(Line(std::to_string(key.id()), key.current() ? "current" : "old",
                     std::to_string(key.users())));
  }
  if (reply.resealing()) output.Note("users are being sealed under the current key just now");
  return absl::OkStatus();
}

absl::Status KeyCommands::Rotate(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const v1::RotateKeyReply reply,
                   Connection(invocation.server, invocation.timeout)
                       .Call(&v1::Admin::Stub::RotateKey, v1::RotateKeyRequest()));
  const std::string id = std::to_string(reply.id());
  invocation.output.Note("key " + id +
                         " is the current one; users are being sealed under it in the background "
                         "(saslctl key list tells how far). Back up the key file now");
  if (invocation.output.format() == OutputFormat::kJson) {
    Json json;
    json["id"] = reply.id();
    invocation.output.Object(json, {});
  }
  return absl::OkStatus();
}

absl::Status KeyCommands::Retire(const Invocation& invocation) {
  if (!yes_) {
    RETURN_IF_ERROR(Confirm("Backups of the database that were made under key " +
                                std::to_string(id_) + " cannot be read without it. Retire it?",
                            "not retired"));
  }
  v1::RetireKeyRequest request;
  request.set_id(id_);
  RETURN_IF_ERROR(Connection(invocation.server, invocation.timeout)
                      .Call(&v1::Admin::Stub::RetireKey, request)
                      .status());
  invocation.output.Note("key " + std::to_string(id_) + " was retired");
  if (invocation.output.format() == OutputFormat::kJson) {
    Json json;
    json["id"] = id_;
    invocation.output.Object(json, {});
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
