#include "client/adapter/dovecot_auth_line.h"

#include <algorithm>
#include <charconv>

#include "client/adapter/ip_text.h"
#include "client/adapter/mechanism_text.h"
#include "client/adapter/tab_fields.h"

namespace sasld {
namespace {

constexpr size_t kMaxServiceBytes = 64;           // sasl.proto, ConnectionFacts.service
constexpr size_t kMaxCertificateNameBytes = 255;  // sasl.proto, ClientCertificate

template <class Number>
std::optional<Number> ParseNumber(std::string_view digits) {
  Number number = 0;
  const char* end = digits.data() + digits.size();
  auto [stopped, error] = std::from_chars(digits.data(), end, number);
  if (digits.empty() || error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

bool IsService(std::string_view service) {
  return !service.empty() && service.size() <= kMaxServiceBytes &&
         std::all_of(service.begin(), service.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

void Recase(std::string& text, char first, char last) {
  for (char& c : text) {
    if (c >= first && c <= last) c = static_cast<char>(c ^ 0x20);
  }
}

void TakeAddress(std::string_view text, std::string* (v1::ConnectionFacts::*field)(),
                 v1::ConnectionFacts& facts) {
  // Unset fields stay unallocated.
  if (std::string_view address = IpAddressIn(text); !address.empty()) *(facts.*field)() = address;
}

uint32_t Port(std::string_view digits) { return ParseNumber<uint16_t>(digits).value_or(0); }

// One parameter but resp.
void TakeParameter(std::string_view name, std::string_view value, DovecotAuthLine& line,
                   std::string& certificate_username) {
  v1::ConnectionFacts& facts = line.connection;
  if (name == "service" || name == "protocol") {  // "protocol" since Dovecot 2.4
    *facts.mutable_service() = value;
  } else if (name == "lip") {
    TakeAddress(value, &v1::ConnectionFacts::mutable_local_ip, facts);
  } else if (name == "rip") {
    TakeAddress(value, &v1::ConnectionFacts::mutable_remote_ip, facts);
  } else if (name == "lport") {
    facts.set_local_port(Port(value));
  } else if (name == "rport") {
    facts.set_remote_port(Port(value));
  } else if (name == "secured") {  // also "secured=tls"
    facts.set_secured(true);
    line.tls = value == "tls";
  } else if (name == "final-resp-ok") {
    line.final_resp_ok = true;
  } else if (name == "valid-client-cert") {
    facts.mutable_certificate();
  } else if (name == "cert_username" && value.size() <= kMaxCertificateNameBytes) {
    certificate_username = value;
  }
}

// "resp" without, with an empty, or with a value. Before minor 2 an empty one means that there is
// none: Exim always writes "resp=". What SMTP writes "=" comes as "resp==".
void TakeResponse(std::string_view field, uint32_t client_minor, DovecotAuthLine& line) {
  std::string_view value = field.substr(std::min<size_t>(field.size(), 5));
  if (value.empty() && client_minor < 2) return;
  line.response = value == "=" ? std::string_view() : value;
}

}  // namespace

std::optional<DovecotVersion> ParseDovecotVersion(std::string_view line) {
  TabFields fields(line);
  if (*fields.Next() != "VERSION") return std::nullopt;
  std::optional<uint32_t> major = ParseDovecotNumber(fields.Next().value_or(""));
  std::optional<uint32_t> minor = ParseDovecotNumber(fields.Next().value_or(""));
  if (!major || !minor || fields.Rest()) return std::nullopt;
  return DovecotVersion{*major, *minor};
}

std::optional<uint32_t> ParseDovecotNumber(std::string_view digits) {
  return ParseNumber<uint32_t>(digits);
}

std::optional<uint32_t> ParseDovecotId(std::string_view digits) {
  std::optional<uint32_t> id = ParseNumber<uint32_t>(digits);
  return id == 0 ? std::nullopt : id;
}

std::variant<DovecotAuthLine, std::string_view> ParseDovecotAuthLine(std::string_view arguments,
                                                                     uint32_t client_minor) {
  TabFields fields(arguments);
  DovecotAuthLine line;
  std::optional<uint32_t> id = ParseDovecotId(*fields.Next());
  if (!id) return "AUTH without an id in 1..4294967295";
  line.id = *id;

  std::string_view mechanism = fields.Next().value_or("");
  if (!IsMechanismName(mechanism)) return "AUTH without a mechanism's name";
  line.mechanism = mechanism;
  Recase(line.mechanism, 'a', 'z');
  std::string certificate_username;
  while (std::optional<std::string_view> field = fields.Next()) {
    if (*field == "resp" || field->substr(0, 5) == "resp=") {
      if (fields.Rest()) return "AUTH with parameters after resp";
      TakeResponse(*field, client_minor, line);
      break;
    }
    std::string unescaped;
    if (field->find('\x01') != std::string_view::npos) field = unescaped = TabUnescaped(*field);
    size_t equals = std::min(field->find('='), field->size());
    TakeParameter(field->substr(0, equals), field->substr(std::min(equals + 1, field->size())),
                  line, certificate_username);
  }
  // A certificate that was not verified says nothing.
  if (line.connection.has_certificate()) {
    *line.connection.mutable_certificate()->mutable_username() = std::move(certificate_username);
  }
  if (!IsService(line.connection.service())) {
    return "AUTH without a service of at most 64 printable ASCII characters";
  }
  Recase(*line.connection.mutable_service(), 'A', 'Z');  // maddy says "SMTP"
  return line;
}

}  // namespace sasld
