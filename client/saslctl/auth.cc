#include "client/saslctl/auth.h"

#include <arpa/inet.h>

#include <memory>
#include <optional>
#include <utility>

#include "client/saslctl/client_mechanism.h"
#include "client/saslctl/connection.h"
#include "client/saslctl/output.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// No mechanism of ours takes as many; a server that goes on would keep us for ever.
constexpr int kStepsMost = 8;

// The outcome's name in JSON, and in words.
struct Refusal {
  std::string_view code;
  std::string_view words;
};

Refusal RefusalOf(v1::Failure::Code code) {
  switch (code) {
    case v1::Failure::AUTHENTICATION_FAILED:
      return {
          "authentication_failed",
          "wrong password, no such user, or a user who may not log in (the server's log has the "
          "reason)"};
    case v1::Failure::MALFORMED:
      return {"malformed", "the server did not understand our message"};
    case v1::Failure::MECHANISM_UNAVAILABLE:
      return {"mechanism_unavailable", "the mechanism is unknown to the server or switched off"};
    case v1::Failure::ENCRYPTION_REQUIRED:
      return {"encryption_required", "the mechanism is allowed on an encrypted connection only"};
    case v1::Failure::INVALID_BASE64:
      return {"invalid_base64", "the server could not decode our message"};
    default:
      return {"unknown", "no reason given"};
  }
}

bool IsAddress(const std::string& text) {
  in6_addr parsed;  // has room for either
  return inet_pton(AF_INET, text.c_str(), &parsed) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

// "A, B, C".
std::string JoinedNames() {
  std::string all;
  for (const std::string& name : ClientMechanismNames()) all += (all.empty() ? "" : ", ") + name;
  return all;
}

// As CLI11 wants it: puts the name right, or returns what is wrong with it.
std::string CheckMechanism(std::string& typed) {
  const absl::StatusOr<std::string> name = FindClientMechanism(typed);
  if (!name.ok()) return std::string(name.status().message());
  typed = *name;
  return "";
}

// Sends the client's messages until the server decides. Challenge is never the result.
absl::StatusOr<v1::StepReply> PlayExchange(Connection& connection, ClientMechanism& client,
                                           v1::StepRequest request) {
  std::optional<std::string> response = client.InitialResponse();
  for (int step = 0; step < kStepsMost; ++step) {
    request.clear_response();
    if (response.has_value()) request.set_response(*response);
    absl::StatusOr<v1::StepReply> reply = connection.Call(&v1::Sasl::Stub::Step, request);
    // The message may hold the password.
    if (response.has_value()) Wipe(*response);
    Wipe(*request.mutable_response());
    if (!reply.ok() || !reply->has_challenge()) return reply;
    ASSIGN_OR_RETURN(response, client.Respond(reply->challenge().data()));
    request.set_state(reply->challenge().state());
  }
  return absl::InternalError("the server goes on sending challenges");
}

void ShowAccepted(Output& output, const v1::Success& success, const std::string& mechanism,
                  bool server_verified) {
  Json json = {{"result", "accepted"},
               {"mechanism", mechanism},
               {"authcid", success.authcid()},
               {"authzid", success.authzid()},
               {"server_verified", server_verified}};
  output.Object(json, {{"result", "accepted"},
                       {"mechanism", mechanism},
                       {"logged in as", success.authcid()},
                       {"acting as", success.authzid()},
                       {"server's proof", server_verified ? "its signature is right"
                                                          : "none, this mechanism has none"}});
}

absl::Status ShowRefused(Output& output, const v1::Failure& failure, const std::string& mechanism) {
  const Refusal refusal = RefusalOf(failure.code());
  const std::string words(refusal.words);
  Json json = {{"result", "refused"},
               {"mechanism", mechanism},
               {"code", std::string(refusal.code)},
               {"text", failure.text()}};
  output.Object(json, {{"result", "refused"}, {"mechanism", mechanism}, {"reason", words}});
  return absl::PermissionDeniedError("the server refused the login: " + words);
}

absl::Status ShowTemporary(Output& output, const v1::TemporaryFailure& failure,
                           const std::string& mechanism) {
  Json json = {{"result", "temporary"},
               {"mechanism", mechanism},
               {"text", failure.text()},
               {"retry_elsewhere", failure.retry_elsewhere()}};
  output.Object(json,
                {{"result", "undecided"}, {"mechanism", mechanism}, {"reason", failure.text()}});
  return absl::UnavailableError("the server could not decide, try again: " + failure.text());
}

}  // namespace

AuthCommands::AuthCommands(CLI::App& app) : auth_(app.add_subcommand("auth", "Try logins")) {
  auth_->require_subcommand(1)->fallthrough();
  CLI::App* test = auth_->add_subcommand("test",
                                         "Log in as a mail client would and tell what happened. "
                                         "Exit status 0: accepted, 4: refused, 7: "
                                         "the server could not decide");
  test->fallthrough();
  test->add_option("NAME", name_, "The name to log in with")->required()->type_name("");
  test->add_option("-m,--mechanism", mechanism_,
                   "The SASL mechanism: " + JoinedNames() +
                       ". -PLUS and EXTERNAL need a TLS connection: test them with a real client")
      ->transform(CLI::Validator(&CheckMechanism, ""))
      ->capture_default_str()
      ->type_name("MECHANISM");
  test->add_option("--service", service_, "The service to log in to, such as smtp or imap")
      ->capture_default_str()
      ->type_name("SERVICE");
  test->add_option("--remote-ip", remote_ip_, "The address the login seems to come from")
      ->type_name("ADDRESS");
  test->add_flag(
      "--insecure", insecure_,
      "Pretend that the client's connection is not encrypted. Counts with --remote-ip only: "
      "a client without an address is one on this machine");
  AddPasswordOptions(*test, PasswordKind::kExisting, password_);
}

absl::Status AuthCommands::Run(const Invocation& invocation) {
  if (!remote_ip_.empty() && !IsAddress(remote_ip_)) {
    return absl::InvalidArgumentError("--remote-ip: \"" + remote_ip_ +
                                      "\" is not an IPv4 or IPv6 address");
  }
  RETURN_IF_ERROR(RefusePasswordArgument(password_));
  RETURN_IF_ERROR(CheckServer(invocation.server));
  ASSIGN_OR_RETURN(const Password password,
                   ObtainPassword(password_, PasswordKind::kExisting, name_));
  ASSIGN_OR_RETURN(const std::unique_ptr<ClientMechanism> client,
                   MakeClientMechanism(mechanism_, name_, password, service_));
  v1::StepRequest request;
  request.set_mechanism(mechanism_);
  request.mutable_connection()->set_service(service_);
  request.mutable_connection()->set_remote_ip(remote_ip_);
  request.mutable_connection()->set_secured(!insecure_);
  Connection connection(invocation.server, invocation.timeout);
  ASSIGN_OR_RETURN(const v1::StepReply reply,
                   PlayExchange(connection, *client, std::move(request)));
  switch (reply.outcome_case()) {
    case v1::StepReply::kSuccess: {
      const v1::Success& success = reply.success();
      RETURN_IF_ERROR(
          client->Finish(success.has_data() ? std::optional(success.data()) : std::nullopt));
      ShowAccepted(invocation.output, success, mechanism_, client->verifies_server());
      return absl::OkStatus();
    }
    case v1::StepReply::kFailure:
      return ShowRefused(invocation.output, reply.failure(), mechanism_);
    case v1::StepReply::kTemporary:
      return ShowTemporary(invocation.output, reply.temporary(), mechanism_);
    case v1::StepReply::kChallenge:
    case v1::StepReply::kAccount:  // was not asked for
    case v1::StepReply::OUTCOME_NOT_SET:
      break;
  }
  return absl::InternalError("the server's reply has no outcome");
}

}  // namespace sasld::saslctl
