#include "server/auth/foreign_argon2.h"

#include <argon2.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "server/auth/notation.h"

namespace sasld {
namespace {

// PHP and argon2-cffi make 64 MiB, Dovecot 32 or 64, libsodium at its second level 256.
constexpr uint32_t kMaxMemoryKib = 256 * 1024;
// Memory times passes is the time: this is about a second. libsodium's second level has 768 MiB.
constexpr uint64_t kMaxWorkKib = uint64_t{1} << 20;
// argon2-cffi, RFC 9106: 4 lanes.
constexpr uint32_t kMaxLanes = 16;
// RFC 9106 section 3.1 has 8 bytes of salt as the least; tools make 16. Hashes have 32.
constexpr size_t kLeastSaltBytes = 8;
constexpr size_t kMostSaltBytes = 64;
constexpr size_t kLeastHashBytes = 16;
constexpr size_t kMostHashBytes = 64;

struct ForeignArgon2 {
  argon2_type type = Argon2_id;
  uint32_t memory_kib = 0;
  uint32_t iterations = 0;
  uint32_t lanes = 0;
  Secret salt;
  Secret hash;
};

absl::Status Malformed() {
  return absl::InvalidArgumentError("the Argon2 hash is malformed or cut");
}

absl::Status TooCostly(std::string_view what, uint64_t most) {
  return Refused(
      {"the Argon2 hash costs too much: ", what, " is limited to ", std::to_string(most)});
}

// "m=65536,t=3,p=1$"
absl::Status TakeCost(std::string_view& phc, ForeignArgon2& argon2) {
  const auto take = [&phc](std::string_view name, uint32_t& value) {
    if (!TakePrefix(phc, name)) return false;
    value = TakeDecimal(phc).value_or(0);
    return value > 0;
  };
  if (!take("m=", argon2.memory_kib) || !take(",t=", argon2.iterations) ||
      !take(",p=", argon2.lanes) || !TakePrefix(phc, "$")) {
    return Malformed();
  }
  if (argon2.memory_kib > kMaxMemoryKib) return TooCostly("m (KiB)", kMaxMemoryKib);
  if (argon2.lanes > kMaxLanes) return TooCostly("p", kMaxLanes);
  if (uint64_t{argon2.memory_kib} * argon2.iterations > kMaxWorkKib) {
    return TooCostly("m times t", kMaxWorkKib);
  }
  // RFC 9106 s.3.1: memory is 8 p at least.
  return argon2.memory_kib < 8 * argon2.lanes ? Malformed() : absl::OkStatus();
}

absl::StatusOr<ForeignArgon2> ReadPhc(std::string_view phc) {
  ForeignArgon2 argon2;
  if (TakePrefix(phc, "$argon2i$")) {
    argon2.type = Argon2_i;
  } else if (!TakePrefix(phc, "$argon2id$")) {
    return absl::InvalidArgumentError("of Argon2 only $argon2id$ and $argon2i$ are taken");
  }
  if (!TakePrefix(phc, "v=19$")) {
    return absl::InvalidArgumentError("of Argon2 only version 19 (v=19) is taken");
  }
  RETURN_IF_ERROR(TakeCost(phc, argon2));
  const std::optional<std::string_view> salt_text = TakeUntil(phc, '$');
  if (!salt_text || phc.ends_with('=') || salt_text->ends_with('=')) return Malformed();
  std::optional<Secret> salt = DecodePaddedOrNot(*salt_text);
  std::optional<Secret> hash = DecodePaddedOrNot(phc);
  if (!salt || salt->size() < kLeastSaltBytes || salt->size() > kMostSaltBytes || !hash ||
      hash->size() < kLeastHashBytes || hash->size() > kMostHashBytes) {
    return Malformed();
  }
  argon2.salt = *std::move(salt);
  argon2.hash = *std::move(hash);
  return argon2;
}

}  // namespace

absl::Status CheckForeignArgon2(std::string_view phc) { return ReadPhc(phc).status(); }

absl::StatusOr<bool> VerifyForeignArgon2(std::string_view phc, const Secret& password) {
  ASSIGN_OR_RETURN(const ForeignArgon2 foreign, ReadPhc(phc));
  Secret hash = Secret::Zeros(foreign.hash.size());
  // libargon2 takes its inputs as mutable, but without ARGON2_FLAG_CLEAR_* only reads them.
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  argon2_context context{};
  context.out = bytes(hash.Reveal());
  context.outlen = static_cast<uint32_t>(hash.size());
  context.pwd = bytes(password.Reveal());
  context.pwdlen = static_cast<uint32_t>(password.size());
  context.salt = bytes(foreign.salt.Reveal());
  context.saltlen = static_cast<uint32_t>(foreign.salt.size());
  context.t_cost = foreign.iterations;
  context.m_cost = foreign.memory_kib;
  context.lanes = foreign.lanes;
  // One lane after the other: how many threads run is the hashing lane's business.
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  switch (const int error = argon2_ctx(&context, foreign.type)) {
    case ARGON2_OK:
      return EqualsConstantTime(hash.Reveal(), foreign.hash.Reveal());
    case ARGON2_MEMORY_ALLOCATION_ERROR:
      return absl::ResourceExhaustedError("not enough memory for an imported Argon2 hash");
    default:
      return absl::InternalError(absl::StrCat("Argon2: ", argon2_error_message(error)));
  }
}

}  // namespace sasld
