#include "client/adapter/trust.h"

namespace sasld {
namespace {

struct Word {
  std::string_view word;
  bool Trust::*member;
};
constexpr Word kWords[] = {
    {"address", &Trust::address},
    {"secured", &Trust::secured},
    {"certificate", &Trust::certificate},
    {"channel-binding", &Trust::channel_binding},
};

}  // namespace

bool Trust::*FindTrust(std::string_view word) {
  for (const Word& one : kWords) {
    if (one.word == word) return one.member;
  }
  return nullptr;
}

std::string TrustWords() {
  std::string words;
  for (const Word& one : kWords) {
    words.append(words.empty() ? "\"" : ", \"").append(one.word).append("\"");
  }
  return words;
}

void ClearUntrusted(const Trust& trust, v1::StepRequest& step) {
  v1::ConnectionFacts& facts = *step.mutable_connection();
  if (!trust.address) {
    facts.set_remote_ip(std::string(kUntrustedAddress));
    facts.clear_local_ip();
    facts.clear_remote_port();
    facts.clear_local_port();
  }
  if (!trust.secured) facts.clear_secured();
  if (!trust.certificate) facts.clear_certificate();
  if (!trust.channel_binding) {
    facts.clear_can_bind();
    step.clear_channel_bindings();
  }
}

}  // namespace sasld
