#include "server/auth/crypt_notation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "proto/common/status_macros.h"
#include "server/auth/notation.h"

namespace sasld {
namespace {

// Longest hash that libcrypt writes (CRYPT_OUTPUT_SIZE of crypt.h, which counts a NUL).
constexpr size_t kMaxCryptBytes = 383;

// Costs above these are refused. Each limit has room above what tools make by default, and ends
// near a second on a machine of 2020.
constexpr uint32_t kMaxBcryptCost = 14;       // PHP 8.4, Python: 12. Each step doubles: 14 is 0.9 s
constexpr uint32_t kMaxShaRounds = 1000000;   // crypt(5): 5000; passlib, so Ansible too: 656000
constexpr uint32_t kMaxSha1Rounds = 1000000;  // NetBSD: about 25000; libcrypt: about 262000
constexpr uint32_t kMaxSunRounds = 500000;    // Solaris: 4096; libcrypt: about 100000
constexpr uint32_t kMaxBsdiRounds = 1000000;  // BSD/OS: 725; passlib: 5001
constexpr uint64_t kMaxMemoryBytes = uint64_t{256} << 20;  // Debian: 16 MiB yescrypt, 64 MiB scrypt

struct Method {
  std::string_view prefix;
  std::string_view name;
  // Of what follows the prefix.
  absl::Status (*check)(const Method& method, std::string_view rest);
  size_t most_salt_bytes;
  size_t hash_digits;
};

absl::Status Malformed(const Method& method) {
  return Refused({"the ", method.name, " hash is malformed or cut"});
}

absl::Status TooCostly(const Method& method, std::string_view what, uint64_t most) {
  return Refused({"the ", method.name, " hash costs too much: ", what, " is limited to ",
                  std::to_string(most)});
}

// What libcrypt refuses in any hash, and everything that is not visible ASCII.
bool IsSalt(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("!*:;\\$").find(c) == std::string_view::npos;
  });
}

// "salt$hash"
absl::Status CheckSaltAndHash(const Method& method, std::string_view rest) {
  const std::optional<std::string_view> salt = TakeUntil(rest, '$');
  if (!salt || salt->size() > method.most_salt_bytes || !IsSalt(*salt) ||
      rest.size() != method.hash_digits || !IsCryptDigits(rest)) {
    return Malformed(method);
  }
  return absl::OkStatus();
}

// "rounds=5000$salt$hash", or without the first part.
absl::Status CheckSha2(const Method& method, std::string_view rest) {
  if (TakePrefix(rest, "rounds=")) {
    const std::optional<uint32_t> rounds = TakeDecimal(rest);
    // Tools write 1000 where they were asked for less.
    if (!rounds || *rounds < 1000 || !TakePrefix(rest, "$")) return Malformed(method);
    if (*rounds > kMaxShaRounds) return TooCostly(method, "rounds", kMaxShaRounds);
  }
  return CheckSaltAndHash(method, rest);
}

// "rounds$salt$hash"
absl::Status CheckSha1(const Method& method, std::string_view rest) {
  const std::optional<uint32_t> rounds = TakeDecimal(rest);
  if (!rounds || *rounds == 0 || !TakePrefix(rest, "$")) return Malformed(method);
  if (*rounds > kMaxSha1Rounds) return TooCostly(method, "rounds", kMaxSha1Rounds);
  return CheckSaltAndHash(method, rest);
}

// ",rounds=37251$salt$$hash", and without rounds, and with one dollar less.
absl::Status CheckSunMd5(const Method& method, std::string_view rest) {
  if (TakePrefix(rest, ",rounds=")) {
    const std::optional<uint32_t> rounds = TakeDecimal(rest);
    if (!rounds || *rounds == 0) return Malformed(method);
    if (*rounds > kMaxSunRounds) return TooCostly(method, "rounds", kMaxSunRounds);
  }
  const size_t dollars = rest.find("$$");
  if (!TakePrefix(rest, "$")) return Malformed(method);
  if (dollars == std::string_view::npos || dollars == 0) return CheckSaltAndHash(method, rest);
  const std::string_view salt = rest.substr(0, dollars - 1);
  rest.remove_prefix(dollars + 1);
  const bool fits = salt.size() <= method.most_salt_bytes && IsSalt(salt) &&
                    rest.size() == method.hash_digits && IsCryptDigits(rest);
  return fits ? absl::OkStatus() : Malformed(method);
}

// "12$" and 22 digits of salt, 31 of hash.
absl::Status CheckBcrypt(const Method& method, std::string_view rest) {
  const std::optional<std::string_view> digits = TakeUntil(rest, '$');
  if (!digits || digits->size() != 2) return Malformed(method);
  std::string_view cost_digits = *digits;
  TakePrefix(cost_digits, "0");
  const std::optional<uint32_t> cost = DecimalOf(cost_digits);
  if (!cost || *cost < 4) return Malformed(method);
  if (*cost > kMaxBcryptCost) return TooCostly(method, "the cost", kMaxBcryptCost);
  const bool fits = rest.size() == method.hash_digits && IsCryptDigits(rest);
  return fits ? absl::OkStatus() : Malformed(method);
}

// 128 N r p bytes are what scrypt takes of memory where p is 1, and of work always.
absl::Status CheckScryptCost(const Method& method, uint32_t log2_n, uint64_t r, uint64_t p) {
  if (log2_n == 0 || r == 0 || p == 0) return Malformed(method);
  const uint64_t most = kMaxMemoryBytes / 128;
  if (log2_n > 31 || r > most || p > most || (uint64_t{1} << log2_n) > most / r / p) {
    return TooCostly(method, "the memory in MiB (128 N r p)", kMaxMemoryBytes >> 20);
  }
  return absl::OkStatus();
}

// "j9T$salt$hash". 'j' is the flavor that crypt_gensalt(3) makes, without the parameters of other
// uses of yescrypt; one digit each for log2 N and r (up to 48: more are several digits).
absl::Status CheckYescrypt(const Method& method, std::string_view rest) {
  const std::optional<std::string_view> parameters = TakeUntil(rest, '$');
  if (!parameters || !IsCryptDigits(*parameters)) return Malformed(method);
  if (parameters->size() != 3 || (*parameters)[0] != 'j') {
    return Refused({"the ", method.name, " hash has parameters that crypt(3) never makes"});
  }
  const uint32_t log2_n = *CryptDigit((*parameters)[1]) + 1;
  const uint32_t r = *CryptDigit((*parameters)[2]) + 1;
  if (log2_n > 48 || r > 48) return Malformed(method);
  RETURN_IF_ERROR(CheckScryptCost(method, log2_n, r, 1));
  // The salt is bytes in base64: four digits for three of them, and no single digit left over.
  const std::string_view salt = rest.substr(0, rest.find('$'));
  if (!IsCryptDigits(salt) || salt.size() % 4 == 1) return Malformed(method);
  return CheckSaltAndHash(method, rest);
}

// A number in crypt's digits, least significant first.
uint32_t DigitsOf(std::string_view digits) {
  uint32_t value = 0;
  for (size_t i = digits.size(); i-- > 0;) value = value << 6 | *CryptDigit(digits[i]);
  return value;
}

// "CU..../....salt$hash": log2 N in one digit, r and p in five each.
absl::Status CheckScrypt(const Method& method, std::string_view rest) {
  if (rest.size() < 11 || !IsCryptDigits(rest.substr(0, 11))) return Malformed(method);
  RETURN_IF_ERROR(CheckScryptCost(method, *CryptDigit(rest[0]), DigitsOf(rest.substr(1, 5)),
                                  DigitsOf(rest.substr(6, 5))));
  return CheckSaltAndHash(method, rest.substr(11));
}

// "$" and 32 hexadecimal digits; there is no salt.
absl::Status CheckNt(const Method& method, std::string_view rest) {
  // libcrypt writes small letters; other digits would never match.
  const bool fits = TakePrefix(rest, "$") && rest.size() == method.hash_digits &&
                    rest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return fits ? absl::OkStatus() : Malformed(method);
}

// Four digits of rounds, least significant first, four of salt, eleven of hash.
absl::Status CheckBsdi(const Method& method, std::string_view rest) {
  if (rest.size() != method.hash_digits || !IsCryptDigits(rest)) return Malformed(method);
  const uint32_t rounds = DigitsOf(rest.substr(0, 4));
  if (rounds == 0) return Malformed(method);
  if (rounds > kMaxBsdiRounds) return TooCostly(method, "rounds", kMaxBsdiRounds);
  return absl::OkStatus();
}

constexpr std::array kMethods = {
    Method{"$y$", "yescrypt", CheckYescrypt, 86, 43},
    Method{"$gy$", "gost-yescrypt", CheckYescrypt, 86, 43},
    Method{"$7$", "scrypt", CheckScrypt, 86, 43},
    Method{"$2a$", "bcrypt", CheckBcrypt, 0, 53},
    Method{"$2b$", "bcrypt", CheckBcrypt, 0, 53},
    Method{"$2x$", "bcrypt", CheckBcrypt, 0, 53},
    Method{"$2y$", "bcrypt", CheckBcrypt, 0, 53},
    Method{"$5$", "SHA-256-crypt", CheckSha2, 16, 43},
    Method{"$6$", "SHA-512-crypt", CheckSha2, 16, 86},
    Method{"$1$", "MD5-crypt", CheckSaltAndHash, 8, 22},
    Method{kApr1Prefix, "Apache MD5", CheckSaltAndHash, 8, 22},
    Method{"$sha1$", "SHA-1-crypt", CheckSha1, 64, 28},
    Method{"$md5", "Sun MD5", CheckSunMd5, 64, 22},
    Method{"$3$", "NT", CheckNt, 0, 32},
    Method{"_", "BSDI DES", CheckBsdi, 0, 19},
};

}  // namespace

absl::Status CheckCryptHash(std::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("the hash is empty");
  if (text.size() > kMaxCryptBytes) {
    return absl::InvalidArgumentError("the hash is longer than any that crypt(3) makes");
  }
  if (text.front() == '!' || text.front() == '*') {
    return absl::InvalidArgumentError(
        "a locked password ('!' or '*' in front): leave the mark out and disable the account");
  }
  for (const Method& method : kMethods) {
    std::string_view rest = text;
    if (TakePrefix(rest, method.prefix)) return method.check(method, rest);
  }
  if (text.front() == '$') {
    return absl::InvalidArgumentError("a $...$ prefix that sasld knows no method for");
  }
  if (text.size() != 13 || !IsCryptDigits(text)) {
    return absl::InvalidArgumentError("the DES hash is malformed or cut: it has 13 characters");
  }
  return absl::OkStatus();
}

}  // namespace sasld
