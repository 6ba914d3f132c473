// What a server writes in Dovecot's auth-client protocol, one function a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/adapter/protocol.h"

namespace sasld {

// Exim 4.96 dies of a reply line of more than 8 kB. With base64 of this and names of the size
// below, all lines stay below 8000 bytes.
inline constexpr size_t kMaxDovecotDataBytes = 4800;
inline constexpr size_t kMaxDovecotNameBytes = 512;  // sasld's are at most 255

// Not empty, not longer than a line bears, no control characters: Postfix takes an OK without a
// name for success and decodes no escapes.
bool IsDovecotName(std::string_view name);

// All of the handshake.
void AppendDovecotGreeting(const SessionFacts& facts, std::string& out);

void AppendDovecotContinue(uint32_t id, std::string_view data, std::string& out);

struct DovecotOk {
  uint32_t id;
  std::string_view authcid;
  std::string_view authzid;
  bool anonymous = false;
  std::optional<std::string_view> data = std::nullopt;  // the server's last message, if taken here
};
void AppendDovecotOk(const DovecotOk& ok, std::string& out);

// Fields that are empty are left out, and so are a user or a reason that could do harm.
struct DovecotFail {
  uint32_t id;
  std::string_view user = {};
  std::string_view code = {};
  std::string_view reason = {};  // Postfix shows it to its client
};
void AppendDovecotFail(const DovecotFail& fail, std::string& out);

// "Try again later", for clients of minor 2 and later; others take any FAIL for "wrong password".
void AppendDovecotTemporaryFail(uint32_t id, std::string& out);

}  // namespace sasld
