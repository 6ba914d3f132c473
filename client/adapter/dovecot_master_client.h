// The client's side of Dovecot's auth-master protocol, as far as one adapter asks another about a
// login (REQUEST): bytes in, answers out, no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/adapter/line_buffer.h"

namespace sasld {

// "USER", FAIL or NOTFOUND, and what follows the id in its line. As it is when made: nobody knows.
struct DovecotMasterAnswer {
  std::string command = "FAIL";
  std::string rest = {};  // empty, or with its TAB in front
};

// One connection. Not thread-safe.
class DovecotMasterClient {
 public:
  struct Answered {
    uint32_t id;  // that Request() gave; whoever uses it knows whether it was ever asked
    DovecotMasterAnswer answer;
  };

  // To be sent first.
  void Greet(std::string& out);
  // Asks for a login: AppendDovecotLogin (dovecot_master_line.h).
  uint32_t Request(std::string_view login, std::string& out);
  // Takes bytes as they come, in pieces of any size, and adds what they answer. False: the other
  // one does not speak this protocol, and is to be hung up on.
  bool Receive(std::string_view bytes, std::vector<Answered>& answered);

 private:
  bool TakeLine(std::string_view line, std::vector<Answered>& answered);

  LineBuffer lines_;
  bool greeted_ = false;
  uint32_t requests_ = 0;
};

}  // namespace sasld
