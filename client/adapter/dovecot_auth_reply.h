// What a server writes in Dovecot's auth-client protocol, one function a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/adapter/dovecot_logins.h"
#include "client/adapter/protocol.h"

namespace sasld {

// Exim 4.96 dies of a reply line of more than 8 kB. With base64 of this and names of the size
// below, all lines stay below 8000 bytes.
inline constexpr size_t kMaxDovecotDataBytes = 4800;
inline constexpr size_t kMaxDovecotNameBytes = 512;  // sasld's are at most 255

// Not empty, not longer than a line bears, no control characters: Postfix takes an OK without a
// name for success and decodes no escapes.
bool IsDovecotName(std::string_view name);

// What all protocols of Dovecot are made of.
void AppendDovecotNumber(uint64_t number, std::string& out);
// "OK\t1": a command and the id it is about. A line without an id, and Exim 4.96 dies.
void AppendDovecotCommand(std::string_view command, uint32_t id, std::string& out);
void AppendDovecotField(std::string_view name, std::string_view value, std::string& out);
// 32 hexadecimal digits.
void AppendDovecotCookie(const DovecotCookie& cookie, std::string& out);

// The handshake's first line, and all others. Mechanisms with channel binding are for clients of
// minor 3 and later, who have to be known by then.
void AppendDovecotVersion(std::string& out);
enum class ChannelBindingOffer { kWithout, kWith };
void AppendDovecotHandshake(const SessionFacts& facts, ChannelBindingOffer offer, std::string& out);

// With `binding_type`, the client is to bring channel binding data of that type.
void AppendDovecotContinue(uint32_t id, std::string_view data, std::string_view binding_type,
                           std::string& out);

// What a client of minor 4 and later waits for.
void AppendDovecotCancelled(uint32_t id, std::string& out);

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
