// What a socket's clients are believed of the connections of theirs (v1::ConnectionFacts).
#pragma once

#include <string>
#include <string_view>

#include "sasld/v1/sasl.pb.h"

namespace sasld {

struct Trust {
  bool address = true;          // remote_ip, local_ip and the ports
  bool secured = true;          // secured
  bool certificate = true;      // certificate
  bool channel_binding = true;  // can_bind, and the data
  friend bool operator==(const Trust&, const Trust&) = default;
};

// Stands for an address that is not believed: to sasld it is unknown. An empty one would be that of
// a program on the same machine, which may send passwords in the clear.
inline constexpr std::string_view kUntrustedAddress = "untrusted";

// The member that a word of the configuration stands for; null: there is no such word.
bool Trust::*FindTrust(std::string_view word);
// "\"address\", …", for error texts.
std::string TrustWords();

// Takes from a step what `trust` does not cover. Every step of every protocol passes here, the same
// way each time, as sasld binds an exchange to its facts.
void ClearUntrusted(const Trust& trust, v1::StepRequest& step);

}  // namespace sasld
