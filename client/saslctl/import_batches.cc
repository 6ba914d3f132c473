#include "client/saslctl/import_batches.h"

#include <unicode/ucasemap.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "client/saslctl/password.h"
#include "client/saslctl/saslprep.h"
#include "client/saslctl/utf8.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

constexpr size_t kItemsMost = 1000;
constexpr size_t kBytesMost = size_t{1} << 20;
constexpr size_t kPlaintextWeight = kItemsMost / 100;
constexpr size_t kPlainWeight = 1;

bool IsPlaintext(const v1::UserRecord& record) {
  return std::any_of(record.passwords().begin(), record.passwords().end(),
                     [](const std::string& notation) {
                       std::string scheme = notation.substr(0, notation.find('}') + 1);
                       std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](char c) {
                         return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
                       });
                       return scheme.starts_with("{PLAIN}") || scheme.starts_with("{CLEAR") ||
                              scheme.starts_with("{PLAIN.");
                     });
}

// As the server prepares names, near enough to find what is there twice: SASLprep, lower case.
std::string PreparedName(const std::string& name) {
  // Longer ones the server refuses.
  if (name.size() > 1024) return name;
  const bool is_ascii =
      std::all_of(name.begin(), name.end(), [](char c) { return (c & 0x80) == 0; });
  std::string prepared = is_ascii ? name : Prepared(name);
  if (is_ascii) {
    std::transform(prepared.begin(), prepared.end(), prepared.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return prepared;
  }
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCaseMap, decltype(&ucasemap_close)> map(
      ucasemap_open("", U_FOLD_CASE_DEFAULT, &error), &ucasemap_close);
  std::string lower(prepared.size() * 3, '\0');
  const int32_t bytes =
      ucasemap_utf8ToLower(map.get(), lower.data(), static_cast<int32_t>(lower.size()),
                           prepared.data(), static_cast<int32_t>(prepared.size()), &error);
  if (U_FAILURE(error)) return prepared;
  lower.resize(static_cast<size_t>(bytes));
  return lower;
}

// The texts of it, as opposed to bytes, can be UTF-8 only.
bool HasOtherThanUtf8(const v1::UserRecord& record) {
  const auto is_other = [](const std::string& text) { return !IsUtf8(text); };
  const auto any = [&is_other](const auto& texts) {
    return std::any_of(texts.begin(), texts.end(), is_other);
  };
  return is_other(record.name()) || any(record.aliases()) || any(record.senders()) ||
         any(record.access().services()) || any(record.access().networks()) ||
         any(record.access().mechanisms()) || is_other(record.digest_md5_realm()) ||
         std::any_of(
             record.attributes().begin(), record.attributes().end(),
             [&is_other](const auto& one) { return is_other(one.first) || is_other(one.second); });
}

}  // namespace

ImportBatch::~ImportBatch() {
  for (v1::UserRecord& record : *request.mutable_users()) {
    for (std::string& password : *record.mutable_passwords()) Wipe(password);
    if (!record.has_verifiers()) continue;
    v1::Verifiers& verifiers = *record.mutable_verifiers();
    Wipe(*verifiers.mutable_argon2id());
    Wipe(*verifiers.mutable_argon2id_secret());
    Wipe(*verifiers.mutable_imported());
    Wipe(*verifiers.mutable_cram_md5());
    Wipe(*verifiers.mutable_digest_md5_ha1());
  }
}

std::string ImportBatches::MistakeOf(const v1::UserRecord& record, size_t line) {
  if (HasOtherThanUtf8(record)) {
    return "the name or an attribute is not UTF-8; if the source is ISO 8859-1: iconv -f "
           "ISO-8859-1 -t UTF-8";
  }
  if (record.ByteSizeLong() > kBytesMost) return "the user takes more than 1 MiB";
  const auto line_before = [this, line](const std::string& name) -> size_t {
    const auto [found, is_new] =
        line_of_.try_emplace(std::hash<std::string>()(PreparedName(name)), line);
    return is_new || found->second == line ? 0 : found->second;
  };
  if (const size_t before = line_before(record.name()); before != 0) {
    return "is in line " + std::to_string(before) + " already";
  }
  for (const std::string& alias : record.aliases()) {
    if (const size_t before = line_before(alias); before != 0) {
      return "its alias " + alias + " is in line " + std::to_string(before) + " already";
    }
  }
  return "";
}

void ImportBatches::Add(SourceEntry entry, ImportBatch& batch) {
  ImportItem item{.line = entry.line, .name = std::move(entry.name)};
  weight_ += kPlainWeight;
  if (auto* mistake = std::get_if<Mistake>(&entry.content)) item.mistake = mistake->text;
  if (auto* left_out = std::get_if<LeftOut>(&entry.content)) item.left_out = left_out->text;
  if (auto* record = std::get_if<v1::UserRecord>(&entry.content)) {
    if (!default_domain_.empty() && record->name().find('@') == std::string::npos) {
      *record->mutable_name() += "@" + default_domain_;
    }
    item.name = record->name();
    item.mistake = MistakeOf(*record, entry.line);
    if (IsPlaintext(*record)) weight_ += kPlaintextWeight - kPlainWeight;
    if (item.mistake.empty()) *batch.request.add_users() = std::move(*record);
  }
  batch.items.push_back(std::move(item));
}

absl::StatusOr<std::optional<ImportBatch>> ImportBatches::Next() {
  ImportBatch batch;
  weight_ = 0;
  size_t bytes = 0;
  while (weight_ < kItemsMost && bytes < kBytesMost) {
    ASSIGN_OR_RETURN(std::optional<SourceEntry> entry, source_.Next());
    if (!entry.has_value()) break;
    const int before = batch.request.users_size();
    Add(*std::move(entry), batch);
    if (batch.request.users_size() > before) bytes += batch.request.users(before).ByteSizeLong();
  }
  if (batch.items.empty()) return std::nullopt;
  return batch;
}

}  // namespace sasld::saslctl
