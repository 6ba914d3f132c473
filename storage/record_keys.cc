#include "storage/record_keys.h"

#include <openssl/rand.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/sasl/aead.h"
#include "server/sasl/fields.h"

namespace sasld {
namespace {

constexpr char kVersion = 1;
constexpr size_t kIdBytes = 4;
constexpr size_t kHeaderBytes = 1 + kIdBytes + kAeadNonceBytes;

// Part of what is authenticated: never change one.
std::string_view LabelOf(RecordKind kind) {
  return kind == RecordKind::kDomain ? "sasld domain" : "sasld account";
}

// For texts.
const char* OneOf(RecordKind kind) {
  return kind == RecordKind::kDomain ? "a domain" : "an account";
}

// What is authenticated, not contained: whose record it is, and its header.
std::string Associated(RecordKind kind, std::string_view name, uint64_t epoch,
                       std::string_view header) {
  std::string associated(LabelOf(kind));
  AppendField(associated, name);
  AppendNumber(associated, epoch);
  return associated.append(header);
}

}  // namespace

void RecordKeys::Add(uint32_t id, Secret key) {
  absl::MutexLock lock(&mutex_);
  keys_.insert_or_assign(id, std::move(key));
}

void RecordKeys::Drop(uint32_t id) {
  absl::MutexLock lock(&mutex_);
  keys_.erase(id);
}

uint32_t RecordKeys::current() const {
  absl::ReaderMutexLock lock(&mutex_);
  return keys_.empty() ? 0 : keys_.rbegin()->first;
}

bool RecordKeys::Has(uint32_t id) const {
  absl::ReaderMutexLock lock(&mutex_);
  return keys_.contains(id);
}

std::vector<uint32_t> RecordKeys::Ids() const {
  absl::ReaderMutexLock lock(&mutex_);
  std::vector<uint32_t> ids;
  for (const auto& [id, key] : keys_) ids.push_back(id);
  return ids;
}

uint32_t RecordKeys::KeyIdOf(std::string_view sealed) {
  if (sealed.size() < kHeaderBytes + kAeadTagBytes || sealed.front() != kVersion) return 0;
  uint32_t id = 0;
  for (const char c : sealed.substr(1, kIdBytes)) id = (id << 8) | static_cast<unsigned char>(c);
  return id;
}

std::string RecordKeys::Seal(std::string_view name, uint64_t epoch, const Secret& record,
                             RecordKind kind) const {
  absl::ReaderMutexLock lock(&mutex_);
  // Nothing is ever stored unsealed.
  if (keys_.empty()) std::abort();
  const auto& [id, key] = *keys_.rbegin();
  std::string sealed(kHeaderBytes, '\0');
  sealed.reserve(kHeaderBytes + record.size() + kAeadTagBytes);
  sealed[0] = kVersion;
  for (size_t i = 0; i < kIdBytes; ++i) sealed[1 + i] = static_cast<char>(id >> (24 - 8 * i));
  auto* nonce = reinterpret_cast<unsigned char*>(sealed.data()) + 1 + kIdBytes;
  const std::string_view header = std::string_view(sealed).substr(0, kHeaderBytes);
  if (RAND_bytes(nonce, kAeadNonceBytes) != 1) std::abort();
  const std::string associated = Associated(kind, name, epoch, header);
  const std::string nonce_copy(header.substr(1 + kIdBytes));
  if (!AeadSeal(key.Reveal(), nonce_copy, associated, record.Reveal(), sealed)) std::abort();
  return sealed;
}

absl::StatusOr<Secret> RecordKeys::Open(std::string_view name, uint64_t epoch,
                                        std::string_view sealed, RecordKind kind) const {
  const uint32_t id = KeyIdOf(sealed);
  if (id == 0) return absl::DataLossError(absl::StrCat(OneOf(kind), " that is damaged"));
  absl::ReaderMutexLock lock(&mutex_);
  const auto key = keys_.find(id);
  if (key == keys_.end()) {
    return absl::DataLossError(absl::StrCat(OneOf(kind), " that is sealed under key ", id,
                                            ", which is not in the key file"));
  }
  const std::string_view header = sealed.substr(0, kHeaderBytes);
  const std::string_view ciphertext = sealed.substr(kHeaderBytes);
  Secret record = Secret::Zeros(ciphertext.size() - kAeadTagBytes);
  if (!AeadOpen(key->second.Reveal(), header.substr(1 + kIdBytes),
                Associated(kind, name, epoch, header), ciphertext, record.Bytes())) {
    return absl::DataLossError(
        absl::StrCat(OneOf(kind), " that was changed by another than sasld"));
  }
  return record;
}

}  // namespace sasld
