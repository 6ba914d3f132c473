// A man in the middle of an honest exchange, of the mechanism that the first byte picks. He
// changes, replaces, inserts and swallows messages, knows an earlier exchange of the same user, and
// may begin anew with the server. The server lets somebody in only as matching.h says; a client
// that the server proves itself to believes it only then.
//
// The mechanism's state is sealed as the server does it, and passes through the same hands.
#include <fuzzer/FuzzedDataProvider.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/sasl/registry.h"
#include "server/sasl/sealed_state.h"
#include "tests/fuzz/support.h"
#include "tests/server/sasl/matching.h"

namespace {

using sasld::Conversation;
using sasld::RegisteredMechanism;
using sasld::fuzz::Require;

// An honest client; what it said, and heard and answered. It takes part in one exchange.
class ClientSide {
 public:
  ClientSide(const RegisteredMechanism& mechanism, const sasld::ClientSettings& settings)
      : client_(sasld::MakeClient(mechanism.name, settings)) {
    Require(client_ != nullptr, "every mechanism has a client");
  }

  std::optional<std::string> Start(bool at_once) {
    return at_once ? SayInitialResponse() : std::nullopt;
  }
  // Nothing: it gives up.
  std::optional<std::string> Hear(const std::string& challenge) {
    if (challenge.empty() && heard_.responses.empty()) {
      if (auto initial = SayInitialResponse()) return initial;
    }
    auto response = client_->Answer(challenge);
    if (!response) return std::nullopt;
    heard_.challenges.push_back(challenge);
    heard_.responses.push_back(*response);
    return response;
  }
  bool Believes(const std::optional<std::string>& data) const { return client_->Believes(data); }
  const Conversation& heard() const { return heard_; }

 private:
  std::optional<std::string> SayInitialResponse() {
    auto initial = client_->InitialResponse();
    if (initial) heard_.responses.push_back(*initial);
    return initial;
  }

  std::unique_ptr<sasld::SaslClient> client_;
  Conversation heard_;
};

// Passes messages on, or what he likes better; knows whether he did.
class Middleman {
 public:
  Middleman(FuzzedDataProvider& input, const std::vector<std::string>& earlier)
      : input_(input), seen_(earlier) {}

  std::string Pass(const std::string& message) {
    seen_.push_back(message);
    std::string passed = message;
    while (Acts()) Change(passed);
    if (passed != message) touched_ = true;
    return passed;
  }
  // Whether he does something of his own now.
  bool Acts() { return input_.remaining_bytes() > 0 && input_.ConsumeBool(); }
  bool Interferes() {
    const bool acts = Acts();
    touched_ = touched_ || acts;
    return acts;
  }
  std::string Forged() {
    if (input_.ConsumeBool() || seen_.empty()) return input_.ConsumeRandomLengthString(64);
    return seen_[input_.ConsumeIntegralInRange<size_t>(0, seen_.size() - 1)];
  }
  bool touched() const { return touched_; }

 private:
  void Change(std::string& message) {
    const size_t at = input_.ConsumeIntegralInRange<size_t>(0, message.size());
    switch (input_.ConsumeIntegralInRange<int>(0, 6)) {
      case 0:
        message.erase(at, input_.ConsumeIntegralInRange<size_t>(0, 8));
        break;
      case 1:
        message.insert(at, input_.ConsumeRandomLengthString(16));
        break;
      case 2:
        if (at < message.size()) message[at] = static_cast<char>(input_.ConsumeIntegral<uint8_t>());
        break;
      case 3:
        if (at < message.size()) message[at] = static_cast<char>(message[at] ^ 0x20);
        break;
      case 4:
        message = Forged();
        break;
      case 5:
        message = message.substr(0, at) + Forged();
        break;
      default:
        message += message.substr(at, 16);
        break;
    }
  }

  FuzzedDataProvider& input_;
  std::vector<std::string> seen_;
  bool touched_ = false;
};

const sasld::OneAccount& Account() {
  static const auto* account = new sasld::OneAccount;
  return *account;
}

sasld::ClientSettings Settings() {
  sasld::ClientSettings settings;
  settings.binding_data = std::string(32, 'x');
  return settings;
}

// What went over the wire when the same user logged in before.
std::vector<std::string> EarlierExchange(const RegisteredMechanism& registered,
                                         const sasld::Mechanism& mechanism) {
  sasld::ConnectionFacts facts = sasld::FactsOfAnExchange();
  facts.server_nonce = "anearlierone";
  sasld::ClientSettings settings = Settings();
  settings.cnonce = "earliercnonce";
  sasld::ServerSide server(mechanism, Account(), facts);
  ClientSide client(registered, settings);
  std::vector<std::string> seen;
  std::optional<std::string> response = client.Start(true);
  while (true) {
    if (response) seen.push_back(*response);
    const sasld::Outcome outcome = server.Step(response);
    if (const auto* success = std::get_if<sasld::Success>(&outcome)) {
      if (success->data) seen.push_back(*success->data);
    }
    const auto* challenge = std::get_if<sasld::Challenge>(&outcome);
    if (challenge == nullptr) return seen;
    seen.push_back(challenge->data);
    response = client.Hear(challenge->data);
  }
}

// One mechanism under attack.
class Attack {
 public:
  explicit Attack(const RegisteredMechanism& attacked)
      : registered(attacked),
        mechanism(attacked.make()),
        earlier(EarlierExchange(attacked, *mechanism)) {}

  const RegisteredMechanism& registered;
  const std::unique_ptr<const sasld::Mechanism> mechanism;
  const std::vector<std::string> earlier;
};

class Play {
 public:
  Play(const Attack& attack, FuzzedDataProvider& input)
      : registered_(attack.registered),
        mechanism_(*attack.mechanism),
        between_(input, attack.earlier),
        client_(registered_, Settings()),
        server_(NewServer()) {}

  void Run() {
    std::optional<std::string> response = client_.Start(!between_.Acts());
    for (int round = 0; round < 8 && !ended_; ++round) {
      if (between_.Interferes()) server_ = NewServer();
      while (!ended_ && between_.Interferes()) Take(server_.Step(between_.Forged()));
      if (ended_) break;
      const sasld::Outcome outcome =
          server_.Step(response ? std::optional(between_.Pass(*response)) : std::nullopt);
      Take(outcome);
      if (ended_) break;
      response = client_.Hear(between_.Pass(std::get<sasld::Challenge>(outcome).data));
      if (!response && !between_.Interferes()) break;
    }
    Require(let_in_ || between_.touched(), "an untouched exchange succeeds");
    if (registered_.properties.mutual_auth && !let_in_) {
      Require(!client_.Believes(between_.Forged()), "no forged proof of the server is believed");
      Require(!client_.Believes(std::nullopt), "no lack of one either");
    }
  }

 private:
  sasld::ServerSide NewServer() {
    sasld::ConnectionFacts facts = sasld::FactsOfAnExchange();
    facts.server_nonce += "n" + std::to_string(servers_++) + "s";
    return {mechanism_, Account(), facts};
  }

  void Take(const sasld::Outcome& outcome) {
    if (std::holds_alternative<sasld::Challenge>(outcome)) return PassState();
    ended_ = true;
    if (std::holds_alternative<sasld::Failure>(outcome)) return;
    let_in_ = true;
    const auto why =
        sasld::WhyWronglyLetIn(registered_, outcome, server_.heard(), client_.heard(), Settings());
    Require(!why, why ? why->c_str() : "");
    if (const auto* success = std::get_if<sasld::Success>(&outcome)) {
      Require(success->data.has_value() == registered_.properties.mutual_auth,
              "who promises a proof gives it");
      if (success->data) CheckProof(*success->data);
    }
  }

  // A server is what its state says: with an older one it goes on from there.
  void PassState() {
    static const sasld::StateSealer sealer(sasld::Secret(std::string(32, 'k')),
                                           std::string(sasld::kStateSaltBytes, 's'));
    issued_.insert_or_assign(server_.state, server_);
    const auto opened = sealer.Open(
        registered_.name, between_.Pass(sealer.Seal(sealed_++, registered_.name, server_.state)));
    if (!opened) {
      ended_ = true;
      return;
    }
    Require(issued_.contains(*opened), "no state opens that was not sealed");
    server_ = issued_.at(*opened);
  }

  // No other proof is believed: SCRAM's byte by byte, DIGEST-MD5's by its one directive.
  void CheckProof(const std::string& proof) {
    Require(client_.Believes(proof), "the client believes the server's own word");
    const std::string passed = between_.Pass(proof);
    if (!client_.Believes(passed) || passed == proof) return;
    const auto directives = sasld::DirectivesOf(passed);
    Require(registered_.name == "DIGEST-MD5" && directives &&
                "rspauth=" + directives->at("rspauth") == proof,
            "no changed proof of the server is believed");
  }

  const RegisteredMechanism& registered_;
  const sasld::Mechanism& mechanism_;
  Middleman between_;
  ClientSide client_;
  int servers_ = 0;
  uint64_t sealed_ = 0;
  sasld::ServerSide server_;
  std::map<std::string, sasld::ServerSide> issued_;  // by state
  bool ended_ = false;
  bool let_in_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* attacks = [] {
    auto* all = new std::vector<std::unique_ptr<const Attack>>;
    for (const RegisteredMechanism& mechanism : sasld::AllMechanisms()) {
      all->push_back(std::make_unique<const Attack>(mechanism));
    }
    return all;
  }();
  if (size == 0) return 0;
  FuzzedDataProvider input(data + 1, size - 1);
  Play(*(*attacks)[data[0] % attacks->size()], input).Run();
  return 0;
}
