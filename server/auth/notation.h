// How the notations of foreign password hashes write numbers and bytes, and the words that
// they are refused with. Each reader takes what it
// reads off the front of its argument, or decodes all of it; none accepts two spellings of one
// value but for the case of hexadecimal digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/sasl/secret.h"

namespace sasld {

// The text before `end`, which is taken too. Nothing if there is no `end`.
std::optional<std::string_view> TakeUntil(std::string_view& in, char end);

// Whether `prefix` was there, and was taken.
bool TakePrefix(std::string_view& in, std::string_view prefix);

// A decimal number without sign or leading zero. What does not fit is the largest value, so that a
// limit refuses it. Nothing if there is no digit.
std::optional<uint32_t> TakeDecimal(std::string_view& in);

// The same for all of `text`.
std::optional<uint32_t> DecimalOf(std::string_view text);

// Nothing for an odd length or what is no digit. Both cases are read.
std::optional<Secret> DecodeHex(std::string_view text);

// Base64 (RFC 4648 section 4), whose padding may be missing: LDAP servers and people drop it, and
// the PHC notation has none.
std::optional<Secret> DecodePaddedOrNot(std::string_view text);

std::string EncodeHex(std::string_view bytes);

// ASCII letters as capitals.
std::string Capitals(std::string_view text);

std::string Concatenated(std::initializer_list<std::string_view> parts);

// InvalidArgument with these words.
absl::Status Refused(std::initializer_list<std::string_view> words);

// Whether all are of crypt's alphabet: "./0-9A-Za-z".
bool IsCryptDigits(std::string_view text);

// Value of one of crypt's digits, '.' being 0. Nothing for what is none.
std::optional<uint32_t> CryptDigit(char c);

}  // namespace sasld
