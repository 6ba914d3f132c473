#include "tests/server/sasl/matching.h"

#include <algorithm>

#include "server/sasl/saslprep.h"

namespace sasld {
namespace {

using Why = std::optional<std::string>;

Why Unless(bool holds, const char* why) { return holds ? Why() : Why(why); }

// The first complaint of several.
Why First(std::initializer_list<Why> whys) {
  for (const Why& why : whys) {
    if (why) return why;
  }
  return std::nullopt;
}

bool IsName(std::string_view sent, const std::string& prepared) {
  const auto name = Username::Prepare(sent);
  return name.ok() && name->str() == prepared;
}

bool IsPassword(std::string_view sent, const std::string& prepared) {
  const auto password = PrepareClientPassword(sent);
  return password.ok() && EqualsConstantTime(password->Reveal(), prepared);
}

// Whether the authzid that was reported is the one that was sent.
bool IsAuthzid(std::string_view sent, const std::optional<Username>& reported) {
  return sent.empty() ? !reported.has_value() : reported && IsName(sent, reported->str());
}

bool IsUser(const Success& success, const ClientSettings& settings) {
  return IsName(settings.authcid, success.identity.authcid.str());
}

Why CheckScram(const Success& success, const Conversation& server, const Conversation& client,
               const ClientSettings& settings) {
  return First({Unless(server.responses == client.responses, "the client said something else"),
                Unless(server.challenges == client.challenges, "the client heard something else"),
                Unless(IsAuthzid(settings.authzid, success.identity.authzid), "another authzid")});
}

Why CheckCramMd5(const Conversation& server, const Conversation& client,
                 const ClientSettings& settings) {
  if (server.responses.size() != 1 || client.responses.size() != 1) return "not one response";
  const std::string& got = server.responses[0];
  const std::string& sent = client.responses[0];
  const size_t got_space = got.rfind(' ');
  const size_t sent_space = sent.rfind(' ');
  if (got_space == std::string::npos || sent_space == std::string::npos) return "no space";
  return First({Unless(server.challenges == client.challenges, "another challenge"),
                Unless(got.substr(got_space) == sent.substr(sent_space), "another digest"),
                Unless(IsName(got.substr(0, got_space), settings.authcid), "another name")});
}

Why CheckDigestMd5(const Success& success, const Conversation& server, const Conversation& client,
                   const ClientSettings& settings) {
  if (server.responses.size() != 1 || client.responses.size() != 1) return "not one response";
  auto got = DirectivesOf(server.responses[0]);
  auto sent = DirectivesOf(client.responses[0]);
  if (!got || !sent) return "no list of directives";
  for (auto* directives : {&*got, &*sent}) directives->try_emplace("qop", "auth");
  for (const char* name : {"realm", "nonce", "cnonce", "nc", "qop", "digest-uri", "response"}) {
    if (got->contains(name) != sent->contains(name) || (*got)[name] != (*sent)[name]) {
      return std::string("another ") + name;
    }
  }
  const bool same_authzid = got->contains("authzid") == sent->contains("authzid") &&
                            (*got)["authzid"] == (*sent)["authzid"];
  return First({Unless(same_authzid, "another authzid"),
                Unless(IsAuthzid(settings.authzid, success.identity.authzid), "authzid not told"),
                Unless(IsName((*got)["username"], settings.authcid), "another name")});
}

Why CheckPlain(const Success& success, const Conversation& server, const ClientSettings& settings) {
  const std::string& message = server.responses.back();
  const size_t first = message.find('\0');
  const size_t last = message.rfind('\0');
  if (std::count(message.begin(), message.end(), '\0') != 2) return "not two NULs";
  return First(
      {Unless(IsAuthzid(message.substr(0, first), success.identity.authzid), "another authzid"),
       Unless(IsName(message.substr(first + 1, last - first - 1), settings.authcid), "wrong name"),
       Unless(IsPassword(message.substr(last + 1), settings.password), "wrong password")});
}

Why CheckLogin(const Success& success, const Conversation& server, const ClientSettings& settings) {
  const auto& responses = server.responses;
  if (responses.size() != 2) return "not two responses";
  return First({Unless(!success.identity.authzid.has_value(), "LOGIN has no authzid"),
                Unless(IsName(responses[0], settings.authcid), "wrong name"),
                Unless(IsPassword(responses[1], settings.password), "wrong password")});
}

Why CheckAnonymous(const AnonymousSuccess& success, const Conversation& server) {
  const std::string& message = server.responses.back();
  const auto characters =
      std::count_if(message.begin(), message.end(), [](char c) { return (c & 0xc0) != 0x80; });
  const auto prepared = PrepareStored(message);
  return First({Unless(characters <= 255, "trace too long"),
                Unless(prepared.ok() && *prepared == success.trace, "another trace")});
}

}  // namespace

std::optional<std::string> WhyWronglyLetIn(const RegisteredMechanism& mechanism,
                                           const Outcome& outcome, const Conversation& server,
                                           const Conversation& client,
                                           const ClientSettings& settings) {
  if (server.responses.empty()) return "let in without a word";
  if (const auto* anonymous = std::get_if<AnonymousSuccess>(&outcome)) {
    if (!mechanism.properties.anonymous) return "anonymous by another mechanism";
    return CheckAnonymous(*anonymous, server);
  }
  const auto& success = std::get<Success>(outcome);
  if (!IsUser(success, settings)) return "somebody else was let in";
  if (mechanism.verifier == Verifier::kScram) {
    return CheckScram(success, server, client, settings);
  }
  if (mechanism.name == "CRAM-MD5") return CheckCramMd5(server, client, settings);
  if (mechanism.name == "DIGEST-MD5") return CheckDigestMd5(success, server, client, settings);
  if (mechanism.name == "PLAIN") return CheckPlain(success, server, settings);
  if (mechanism.name == "LOGIN") return CheckLogin(success, server, settings);
  if (mechanism.name == "EXTERNAL") {
    return Unless(IsAuthzid(server.responses.back(), success.identity.authzid), "another authzid");
  }
  return "no property is written down for this mechanism";
}

}  // namespace sasld
