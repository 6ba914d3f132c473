#include "tests/server/sasl/transcript.h"

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <vector>

#include "server/sasl/base64.h"
#include "server/sasl/password_equivalents.h"
#include "server/sasl/registry.h"
#include "tests/server/sasl/openssl_calls.h"

namespace sasld {
namespace {

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out.push_back(text[i]);
    } else if (text[++i] == '0') {
      out.push_back('\0');
    } else if (text[i] == 'x' && i + 2 < text.size()) {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

const std::map<std::string, Reason>& Reasons() {
  static const auto* reasons =
      new std::map<std::string, Reason>{{"malformed", Reason::kMalformed},
                                        {"bad-credentials", Reason::kBadCredentials},
                                        {"state-invalid", Reason::kStateInvalid},
                                        {"nonce-mismatch", Reason::kNonceMismatch},
                                        {"binding-mismatch", Reason::kBindingMismatch},
                                        {"credential-changed", Reason::kCredentialChanged}};
  return *reasons;
}

// "key=value" words behind "=>".
std::map<std::string, std::string> Words(const std::string& text) {
  std::map<std::string, std::string> words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    const size_t equals = word.find('=');
    words[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  return words;
}

ScramKeys KeysOf(Hash hash, const std::string& answer) {
  auto words = Words(answer);
  if (words.contains("decoy")) {
    ScramKeys keys;
    keys.salt = std::string(16, 's');
    keys.candidates.push_back(
        {"",
         {Secret(std::string(HashBytes(hash), 'k')), Secret(std::string(HashBytes(hash), 'v'))}});
    return keys;
  }
  ScramKeys keys;
  keys.salt = DecodeBase64(words.at("salt")).value();
  keys.iterations = static_cast<uint32_t>(std::stoul(words.at("i")));
  for (const char* name : {"password", "app"}) {
    if (!words.contains(name)) continue;
    keys.candidates.push_back(
        {name, DeriveScramKeyPair(hash, Secret(words.at(name)), keys.salt, keys.iterations)});
  }
  if (words.contains("epoch")) keys.epoch = std::stoull(words["epoch"]);
  return keys;
}

Secret EquivalentOfAnswer(const EquivalentOf& question, const std::string& answer) {
  auto words = Words(answer);
  const bool cram = question.kind == PasswordEquivalent::kCramMd5;
  if (words.contains("decoy")) return Secret(std::string(cram ? 2 * kMd5Bytes : kMd5Bytes, 'd'));
  const Secret password(words.at("password"));
  return cram ? CramMd5States(password)
              : DigestMd5Ha1(question.authcid.str(), question.realm, password);
}

class Player {
 public:
  // Nothing, or what differed.
  std::optional<std::string> Line(const std::string& line) {
    if (line.empty() || line[0] == '#') return std::nullopt;
    if (line.starts_with("mechanism ")) return Mechanism(line.substr(10));
    if (line.starts_with("fact ")) return Fact(line.substr(5));
    if (line == "start") return Begin(std::nullopt);
    if (line == "C:") return Client("");
    if (line.starts_with("C: ")) return Client(Unescape(line.substr(3)));
    if (line.starts_with("ask ")) return Asked(line.substr(4));
    if (line == "S:") return Server("");
    if (line.starts_with("S: ")) return Server(Unescape(line.substr(3)));
    if (line.starts_with("needs ")) return Needs(line.substr(6));
    if (line == "anonymous") return SucceededAsNobody("");
    if (line.starts_with("anonymous ")) return SucceededAsNobody(Unescape(line.substr(10)));
    if (line.starts_with("success ")) return Succeeded(line.substr(8));
    if (line.starts_with("failure ")) return Failed(line.substr(8));
    return "not a line of a transcript";
  }
  bool Ended() const { return ended_; }

 private:
  std::optional<std::string> Mechanism(const std::string& text) {
    const size_t space = text.find(' ');
    const RegisteredMechanism* known = FindMechanism(text.substr(0, space));
    if (!known) return "no such mechanism";
    mechanism_ = known->make();
    const std::string key = "server-nonce=";
    if (const size_t at = text.find(key); at != std::string::npos) {
      facts_.server_nonce = text.substr(at + key.size());
    }
    return std::nullopt;
  }

  std::optional<std::string> Fact(const std::string& text) {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (name == "realm") {
      facts_.realm = value;
    } else if (name == "service") {
      facts_.service = value;
    } else if (name == "binding-offered") {
      facts_.binding_offered = true;
    } else if (name == "certificate") {
      facts_.certificate = ClientCertificate{};
      facts_.certificate->username = value;
    } else if (const size_t colon = value.find(':');
               name == "channel-binding" && colon != std::string::npos) {
      facts_.channel_bindings.push_back(
          {value.substr(0, colon), openssl::Unhex(value.substr(colon + 1))});
    } else {
      return "no such fact";
    }
    return std::nullopt;
  }

  std::optional<std::string> Begin(std::optional<std::string_view> initial_response) {
    outcome_ = mechanism_->Begin(facts_, initial_response);
    begun_ = true;
    return std::nullopt;
  }

  std::optional<std::string> Client(const std::string& message) {
    if (!begun_) return Begin(message);
    outcome_ = mechanism_->Continue(facts_, state_, message);
    return std::nullopt;
  }

  std::optional<std::string> Asked(const std::string& text) {
    const size_t arrow = text.find(" => ");
    if (arrow == std::string::npos) return "no answer";
    const std::string asks = Question();
    if (asks.empty()) return "asks nothing" + Describe();
    if (text.substr(0, arrow) != asks) return "asks: " + asks;
    Answer(text.substr(arrow + 4));
    return std::nullopt;
  }

  // What is asked, as a transcript has it; empty if nothing is.
  std::string Question() const {
    if (const auto* keys = std::get_if<FetchScramKeys>(&*outcome_)) {
      return "scram-keys " + keys->question.authcid.str();
    }
    if (const auto* claim = std::get_if<CheckPassword>(&*outcome_)) {
      return "password " + claim->question.authcid.str() + " \"" +
             std::string(claim->question.password.Reveal()) + "\"";
    }
    if (const auto* equivalent = std::get_if<FetchPasswordEquivalent>(&*outcome_)) {
      const EquivalentOf& question = equivalent->question;
      const bool cram = question.kind == PasswordEquivalent::kCramMd5;
      return std::string("equivalent ") + (cram ? "cram-md5 " : "digest-md5 ") +
             question.authcid.str() + (question.realm.empty() ? "" : " " + question.realm);
    }
    if (const auto* certificate = std::get_if<IdentifyCertificate>(&*outcome_)) {
      return "certificate " + certificate->question.username;
    }
    return "";
  }

  void Answer(const std::string& answer) {
    Outcome asked = *std::move(outcome_);
    if (auto* keys = std::get_if<FetchScramKeys>(&asked)) {
      outcome_ = std::move(keys->then)(KeysOf(keys->question.hash, answer));
    } else if (auto* claim = std::get_if<CheckPassword>(&asked)) {
      outcome_ = std::move(claim->then)(answer == "match" ? PasswordVerdict::kMatch
                                                          : PasswordVerdict::kNoMatch);
    } else if (auto* equivalent = std::get_if<FetchPasswordEquivalent>(&asked)) {
      outcome_ = std::move(equivalent->then)(EquivalentOfAnswer(equivalent->question, answer));
    } else if (auto* certificate = std::get_if<IdentifyCertificate>(&asked)) {
      std::optional<Username> account;
      if (answer != "nobody") account = Username::FromPrepared(answer);
      outcome_ = std::move(certificate->then)(std::move(account));
    }
  }

  std::optional<std::string> Needs(const std::string& type) {
    const auto* challenge = std::get_if<Challenge>(&*outcome_);
    if (!challenge) return "no challenge" + Describe();
    if (challenge->channel_binding_type == type) return std::nullopt;
    return "needs: " + challenge->channel_binding_type;
  }

  std::optional<std::string> Server(const std::string& expected) {
    const auto* challenge = std::get_if<Challenge>(&*outcome_);
    if (!challenge) return "no challenge" + Describe();
    if (challenge->data != expected) return "challenge is: " + challenge->data;
    state_ = challenge->state;
    return std::nullopt;
  }

  std::optional<std::string> Succeeded(const std::string& expected) {
    const auto* success = std::get_if<Success>(&*outcome_);
    if (!success) return "no success" + Describe();
    std::string text = success->identity.authcid.str();
    if (success->identity.authzid) text += " as " + success->identity.authzid->str();
    if (success->data) text += " data=" + *success->data;
    if (success->candidate == "app") text += " by app";
    ended_ = true;
    if (text != expected) return "success is: " + text;
    return std::nullopt;
  }

  std::optional<std::string> SucceededAsNobody(const std::string& trace) {
    const auto* success = std::get_if<AnonymousSuccess>(&*outcome_);
    if (!success) return "not let in as nobody" + Describe();
    ended_ = true;
    if (success->trace != trace) return "trace is: " + success->trace;
    return std::nullopt;
  }

  std::optional<std::string> Failed(const std::string& expected) {
    const auto* failure = std::get_if<Failure>(&*outcome_);
    if (!failure) return "no failure";
    ended_ = true;
    if (!Reasons().contains(expected)) return "unknown reason " + expected;
    if (failure->reason != Reasons().at(expected)) {
      return "failed for another reason: " + std::string(failure->detail);
    }
    return std::nullopt;
  }

  std::string Describe() const {
    const auto* failure = std::get_if<Failure>(&*outcome_);
    return failure ? ", but failure: " + std::string(failure->detail) : "";
  }

  std::unique_ptr<const sasld::Mechanism> mechanism_;
  ConnectionFacts facts_;
  std::string state_;
  std::optional<Outcome> outcome_;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

std::optional<std::string> PlayTranscript(const std::string& path) {
  std::ifstream file(path);
  if (!file) return path + ": cannot be read";
  Player player;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (const auto difference = player.Line(line)) {
      return path + ":" + std::to_string(number) + ": " + *difference;
    }
  }
  if (!player.Ended()) return path + ": ends without success or failure";
  return std::nullopt;
}

}  // namespace sasld
