#include "client/libsasl2/request.h"

#include <string.h>

#include <algorithm>
#include <charconv>

#include "client/base64.h"

namespace sasld::libsasl2 {
namespace {

constexpr size_t kMaxServiceBytes = 64;

// libsasl2's "address;port".
void AppendAddress(std::string_view address_name, std::string_view port_name, std::string_view text,
                   Request& out) {
  size_t semicolon = text.rfind(';');
  if (semicolon == std::string_view::npos || semicolon == 0) return;
  std::string_view port = text;
  port.remove_prefix(semicolon + 1);
  out.AppendField(address_name, {text.data(), semicolon});
  out.AppendField(port_name, port);
}

// What stands for `c` after the escape byte; NUL if it may stand for itself.
char EscapeOf(char c) {
  constexpr std::string_view kEscaped("\0\x01\t\r\n", 5);
  constexpr std::string_view kEscapes = "01trn";
  size_t at = kEscaped.find(c);
  return at == std::string_view::npos ? '\0' : kEscapes[at];
}

}  // namespace

void Request::Append(std::string_view text) {
  if (!fits_ || text.size() > bytes_.size() - size_) {
    fits_ = false;
    return;
  }
  std::copy(text.begin(), text.end(), bytes_.begin() + static_cast<ptrdiff_t>(size_));
  size_ += text.size();
}

void Request::AppendNumber(uint64_t number) {
  char digits[20];
  char* end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  Append({digits, static_cast<size_t>(end - digits)});
}

void Request::AppendBase64(std::string_view bytes) {
  // Divided, because the size of the base64 might not fit into a size_t.
  if (!fits_ || bytes.size() > (bytes_.size() - size_) / 4 * 3) {
    fits_ = false;
    return;
  }
  EncodeBase64(bytes, bytes_.data() + size_);
  size_ += Base64Size(bytes.size());
}

void Request::AppendField(std::string_view name, std::string_view value) {
  Append("\t");
  Append(name);
  Append("=");
  for (const char& c : value) {
    char escape = EscapeOf(c);
    if (escape == '\0') {
      Append({&c, 1});
    } else {
      Append("\x01");
      Append({&escape, 1});
    }
  }
}

void Request::Wipe() {
  explicit_bzero(bytes_.data(), size_);
  size_ = 0;
  fits_ = true;
}

void AppendHandshake(bool can_bind, uint64_t process_id, Request& out) {
  // From minor 3 on clients bring channel binding data; from 2 on they understand "try later".
  out.Append(can_bind ? "VERSION\t1\t4\nCPID\t" : "VERSION\t1\t2\nCPID\t");
  out.AppendNumber(process_id);
  out.Append("\n");
}

void AppendAuth(const ExchangeFacts& facts, std::optional<std::string_view> response,
                Request& out) {
  out.Append("AUTH\t1\t");
  out.Append(facts.mechanism);
  out.AppendField("service", facts.service);
  AppendAddress("lip", "lport", facts.local_address, out);
  AppendAddress("rip", "rport", facts.remote_address, out);
  if (facts.can_bind) {
    out.Append("\tsecured=tls");
  } else if (facts.secured) {
    out.Append("\tsecured");
  }
  out.Append("\tfinal-resp-ok");
  if (response) {
    out.Append("\tresp=");
    out.AppendBase64(*response);
  }
  out.Append("\n");
}

void AppendContinue(std::string_view response, std::optional<std::string_view> binding_data,
                    Request& out) {
  out.Append("CONT\t1\t");
  out.AppendBase64(response);
  if (binding_data) {
    out.Append("\tchannel_binding=");
    out.AppendBase64(*binding_data);
  }
  out.Append("\n");
}

bool IsService(std::string_view text) {
  return !text.empty() && text.size() <= kMaxServiceBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace sasld::libsasl2
