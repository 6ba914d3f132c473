// Where Dovecot's mail processes find the logins that its login processes have had authenticated.
//
// A login process runs AUTH on its connection and hands the user over to a mail process together
// with its process id (CPID), the id of its AUTH and its connection's cookie. The mail process
// brings all three with REQUEST, on another connection, and gets to know whose mail it serves.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace sasld {

using DovecotCookie = std::array<unsigned char, 16>;

struct DovecotLogin {
  std::string authcid;
  std::string authzid;
  std::string mechanism;
  bool anonymous = false;
};

// A login process's connection.
class DovecotLoginSource {
 public:
  virtual ~DovecotLoginSource() = default;
  // Whatever AUTH of that id has come to, it is over now. Nothing: it was not successful, or not
  // yet, or was claimed before.
  virtual std::optional<DovecotLogin> TakeLogin(uint32_t id) = 0;
};

// What the sockets of one adapter share. Not thread-safe.
class DovecotLogins {
 public:
  // `source` must Leave() before it goes. Process ids need not be unique: those of containers are
  // not, and the cookie is.
  void Join(uint32_t cpid, const DovecotCookie& cookie, DovecotLoginSource& source);
  void Leave(uint32_t cpid, const DovecotLoginSource& source);

  // Whether no login process is connected, so that there is nothing to be claimed.
  bool empty() const { return joined_.empty(); }

  // Nothing: no such connection, or TakeLogin() of it had nothing. A wrong cookie takes nothing.
  std::optional<DovecotLogin> Claim(uint32_t cpid, uint32_t id, const DovecotCookie& cookie);

 private:
  struct Joined {
    DovecotCookie cookie;
    DovecotLoginSource* source;
  };
  std::unordered_multimap<uint32_t, Joined> joined_;  // by CPID
};

}  // namespace sasld
