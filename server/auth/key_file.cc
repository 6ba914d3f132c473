#include "server/auth/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "proto/common/file_advice.h"
#include "proto/common/status_macros.h"
#include "server/sasl/base64.h"
#include "server/sasl/hash.h"
#include "storage/sync_folder.h"

namespace sasld {
namespace {

constexpr std::string_view kHeader = "sasld-keys-2";
constexpr std::string_view kHeaderBefore = "sasld-key-1 ";
constexpr size_t kKeyBytes = 32;
// Of hundreds of keys.
constexpr size_t kMostFileBytes = 32768;

// What the file says.
struct RawKeys {
  std::map<uint32_t, Secret> keys;
  Secret decoy;
};

Secret Derive(const Secret& key, std::string_view use) {
  return Hmac(Hash::kSha256, key.Reveal(), use);
}

absl::Status Unwritable(const std::string& path, int error) {
  return absl::UnavailableError(absl::StrCat("cannot make ", path, ": ", WhyNotMade(path, error)));
}

absl::Status NotAKeyFile(const std::string& path) {
  return absl::DataLossError(absl::StrCat(
      path, ": is not a sasld key file; restore it from a backup (without it no password works)"));
}

absl::Status WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Unwritable(path, errno);
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  if (fsync(fd) != 0) return Unwritable(path, errno);
  return absl::OkStatus();
}

absl::Status CheckPrivate(int fd, const std::string& path) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) return NotAKeyFile(path);
  if ((facts.st_mode & 077) == 0) return absl::OkStatus();
  // A container's secret or a systemd credential belongs to root and is read by way of its group,
  // or of an ACL, which stat(2) shows as the group's right. Only root can be meant to put us there.
  const bool handed_to_us = facts.st_uid == 0 && geteuid() != 0;
  if (handed_to_us && (facts.st_mode & 037) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      path, ": others than its owner may use it; ",
      handed_to_us ? "a secret that root owns may have mode 0400 or 0440 (mode: 0440 of a "
                     "container's secret, defaultMode: 0440 of a volume)"
                   : absl::StrCat("run: chmod 0600 ", path)));
}

std::optional<Secret> KeyOf(std::string_view base64) {
  std::optional<Secret> key = DecodeBase64Secret(base64);
  if (!key || key->size() != kKeyBytes) return std::nullopt;
  return key;
}

// Cuts "<word> " off the front.
bool TakeWord(std::string_view word, std::string_view& rest) {
  if (!rest.starts_with(word) || rest.substr(word.size(), 1) != " ") return false;
  rest.remove_prefix(word.size() + 1);
  return true;
}

// "key 7 …": whether it is one that was not there before.
bool TakeKeyLine(std::string_view line, RawKeys& raw) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + space, id);
  if (error != std::errc() || end != line.data() + space || id == 0) return false;
  std::optional<Secret> key = KeyOf(line.substr(space + 1));
  return key && raw.keys.emplace(id, *std::move(key)).second;
}

bool TakeLine(std::string_view line, RawKeys& raw) {
  if (line.empty() || line.starts_with('#')) return true;
  if (TakeWord("key", line)) return TakeKeyLine(line, raw);
  if (!TakeWord("decoy", line) || !raw.decoy.empty()) return false;
  std::optional<Secret> decoy = KeyOf(line);
  if (decoy) raw.decoy = *std::move(decoy);
  return decoy.has_value();
}

std::optional<RawKeys> ParseKeys(std::string_view text) {
  RawKeys raw;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.starts_with(kHeaderBefore)) {
    std::optional<Secret> key = KeyOf(text.substr(kHeaderBefore.size()));
    if (!key) return std::nullopt;
    raw.decoy = Derive(*key, "decoy");
    raw.keys.emplace(1, *std::move(key));
    return raw;
  }
  bool headed = false;
  while (!text.empty()) {
    const size_t newline = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (!headed && line == kHeader) {
      headed = true;
    } else if (!TakeLine(line, raw) || (!headed && !line.empty() && !line.starts_with('#'))) {
      return std::nullopt;
    }
  }
  if (!headed || raw.keys.empty() || raw.decoy.empty()) return std::nullopt;
  return raw;
}

// Wiped by Secret, which a line is moved into before the next is made.
Secret PrintLine(std::string_view word, const Secret& key) {
  std::string encoded = EncodeBase64(key.Reveal());
  std::string line = absl::StrCat(std::string(word), " ", encoded, "\n");
  Secret printed(line);
  WipeMemory(encoded.data(), encoded.size());
  WipeMemory(line.data(), line.size());
  return printed;
}

Secret PrintKeys(const RawKeys& raw) {
  Secret text(absl::StrCat("# sasld's keys. Keep a backup of them apart from the database's.\n",
                           std::string(kHeader), "\n"));
  text = Secret::Joined(text, PrintLine("decoy", raw.decoy));
  for (const auto& [id, key] : raw.keys) {
    text = Secret::Joined(text, PrintLine(absl::StrCat("key ", id), key));
  }
  return text;
}

absl::StatusOr<RawKeys> ReadKeys(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT) return absl::NotFoundError(absl::StrCat(path, ": no such key file"));
    return absl::PermissionDeniedError(
        absl::StrCat("cannot read ", path, ": ", WhyNotRead(path, error)));
  }
  const absl::Cleanup closer = [fd] { close(fd); };
  RETURN_IF_ERROR(CheckPrivate(fd, path));
  Secret text = Secret::Zeros(kMostFileBytes);
  size_t used = 0;
  while (used < text.size()) {
    const ssize_t got = read(fd, text.Bytes() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return NotAKeyFile(path);
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  std::optional<RawKeys> raw;
  if (used < text.size()) raw = ParseKeys(text.Reveal().substr(0, used));
  if (!raw) return NotAKeyFile(path);
  return *std::move(raw);
}

// A file beside `path` with this text, on disk; its name.
absl::StatusOr<std::string> WriteDraft(const std::string& path, const Secret& text) {
  std::string draft = path + ".new";
  unlink(draft.c_str());
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Unwritable(path, errno);
  const absl::Status written = WriteAll(fd, text.Reveal(), path);
  close(fd);
  if (!written.ok()) {
    unlink(draft.c_str());
    return written;
  }
  return draft;
}

absl::Status ReplaceKeyFile(const std::string& path, const RawKeys& raw) {
  ASSIGN_OR_RETURN(const std::string draft, WriteDraft(path, PrintKeys(raw)));
  if (rename(draft.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(draft.c_str());
    return Unwritable(path, error);
  }
  SyncFolderOf(path);
  return absl::OkStatus();
}

// A file that sasld may only read is changed by whoever makes it.
absl::Status ReplaceOrAdvise(const std::string& path, const RawKeys& raw, const std::string& what) {
  const absl::Status replaced = ReplaceKeyFile(path, raw);
  if (replaced.ok()) return replaced;
  return absl::Status(replaced.code(),
                      absl::StrCat("the key file stays as it is: ", std::string(replaced.message()),
                                   ". If it is a secret that comes from elsewhere: ", what,
                                   " there, and restart sasld"));
}

ClusterKeys DeriveAll(const RawKeys& raw) {
  ClusterKeys derived;
  for (const auto& [id, key] : raw.keys) {
    derived.keys.push_back(
        {id, Derive(key, "state"), Derive(key, "pepper"), Derive(key, "record")});
  }
  derived.decoy = raw.decoy.Clone();
  return derived;
}

}  // namespace

std::vector<Secret> ClusterKeys::StateKeys() const {
  std::vector<Secret> state_keys;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    state_keys.push_back(key->state.Clone());
  }
  return state_keys;
}

absl::StatusOr<ClusterKeys> LoadKeyFile(const std::string& path) {
  ASSIGN_OR_RETURN(const RawKeys raw, ReadKeys(path));
  return DeriveAll(raw);
}

absl::Status CreateKeyFile(const std::string& path, Entropy& entropy) {
  RawKeys raw;
  raw.decoy = entropy.SecretBytes(kKeyBytes);
  raw.keys.emplace(1, entropy.SecretBytes(kKeyBytes));
  ASSIGN_OR_RETURN(const std::string draft, WriteDraft(path, PrintKeys(raw)));
  const absl::Cleanup remover = [&draft] { unlink(draft.c_str()); };
  // link(2), unlike rename(2), never takes the place of a key that is there.
  if (link(draft.c_str(), path.c_str()) != 0) {
    if (errno == EEXIST) return absl::AlreadyExistsError(absl::StrCat(path, ": exists"));
    return Unwritable(path, errno);
  }
  SyncFolderOf(path);
  return absl::OkStatus();
}

absl::StatusOr<ClusterKeys> AddKey(const std::string& path, Entropy& entropy) {
  ASSIGN_OR_RETURN(RawKeys raw, ReadKeys(path));
  const uint32_t id = raw.keys.rbegin()->first + 1;
  raw.keys.emplace(id, entropy.SecretBytes(kKeyBytes));
  RETURN_IF_ERROR(ReplaceOrAdvise(path, raw,
                                  absl::StrCat("add to it the line \"key ", id,
                                               " …\" with 32 random bytes in base64 "
                                               "(openssl rand -base64 32)")));
  return DeriveAll(raw);
}

absl::StatusOr<ClusterKeys> RemoveKey(const std::string& path, uint32_t id) {
  ASSIGN_OR_RETURN(RawKeys raw, ReadKeys(path));
  if (raw.keys.rbegin()->first == id) {
    return absl::FailedPreconditionError(absl::StrCat("key ", id, " is the current one"));
  }
  if (raw.keys.erase(id) == 0) {
    return absl::NotFoundError(absl::StrCat(path, ": has no key ", id));
  }
  RETURN_IF_ERROR(
      ReplaceOrAdvise(path, raw, absl::StrCat("take the line \"key ", id, " …\" out of it")));
  return DeriveAll(raw);
}

}  // namespace sasld
