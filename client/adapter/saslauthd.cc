// Where we part from saslauthd, and why:
// - Fields may have 8192 bytes, not 256: what libsasl2 sends at most.
// - A realm is always put behind the name (saslauthd -r): libsasl2 cuts names at their last "@".
#include "client/adapter/saslauthd.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client/adapter/ip_text.h"
#include "client/adapter/wiped_buffer.h"

namespace sasld {
namespace {

constexpr size_t kMaxFieldBytes = 8192;
constexpr size_t kMaxServiceBytes = 64;  // sasl.proto's ConnectionFacts
constexpr size_t kLengthBytes = 2;
constexpr uint64_t kOnlyExchange = 1;

enum Field : size_t { kUser, kPassword, kService, kRealm, kClient, kFields };
using Fields = std::array<std::string_view, kFields>;

enum class Extent { kPart, kWhole, kTooLong };

// Up to cyrus-sasl 2.1.28 there is no client. Nothing tells whether one will come; those who send
// it send it with the rest.
Extent ReadFields(std::string_view bytes, Fields& fields) {
  for (size_t i = 0; i < kFields; ++i) {
    if (i == kClient && bytes.empty()) return Extent::kWhole;
    if (bytes.size() < kLengthBytes) return Extent::kPart;
    const size_t length = static_cast<size_t>(static_cast<unsigned char>(bytes[0]) << 8 |
                                              static_cast<unsigned char>(bytes[1]));
    if (length > kMaxFieldBytes) return Extent::kTooLong;
    bytes.remove_prefix(kLengthBytes);
    if (bytes.size() < length) return Extent::kPart;
    fields[i] = bytes.substr(0, length);
    bytes.remove_prefix(length);
  }
  return Extent::kWhole;
}

// Of "192.0.2.7;4711", as libsasl2 writes it, or of an address alone; empty for anything else.
std::string_view AddressOf(std::string_view client) {
  return IpAddressIn(client.substr(0, client.find(';')));
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool HasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

void AppendReply(std::string_view word, std::string& out) {
  out += '\0';
  out += static_cast<char>(word.size());
  out += word;
}

class SaslauthdSession final : public ProtocolSession {
 public:
  explicit SaslauthdSession(const SessionFacts&) {}

  void Greet(std::string&) override {}
  void Receive(std::string_view bytes, std::string& out,
               std::vector<ProtocolEvent>& events) override;
  void Answer(uint64_t exchange, v1::StepReply&& reply, std::string& out,
              std::vector<ProtocolEvent>& events) override;
  // A connection is one exchange; the connection's own time limit is the exchange's.
  void ForgetSilent(absl::Time) override {}
  bool InExchange() const override { return phase_ == Phase::kAsked || !received_.empty(); }

 private:
  enum class Phase { kRequest, kAsked, kClosed };

  void Ask(const Fields& fields, std::string& out, std::vector<ProtocolEvent>& events);
  void Reply(std::string_view word, std::string& out, std::vector<ProtocolEvent>& events);
  void Close(std::string_view why, std::vector<ProtocolEvent>& events);

  Phase phase_ = Phase::kRequest;
  WipedBuffer received_;  // of the request
};

void SaslauthdSession::Receive(std::string_view bytes, std::string& out,
                               std::vector<ProtocolEvent>& events) {
  if (phase_ != Phase::kRequest) return;
  received_.Append(bytes);
  Fields fields;
  switch (ReadFields(received_.view(), fields)) {
    case Extent::kPart:
      return;
    case Extent::kTooLong:
      return Close("a field of more than 8192 bytes", events);
    case Extent::kWhole:
      return Ask(fields, out, events);
  }
}

void SaslauthdSession::Ask(const Fields& fields, std::string& out,
                           std::vector<ProtocolEvent>& events) {
  if (fields[kService].size() > kMaxServiceBytes || !IsPrintable(fields[kService])) {
    return Close("a service that is not 64 bytes of printable ASCII at most", events);
  }
  std::string name(fields[kUser]);
  if (!fields[kRealm].empty()) name.append("@").append(fields[kRealm]);
  // Nobody has these; a NUL would end the name, or the password, in the message below.
  if (fields[kUser].empty() || fields[kPassword].empty() || HasNul(name) ||
      HasNul(fields[kPassword])) {
    return Reply("NO", out, events);
  }
  StepWanted wanted{kOnlyExchange, {}};
  wanted.request.set_mechanism("PLAIN");
  v1::ConnectionFacts& facts = *wanted.request.mutable_connection();
  facts.set_service(std::string(fields[kService]));
  facts.set_remote_ip(std::string(AddressOf(fields[kClient])));
  // Unknown. But the password has come, and to leave it unchecked would not make it more secret.
  facts.set_secured(true);
  std::string& message = *wanted.request.mutable_response();
  message.reserve(2 + name.size() + fields[kPassword].size());
  message.append(1, '\0').append(name).append(1, '\0').append(fields[kPassword]);
  phase_ = Phase::kAsked;
  received_.Wipe();
  events.push_back(std::move(wanted));
}

void SaslauthdSession::Answer(uint64_t exchange, v1::StepReply&& reply, std::string& out,
                              std::vector<ProtocolEvent>& events) {
  if (phase_ != Phase::kAsked || exchange != kOnlyExchange) return;
  switch (reply.outcome_case()) {
    case v1::StepReply::kSuccess:
      return Reply("OK", out, events);
    case v1::StepReply::kFailure:
      if (reply.failure().code() == v1::Failure::MECHANISM_UNAVAILABLE) {
        events.emplace_back(Noticed{
            "saslauthd's protocol needs PLAIN, which is not enabled in sasld.toml, [mechanisms]"});
        return Close("", events);
      }
      return Reply("NO", out, events);
    case v1::StepReply::kChallenge:  // PLAIN has none
    case v1::StepReply::kTemporary:
    case v1::StepReply::kAccount:  // was not asked for
    case v1::StepReply::OUTCOME_NOT_SET:
      return Close("", events);
  }
}

void SaslauthdSession::Reply(std::string_view word, std::string& out,
                             std::vector<ProtocolEvent>& events) {
  AppendReply(word, out);
  Close("", events);
}

void SaslauthdSession::Close(std::string_view why, std::vector<ProtocolEvent>& events) {
  phase_ = Phase::kClosed;
  received_.Wipe();
  events.emplace_back(CloseWanted{why});
}

}  // namespace

std::unique_ptr<ProtocolSession> MakeSaslauthdSession(const SessionFacts& facts) {
  return std::make_unique<SaslauthdSession>(facts);
}

}  // namespace sasld
