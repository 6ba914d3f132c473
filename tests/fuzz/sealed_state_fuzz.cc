// Sealed state: opens as it was sealed, and not at all once anything about it was changed.
#include "server/sasl/sealed_state.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "tests/fuzz/support.h"

namespace {

// Version, salt, counter: in the clear.
constexpr size_t kHeaderBytes = 1 + sasld::kStateSaltBytes + 8;

// One change somewhere in `sealed`; the result differs from it.
std::string Changed(std::string sealed, FuzzedDataProvider& input) {
  const size_t at = input.ConsumeIntegralInRange<size_t>(0, sealed.size() - 1);
  switch (input.ConsumeIntegralInRange<int>(0, 3)) {
    case 0:
      sealed[at] = static_cast<char>(sealed[at] ^ input.ConsumeIntegralInRange<int>(1, 255));
      return sealed;
    case 1:
      return sealed.substr(0, at);
    case 2:
      return sealed.substr(at + 1);
    default:
      return sealed + input.ConsumeRandomLengthString() + "x";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sasld::fuzz::Require;
  static const sasld::StateSealer sealer(sasld::Secret(std::string(32, 'k')),
                                         std::string(sasld::kStateSaltBytes, 's'));
  static const sasld::StateSealer replica(sasld::Secret(std::string(32, 'k')),
                                          std::string(sasld::kStateSaltBytes, 't'));
  static const sasld::StateSealer stranger(sasld::Secret(std::string(32, 'K')),
                                           std::string(sasld::kStateSaltBytes, 's'));
  Require(!sealer.Open("", sasld::fuzz::Text(data, size)).has_value(), "nobody else can seal");

  FuzzedDataProvider input(data, size);
  const uint64_t counter = input.ConsumeIntegral<uint64_t>();
  const std::string binding = input.ConsumeRandomLengthString();
  const std::string other_binding = input.ConsumeRandomLengthString();
  const std::string state = input.ConsumeRandomLengthString();
  const std::string sealed = sealer.Seal(counter, binding, state);
  Require(sealer.Open(binding, sealed) == state, "what was sealed opens");
  Require(replica.Open(binding, sealed) == state, "a replica with the same key opens it too");
  Require(!stranger.Open(binding, sealed).has_value(), "another key opens nothing");
  Require(state.size() < 8 || sealed.find(state, kHeaderBytes) == std::string::npos,
          "what is sealed cannot be read");
  if (binding != other_binding) {
    Require(!sealer.Open(other_binding, sealed).has_value(), "it opens with its own binding only");
  }
  Require(!sealer.Open(binding, Changed(sealed, input)).has_value(), "a changed one does not open");
  return 0;
}
