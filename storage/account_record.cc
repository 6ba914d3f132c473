#include "storage/account_record.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/record_parts.h"

namespace sasld {
namespace {

constexpr size_t kCramMd5Bytes = 32;
constexpr size_t kHa1Bytes = 16;

// Beside those of PartTag. The values are part of what is stored: never change one.
enum Tag : uint8_t {
  kCreated = 2,
  kPasswordChanged = 3,
  kArgon2id = 4,
  kPepperId = 5,
  kPepper = 6,
  kImported = 7,
  kScramSalt = 8,
  kScramIterations = 9,
  kScramKeys = 10,  // for each hash: its number (one byte), StoredKey, ServerKey
  kCramMd5 = 11,
  kDigestMd5Realm = 12,
  kDigestMd5Ha1 = 13,
  kAppPasswordKey = 14,
  kAppPassword = 15,  // for each: fields of its own
  kMustChangePassword = 18,
  kExpires = 19,
  kAlias = 23,
  kSender = 24,
  // Of an app password, beside the ones above:
  kId = 40,
  kLabel = 41,
  kLookup = 42,
};

void AddText(FieldWriter& writer, Tag tag, std::string_view text) {
  if (!text.empty()) writer.Add(tag, text);
}

void AddExpiry(FieldWriter& writer, absl::Time expires) {
  if (expires != absl::InfiniteFuture()) {
    writer.AddNumber(kExpires, absl::ToUnixSeconds(expires));
  }
}

void AddScramKeys(FieldWriter& writer, const std::map<Hash, ScramKeyPair>& keys) {
  for (const auto& [hash, pair] : keys) {
    const char number = static_cast<char>(hash);
    writer.Add(kScramKeys, Secret::Joined(Secret(std::string_view(&number, 1)),
                                          Secret::Joined(pair.stored_key, pair.server_key))
                               .Reveal());
  }
}

void AddCredential(FieldWriter& writer, const Credential& credential) {
  AddText(writer, kArgon2id, credential.argon2id);
  if (credential.pepper_id != 0) writer.AddNumber(kPepperId, credential.pepper_id);
  AddText(writer, kPepper, credential.pepper.Reveal());
  AddText(writer, kImported, credential.imported);
  if (credential.scram) {
    writer.Add(kScramSalt, credential.scram->salt);
    writer.AddNumber(kScramIterations, credential.scram->iterations);
    AddScramKeys(writer, credential.scram->keys);
  }
  AddText(writer, kCramMd5, credential.cram_md5.Reveal());
  if (credential.digest_md5) {
    writer.Add(kDigestMd5Realm, credential.digest_md5->realm);
    writer.Add(kDigestMd5Ha1, credential.digest_md5->ha1.Reveal());
  }
}

Secret PrintAppPassword(const AppPassword& one) {
  FieldWriter writer;
  writer.Add(kId, one.id);
  AddText(writer, kLabel, one.label);
  writer.Add(kLookup, one.lookup.Reveal());
  AddScramKeys(writer, one.scram);
  AddAccess(writer, one.access);
  writer.AddNumber(kCreated, absl::ToUnixSeconds(one.created));
  AddExpiry(writer, one.expires);
  return writer.Take();
}

Taken TakeTime(std::string_view value, absl::Time& time) {
  const std::optional<int64_t> seconds = NumberOf(value);
  if (seconds) time = absl::FromUnixSeconds(*seconds);
  return TakenIf(seconds.has_value());
}

Taken TakeCount(std::string_view value, uint32_t& count) {
  const std::optional<int64_t> number = NumberOf(value);
  if (!number || *number <= 0 || *number > std::numeric_limits<uint32_t>::max()) {
    return Taken::kNonsense;
  }
  count = static_cast<uint32_t>(*number);
  return Taken::kYes;
}

Taken TakeScramKeys(std::string_view value, std::map<Hash, ScramKeyPair>& keys) {
  for (const Hash hash : kAllHashes) {
    if (value.empty() || value.front() != static_cast<char>(hash)) continue;
    const std::string_view both = value.substr(1);
    const size_t bytes = HashBytes(hash);
    if (both.size() != 2 * bytes) return Taken::kNonsense;
    return TakenIf(
        keys.emplace(hash, ScramKeyPair{Secret(both.substr(0, bytes)), Secret(both.substr(bytes))})
            .second);
  }
  return Taken::kNonsense;
}

Taken TakeCredential(const Field& field, Credential& credential) {
  const auto scram = [&credential]() -> ScramVerifiers& {
    return credential.scram ? *credential.scram : credential.scram.emplace();
  };
  switch (field.tag) {
    case kArgon2id:
      credential.argon2id = field.value;
      return Taken::kYes;
    case kPepperId:
      return TakeCount(field.value, credential.pepper_id);
    case kPepper:
      credential.pepper = Secret(field.value);
      return Taken::kYes;
    case kImported:
      credential.imported = field.value;
      return Taken::kYes;
    case kScramSalt:
      scram().salt = field.value;
      return TakenIf(!field.value.empty());
    case kScramIterations:
      return TakeCount(field.value, scram().iterations);
    case kScramKeys:
      return TakeScramKeys(field.value, scram().keys);
    case kCramMd5:
      credential.cram_md5 = Secret(field.value);
      return TakenIf(field.value.size() == kCramMd5Bytes);
    case kDigestMd5Realm:
      credential.digest_md5 = DigestMd5Verifier{std::string(field.value), {}};
      return Taken::kYes;
    case kDigestMd5Ha1:
      if (!credential.digest_md5 || field.value.size() != kHa1Bytes) return Taken::kNonsense;
      credential.digest_md5->ha1 = Secret(field.value);
      return Taken::kYes;
    default:
      return Taken::kNotMine;
  }
}

bool ParseAppPassword(std::string_view bytes, AppPassword& one) {
  FieldReader reader(bytes);
  while (const std::optional<Field> field = reader.Next()) {
    Taken taken = TakeAccess(*field, one.access);
    if (taken == Taken::kYes) continue;
    switch (field->tag) {
      case kId:
        one.id = field->value;
        taken = Taken::kYes;
        break;
      case kLabel:
        one.label = field->value;
        taken = Taken::kYes;
        break;
      case kLookup:
        one.lookup = Secret(field->value);
        taken = Taken::kYes;
        break;
      case kScramKeys:
        taken = TakeScramKeys(field->value, one.scram);
        break;
      case kCreated:
        taken = TakeTime(field->value, one.created);
        break;
      case kExpires:
        taken = TakeTime(field->value, one.expires);
        break;
      default:
        break;
    }
    if (taken != Taken::kYes) return false;
  }
  return reader.ok() && !one.id.empty() && !one.lookup.empty();
}

Taken TakeOwn(const Field& field, Account& account) {
  switch (field.tag) {
    case kDisabled:
      account.enabled = false;
      return Taken::kYes;
    case kCreated:
      return TakeTime(field.value, account.created);
    case kPasswordChanged:
      return TakeTime(field.value, account.password_changed);
    case kAppPasswordKey:
      account.app_password_key = Secret(field.value);
      return Taken::kYes;
    case kAppPassword:
      return TakenIf(ParseAppPassword(field.value, account.app_passwords.emplace_back()));
    case kRequireAppPassword:
      account.require_app_password = true;
      return Taken::kYes;
    case kSendOnly:
      account.send_only = true;
      return Taken::kYes;
    case kMustChangePassword:
      account.must_change_password = true;
      return Taken::kYes;
    case kExpires:
      return TakeTime(field.value, account.expires);
    case kAlias:
      account.aliases.push_back(Username::FromPrepared(std::string(field.value)));
      return Taken::kYes;
    case kSender:
      account.senders.emplace_back(field.value);
      return Taken::kYes;
    default:
      return Taken::kNotMine;
  }
}

bool MakesSense(const Credential& credential) {
  // Keys without a salt serve nobody.
  return (!credential.scram || !credential.scram->salt.empty()) &&
         (!credential.digest_md5 || !credential.digest_md5->ha1.empty());
}

// Where one key lies to its end and the other begins is not stored.
bool HaveTheirSizes(const std::map<Hash, ScramKeyPair>& keys) {
  return std::all_of(keys.begin(), keys.end(), [](const auto& entry) {
    return entry.second.stored_key.size() == HashBytes(entry.first) &&
           entry.second.server_key.size() == HashBytes(entry.first);
  });
}

}  // namespace

Secret PrintAccountRecord(const Account& account) {
  FieldWriter writer;
  AddFlag(writer, kDisabled, !account.enabled);
  writer.AddNumber(kCreated, absl::ToUnixSeconds(account.created));
  writer.AddNumber(kPasswordChanged, absl::ToUnixSeconds(account.password_changed));
  AddCredential(writer, account.credential);
  AddText(writer, kAppPasswordKey, account.app_password_key.Reveal());
  for (const AppPassword& one : account.app_passwords) {
    writer.Add(kAppPassword, PrintAppPassword(one).Reveal());
  }
  AddFlag(writer, kRequireAppPassword, account.require_app_password);
  AddFlag(writer, kSendOnly, account.send_only);
  AddFlag(writer, kMustChangePassword, account.must_change_password);
  AddExpiry(writer, account.expires);
  AddAccess(writer, account.access);
  for (const Username& alias : account.aliases) writer.Add(kAlias, alias.str());
  for (const std::string& sender : account.senders) writer.Add(kSender, sender);
  AddAttributes(writer, account.attributes);
  return writer.Take();
}

absl::Status CheckAccount(const Account& account) {
  bool whole = !account.credential.scram || HaveTheirSizes(account.credential.scram->keys);
  for (const AppPassword& one : account.app_passwords) whole = whole && HaveTheirSizes(one.scram);
  if (whole &&
      ParseAccountRecord(account.name, account.epoch, PrintAccountRecord(account).Reveal()).ok()) {
    return absl::OkStatus();
  }
  return absl::InternalError("an account of a shape that cannot be stored");
}

absl::StatusOr<Account> ParseAccountRecord(Username name, Epoch epoch, std::string_view record) {
  Account account{std::move(name), true, epoch, {}, {}, {}};
  std::string attribute;
  FieldReader reader(record);
  bool makes_sense = true;
  while (const std::optional<Field> field = reader.Next()) {
    Taken taken = TakeCredential(*field, account.credential);
    if (taken == Taken::kNotMine) taken = TakeAccess(*field, account.access);
    if (taken == Taken::kNotMine) taken = TakeAttribute(*field, attribute, account.attributes);
    if (taken == Taken::kNotMine) taken = TakeOwn(*field, account);
    makes_sense = makes_sense && taken == Taken::kYes;
  }
  if (!makes_sense || !reader.ok() || !MakesSense(account.credential)) {
    return absl::DataLossError("a damaged account");
  }
  return account;
}

}  // namespace sasld
