// What the fuzz targets share: a check that is never compiled away, an engine that answers a
// mechanism's questions, messages cut out of the input.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "server/sasl/mechanism.h"
#include "server/sasl/outcome.h"

namespace sasld::fuzz {

// A property of the code under test. libFuzzer keeps the input that breaks it.
inline void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", property);
  std::abort();
}

inline std::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The text up to the next newline, which is taken too; the rest where there is none.
inline std::string_view TakeLine(std::string_view& input) {
  const size_t newline = input.find('\n');
  const std::string_view line = input.substr(0, newline);
  input.remove_prefix(newline == std::string_view::npos ? input.size() : newline + 1);
  return line;
}

inline ConnectionFacts ExampleFacts() {
  ConnectionFacts facts;
  facts.service = "smtp";
  facts.remote_ip = "192.0.2.1";
  facts.secured = true;
  facts.server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  return facts;
}

inline ScramKeys CloneKeys(const ScramKeys& keys) {
  ScramKeys clone{keys.salt, keys.iterations, {}, keys.epoch};
  for (const ScramCandidate& one : keys.candidates) {
    clone.candidates.push_back({one.name, one.pair.Clone()});
  }
  return clone;
}

// Answers questions until none is left: every password claim with `verdict`, every name with
// `keys`. The result is a Challenge, Success or Failure.
inline Outcome Settle(Outcome outcome, PasswordVerdict verdict, const ScramKeys& keys) {
  while (true) {
    if (auto* claim = std::get_if<CheckPassword>(&outcome)) {
      auto then = std::move(claim->then);
      outcome = std::move(then)(verdict);
    } else if (auto* fetch = std::get_if<FetchScramKeys>(&outcome)) {
      auto then = std::move(fetch->then);
      outcome = std::move(then)(CloneKeys(keys));
    } else if (auto* equivalent = std::get_if<FetchPasswordEquivalent>(&outcome)) {
      auto then = std::move(equivalent->then);
      outcome = std::move(then)(Secret(std::string(32, 'd')));
    } else if (auto* certificate = std::get_if<IdentifyCertificate>(&outcome)) {
      auto then = std::move(certificate->then);
      outcome = std::move(then)(std::nullopt);
    } else {
      return outcome;
    }
  }
}

}  // namespace sasld::fuzz
