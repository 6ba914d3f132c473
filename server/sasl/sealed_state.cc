#include "server/sasl/sealed_state.h"

#include "server/sasl/aead.h"
#include "server/sasl/fields.h"
#include "server/sasl/hash.h"

namespace sasld {
namespace {

constexpr char kVersion = 1;
constexpr size_t kCounterBytes = 8;
constexpr size_t kHeaderBytes = 1 + kStateSaltBytes + kCounterBytes;

// The nonce of AES-GCM: four zero bytes and the counter.
std::string Nonce(std::string_view counter) {
  return std::string(kAeadNonceBytes - kCounterBytes, '\0').append(counter);
}

// HKDF-Extract, then one block of HKDF-Expand, which is all that 32 bytes take.
Secret DeriveKey(const Secret& cluster_key, std::string_view salt) {
  const Secret extracted = Hmac(Hash::kSha256, salt, cluster_key.Reveal());
  return Hmac(Hash::kSha256, extracted.Reveal(), std::string_view("sasld state\x01", 12));
}

std::vector<Secret> OneKey(const Secret& key) {
  std::vector<Secret> keys;
  keys.push_back(key.Clone());
  return keys;
}

}  // namespace

StateSealer::StateSealer(const Secret& cluster_key, std::string_view process_salt)
    : StateSealer(OneKey(cluster_key), process_salt) {}

StateSealer::StateSealer(std::vector<Secret> cluster_keys, std::string_view process_salt)
    : cluster_keys_(std::move(cluster_keys)),
      process_salt_(process_salt),
      process_key_(DeriveKey(cluster_keys_.front(), process_salt)) {}

std::string StateSealer::Seal(uint64_t counter, std::string_view binding,
                              std::string_view state) const {
  std::string sealed(1, kVersion);
  sealed.reserve(kHeaderBytes + state.size() + kAeadTagBytes);
  sealed.append(process_salt_);
  AppendNumber(sealed, counter);
  const std::string nonce = Nonce(std::string_view(sealed).substr(1 + kStateSaltBytes));
  // An unsealed state opens nowhere, so that the exchange fails closed.
  if (!AeadSeal(process_key_.Reveal(), nonce, binding, state, sealed)) return {};
  return sealed;
}

std::optional<std::string> StateSealer::Open(std::string_view binding,
                                             std::string_view sealed) const {
  if (sealed.size() < kHeaderBytes + kAeadTagBytes || sealed.front() != kVersion) {
    return std::nullopt;
  }
  const std::string_view salt = sealed.substr(1, kStateSaltBytes);
  const std::string nonce = Nonce(sealed.substr(1 + kStateSaltBytes, kCounterBytes));
  const std::string_view ciphertext = sealed.substr(kHeaderBytes);
  std::string state(ciphertext.size() - kAeadTagBytes, '\0');
  const auto opens_under = [&](const Secret& key) {
    return AeadOpen(key.Reveal(), nonce, binding, ciphertext, state.data());
  };
  if (salt == process_salt_) {
    if (opens_under(process_key_)) return state;
    return std::nullopt;
  }
  for (const Secret& cluster_key : cluster_keys_) {
    if (opens_under(DeriveKey(cluster_key, salt))) return state;
  }
  return std::nullopt;
}

}  // namespace sasld
