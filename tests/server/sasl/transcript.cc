#include "tests/server/sasl/transcript.h"

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <vector>

#include "server/sasl/base64.h"
#include "server/sasl/registry.h"

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

ScramKeys KeysOf(const std::string& answer) {
  auto words = Words(answer);
  if (words.contains("decoy")) {
    ScramKeys keys;
    keys.salt = std::string(16, 's');
    keys.stored_key = Secret(std::string(32, 'k'));
    keys.server_key = Secret(std::string(32, 'v'));
    return keys;
  }
  ScramKeys keys = DeriveScramKeys(ScramHash::kSha256, Secret(words.at("password")),
                                   DecodeBase64(words.at("salt")).value(),
                                   static_cast<uint32_t>(std::stoul(words.at("i"))));
  if (words.contains("epoch")) keys.epoch = std::stoull(words["epoch"]);
  return keys;
}

class Player {
 public:
  // Nothing, or what differed.
  std::optional<std::string> Line(const std::string& line) {
    if (line.empty() || line[0] == '#') return std::nullopt;
    if (line.starts_with("mechanism ")) return Mechanism(line.substr(10));
    if (line == "start") return Begin(std::nullopt);
    if (line == "C:") return Client("");
    if (line.starts_with("C: ")) return Client(Unescape(line.substr(3)));
    if (line.starts_with("ask ")) return Asked(line.substr(4));
    if (line == "S:") return Server("");
    if (line.starts_with("S: ")) return Server(Unescape(line.substr(3)));
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
    const std::string question = text.substr(0, arrow);
    const std::string answer = text.substr(arrow + 4);
    if (auto* ask = std::get_if<FetchScramKeys>(&*outcome_)) {
      if (question != "scram-keys " + ask->question.authcid.str()) {
        return "asks for keys of " + ask->question.authcid.str();
      }
      auto then = std::move(ask->then);
      outcome_ = std::move(then)(KeysOf(answer));
      return std::nullopt;
    }
    if (auto* ask = std::get_if<CheckPassword>(&*outcome_)) {
      const std::string asked = "password " + ask->question.authcid.str() + " \"" +
                                std::string(ask->question.password.Reveal()) + "\"";
      if (question != asked) return "asks: " + asked;
      auto then = std::move(ask->then);
      outcome_ =
          std::move(then)(answer == "match" ? PasswordVerdict::kMatch : PasswordVerdict::kNoMatch);
      return std::nullopt;
    }
    return "asks nothing" + Describe();
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
    ended_ = true;
    if (text != expected) return "success is: " + text;
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
