#include "server/auth/password_hash.h"

#include <argon2.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "server/sasl/base64.h"

namespace sasld {
namespace {

constexpr size_t kHashBytes = 32;
// A hash in the store that asks for more is not one that we made at any sane setting.
constexpr uint32_t kMaxMemoryKib = 4 * 1024 * 1024;
constexpr uint32_t kMaxIterations = 1000;
constexpr uint32_t kMaxParallelism = 64;

struct ParsedPhc {
  Argon2idCost cost;
  std::string salt;
  Secret hash;
};

// The PHC format has base64 without padding.
std::string EncodeUnpadded(std::string_view bytes) {
  std::string text = EncodeBase64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::optional<std::string> DecodeUnpadded(std::string_view text) {
  std::string padded(text);
  while (padded.size() % 4 != 0) padded.push_back('=');
  return DecodeBase64(padded);
}

// Cuts "<prefix>number" off the front of `rest`.
std::optional<uint32_t> TakeParameter(std::string_view prefix, std::string_view& rest,
                                      uint32_t most) {
  if (!rest.starts_with(prefix)) return std::nullopt;
  rest.remove_prefix(prefix.size());
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc() || value == 0 || value > most) return std::nullopt;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  return value;
}

std::optional<ParsedPhc> ParsePhc(std::string_view phc) {
  const auto memory = TakeParameter("$argon2id$v=19$m=", phc, kMaxMemoryKib);
  if (!memory) return std::nullopt;
  const auto iterations = TakeParameter(",t=", phc, kMaxIterations);
  if (!iterations) return std::nullopt;
  const auto parallelism = TakeParameter(",p=", phc, kMaxParallelism);
  if (!parallelism || !phc.starts_with('$')) return std::nullopt;
  phc.remove_prefix(1);
  const size_t dollar = phc.find('$');
  if (dollar == std::string_view::npos) return std::nullopt;
  std::optional<std::string> salt = DecodeUnpadded(phc.substr(0, dollar));
  const std::optional<std::string> hash = DecodeUnpadded(phc.substr(dollar + 1));
  if (!salt || !hash || salt->size() < 8 || hash->size() < 16 || hash->size() > 64) {
    return std::nullopt;
  }
  return ParsedPhc{{*memory, *iterations, *parallelism}, *std::move(salt), Secret(*hash)};
}

// RFC 9106 s.3.1: the memory MUST be at least 8 KiB a lane.
uint32_t MemoryKibOf(const Argon2idCost& cost) {
  return std::max(cost.memory_kib, 8 * cost.parallelism);
}
size_t BytesOf(const Argon2idCost& cost) { return size_t{MemoryKibOf(cost)} * 1024; }

}  // namespace

PasswordHasher::PasswordHasher(Argon2idCost cost, const Secret& pepper, size_t memory)
    : cost_(cost), arenas_({memory, BytesOf(cost)}) {
  peppers_.emplace(1, pepper.Clone());
}

PasswordHasher::PasswordHasher(Argon2idCost cost, std::map<uint32_t, Secret> peppers, size_t memory)
    : cost_(cost), arenas_({memory, BytesOf(cost)}), peppers_(std::move(peppers)) {}

void PasswordHasher::Adopt(std::map<uint32_t, Secret> peppers) {
  absl::MutexLock lock(&mutex_);
  peppers_ = std::move(peppers);
}

std::pair<uint32_t, Secret> PasswordHasher::CurrentPepper() const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto& [id, pepper] = *peppers_.rbegin();
  return {id, pepper.Clone()};
}

std::optional<Secret> PasswordHasher::PepperOf(const Credential& credential) const {
  if (!credential.pepper.empty()) return credential.pepper.Clone();
  absl::ReaderMutexLock lock(&mutex_);
  const auto known = peppers_.find(credential.pepper_id);
  if (known == peppers_.end()) return std::nullopt;
  return known->second.Clone();
}

absl::StatusOr<Secret> PasswordHasher::Compute(const Argon2idCost& cost, const Secret& pepper,
                                               const Secret& prepared_password,
                                               std::string_view salt, size_t hash_bytes) const {
  ASSIGN_OR_RETURN(Argon2Arenas::Lease arena, arenas_.Borrow(BytesOf(cost)));
  return Compute(cost, pepper, prepared_password, salt, hash_bytes, arena);
}

absl::StatusOr<Secret> PasswordHasher::Compute(const Argon2idCost& cost, const Secret& pepper,
                                               const Secret& prepared_password,
                                               std::string_view salt, size_t hash_bytes,
                                               Argon2Arenas::Lease& arena) const {
  Secret hash = Secret::Zeros(hash_bytes);
  // libargon2 takes its inputs as mutable, but without ARGON2_FLAG_CLEAR_* only reads them.
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  argon2_context context{};
  context.out = bytes(hash.Reveal());
  context.outlen = static_cast<uint32_t>(hash_bytes);
  context.pwd = bytes(prepared_password.Reveal());
  context.pwdlen = static_cast<uint32_t>(prepared_password.size());
  context.salt = bytes(salt);
  context.saltlen = static_cast<uint32_t>(salt.size());
  context.secret = bytes(pepper.Reveal());
  context.secretlen = static_cast<uint32_t>(pepper.size());
  context.t_cost = cost.iterations;
  context.m_cost = MemoryKibOf(cost);
  context.lanes = cost.parallelism;
  context.threads = cost.parallelism;
  context.version = ARGON2_VERSION_13;
  context.allocate_cbk = Argon2Arenas::Lease::Allocate;
  context.free_cbk = Argon2Arenas::Lease::Free;
  switch (const int error = arena.Lend([&context] { return argon2id_ctx(&context); })) {
    case ARGON2_OK:
      return hash;
    case ARGON2_MEMORY_ALLOCATION_ERROR:
      return absl::ResourceExhaustedError("not enough memory for Argon2id");
    default:
      return absl::InternalError(absl::StrCat("Argon2id: ", argon2_error_message(error)));
  }
}

absl::StatusOr<Argon2idVerifier> PasswordHasher::Hash(const Secret& prepared_password,
                                                      std::string_view salt) const {
  const auto [id, pepper] = CurrentPepper();
  ASSIGN_OR_RETURN(const Secret hash, Compute(cost_, pepper, prepared_password, salt, kHashBytes));
  return Argon2idVerifier{absl::StrCat("$argon2id$v=19$m=", cost_.memory_kib,
                                       ",t=", cost_.iterations, ",p=", cost_.parallelism, "$",
                                       EncodeUnpadded(salt), "$", EncodeUnpadded(hash.Reveal())),
                          id};
}

absl::StatusOr<bool> PasswordHasher::Verify(const Credential& credential,
                                            const Secret& prepared_password) const {
  const std::optional<ParsedPhc> parsed = ParsePhc(credential.argon2id);
  if (!parsed) return absl::DataLossError("the stored Argon2id verifier makes no sense");
  const std::optional<Secret> pepper = PepperOf(credential);
  if (!pepper) {
    return absl::DataLossError(absl::StrCat("a password was hashed with key ", credential.pepper_id,
                                            ", which is not in the key file"));
  }
  ASSIGN_OR_RETURN(const Secret hash, Compute(parsed->cost, *pepper, prepared_password,
                                              parsed->salt, parsed->hash.size()));
  return EqualsConstantTime(hash.Reveal(), parsed->hash.Reveal());
}

absl::Status PasswordHasher::VerifyDecoy(const Secret& prepared_password) const {
  return Compute(cost_, CurrentPepper().second, prepared_password, "decoy salt 16 by", kHashBytes)
      .status();
}

bool PasswordHasher::IsHash(std::string_view phc) { return ParsePhc(phc).has_value(); }

bool PasswordHasher::IsUpToDate(const Credential& credential) const {
  const std::optional<ParsedPhc> parsed = ParsePhc(credential.argon2id);
  return parsed && parsed->cost == cost_ && credential.pepper.empty() &&
         credential.pepper_id == CurrentPepper().first;
}

bool PasswordHasher::CarryPepper(Credential& credential) const {
  if (credential.argon2id.empty() || !credential.pepper.empty()) return false;
  if (credential.pepper_id == CurrentPepper().first) return false;
  std::optional<Secret> pepper = PepperOf(credential);
  if (!pepper) return false;
  credential.pepper = *std::move(pepper);
  return true;
}

void PasswordHasher::RecognizePepper(Credential& credential) const {
  const auto [id, pepper] = CurrentPepper();
  if (!EqualsConstantTime(credential.pepper.Reveal(), pepper.Reveal())) return;
  credential.pepper_id = id;
  credential.pepper = Secret();
}

absl::StatusOr<absl::Duration> PasswordHasher::Measure(
    const Argon2idCost& cost, absl::FunctionRef<absl::Time()> clock) const {
  ASSIGN_OR_RETURN(Argon2Arenas::Lease arena, arenas_.Borrow(BytesOf(cost)));
  arena.Touch();
  const Secret password("nobody's password");
  const Secret pepper = CurrentPepper().second;
  const absl::Time start = clock();
  RETURN_IF_ERROR(Compute(cost, pepper, password, "decoy salt 16 by", kHashBytes, arena).status());
  return clock() - start;
}

}  // namespace sasld
