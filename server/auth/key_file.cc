#include "server/auth/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "server/sasl/base64.h"
#include "server/sasl/scram_keys.h"
#include "storage/sync_folder.h"

namespace sasld {
namespace {

constexpr std::string_view kHeader = "sasld-key-1 ";
constexpr size_t kKeyBytes = 32;
constexpr size_t kKeyTextBytes = 44;

Secret Derive(const Secret& key, std::string_view use) {
  return ScramHmac(ScramHash::kSha256, key.Reveal(), use);
}

absl::Status Unwritable(const std::string& path, int error) {
  return absl::UnavailableError(absl::StrCat(path, ": cannot be written: ", std::strerror(error)));
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
  if ((facts.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, ": others than its owner may use it; run: chmod 0600 ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ClusterKeys> LoadKeyFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT) return absl::NotFoundError(absl::StrCat(path, ": no such key file"));
    return absl::PermissionDeniedError(absl::StrCat(path,
                                                    ": cannot be read: ", std::strerror(error),
                                                    "; it must belong to the user sasld runs as"));
  }
  const absl::Cleanup closer = [fd] { close(fd); };
  if (absl::Status status = CheckPrivate(fd, path); !status.ok()) return status;

  // One byte more than a key file has, to notice a longer one.
  Secret text = Secret::Zeros(kHeader.size() + kKeyTextBytes + 2);
  const ssize_t got = read(fd, text.Bytes(), text.size());
  if (got < 0) return NotAKeyFile(path);
  std::string_view line = text.Reveal().substr(0, static_cast<size_t>(got));
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (!line.starts_with(kHeader)) return NotAKeyFile(path);
  const std::optional<Secret> key = DecodeBase64Secret(line.substr(kHeader.size()));
  if (!key || key->size() != kKeyBytes) return NotAKeyFile(path);
  return ClusterKeys{Derive(*key, "state"), Derive(*key, "pepper"), Derive(*key, "decoy")};
}

absl::Status CreateKeyFile(const std::string& path, Entropy& entropy) {
  const std::string draft = path + ".new";
  unlink(draft.c_str());
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Unwritable(path, errno);
  const absl::Cleanup remover = [fd, &draft] {
    close(fd);
    unlink(draft.c_str());
  };
  const Secret key = entropy.SecretBytes(kKeyBytes);
  std::string encoded = EncodeBase64(key.Reveal());
  const Secret text(absl::StrCat(std::string(kHeader), encoded, "\n"));
  WipeMemory(encoded.data(), encoded.size());
  if (absl::Status status = WriteAll(fd, text.Reveal(), path); !status.ok()) return status;
  // link(2), unlike rename(2), never takes the place of a key that is there.
  if (link(draft.c_str(), path.c_str()) != 0) {
    if (errno == EEXIST) return absl::AlreadyExistsError(absl::StrCat(path, ": exists"));
    return Unwritable(path, errno);
  }
  SyncFolderOf(path);
  return absl::OkStatus();
}

}  // namespace sasld
