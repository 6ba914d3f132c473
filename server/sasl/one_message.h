// Mechanisms of one message, which is the client's.
#pragma once

#include <optional>
#include <string_view>

#include "server/sasl/mechanism.h"

namespace sasld {

class OneMessage final : public Mechanism {
 public:
  using Take = Outcome (*)(const ConnectionFacts& facts, std::string_view message);
  explicit OneMessage(Take take) : take_(take) {}

  Outcome Begin(const ConnectionFacts& facts,
                std::optional<std::string_view> initial_response) const override {
    // RFC 4422 s.3: without an initial response a client-first mechanism starts with an empty
    // challenge.
    if (!initial_response) return Challenge{};
    return take_(facts, *initial_response);
  }

  Outcome Continue(const ConnectionFacts& facts, std::string_view,
                   std::string_view response) const override {
    return take_(facts, response);
  }

 private:
  const Take take_;
};

}  // namespace sasld
