#include "client/saslctl/import_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

constexpr size_t kChunkBytes = size_t{64} << 10;

std::string BaseName(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

absl::StatusOr<size_t> ReadSome(int fd, char* bytes, size_t most, const std::string& name) {
  while (true) {
    const ssize_t got = read(fd, bytes, most);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) {
      return absl::InternalError(name + " cannot be read: " + strerror(errno));
    }
  }
}

// A file that no other process can open.
absl::StatusOr<int> Nameless() {
  const char* folder = std::getenv("TMPDIR");
  std::string path = std::string(folder == nullptr ? "/tmp" : folder) + "/saslctl.XXXXXX";
  const int fd = mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) {
    return absl::InternalError(path + ": " + strerror(errno) +
                               "; TMPDIR tells where a copy of standard input can be");
  }
  unlink(path.c_str());
  return fd;
}

absl::StatusOr<int> CopyOf(int pipe, const std::string& name) {
  ASSIGN_OR_RETURN(const int copy, Nameless());
  std::vector<char> buffer(kChunkBytes);
  absl::Status status;
  while (status.ok()) {
    const absl::StatusOr<size_t> got = ReadSome(pipe, buffer.data(), buffer.size(), name);
    status = got.status();
    if (!got.ok() || *got == 0) break;
    for (size_t written = 0; written < *got && status.ok();) {
      const ssize_t more = write(copy, buffer.data() + written, *got - written);
      if (more > 0) {
        written += static_cast<size_t>(more);
      } else if (errno != EINTR) {
        status = absl::InternalError(std::string("cannot copy standard input to TMPDIR: ") +
                                     strerror(errno));
      }
    }
  }
  OPENSSL_cleanse(buffer.data(), buffer.size());
  if (status.ok() && lseek(copy, 0, SEEK_SET) == 0) return copy;
  close(copy);
  return status.ok() ? absl::InternalError("cannot read the copy of standard input") : status;
}

}  // namespace

absl::StatusOr<ImportFile> ImportFile::Open(const std::string& path) {
  const bool is_stdin = path == "-";
  const int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                          : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return absl::InvalidArgumentError(path + ": " + strerror(errno));
  ImportFile file(fd, is_stdin ? "standard input" : BaseName(path));
  if (fstat(fd, &file.opened_) != 0 || S_ISDIR(file.opened_.st_mode)) {
    return absl::InvalidArgumentError(path + ": is a folder");
  }
  if (!S_ISREG(file.opened_.st_mode)) {
    if (isatty(fd) != 0) {
      return absl::InvalidArgumentError(
          "standard input is a terminal: name a file, or give it one (saslctl import FORMAT - < "
          "FILE)");
    }
    ASSIGN_OR_RETURN(file.fd_, CopyOf(fd, file.name_));
    close(fd);
    fstat(file.fd_, &file.opened_);
  }
  lseek(file.fd_, 0, SEEK_SET);
  return file;
}

ImportFile::ImportFile(ImportFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      opened_(other.opened_),
      position_(other.position_) {}

ImportFile::~ImportFile() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<size_t> ImportFile::Read(char* bytes, size_t most) {
  ASSIGN_OR_RETURN(const size_t got, ReadSome(fd_, bytes, most, name_));
  position_ += got;
  return got;
}

absl::Status ImportFile::Rewind() {
  struct stat now = {};
  if (fstat(fd_, &now) != 0 || now.st_size != opened_.st_size ||
      now.st_mtim.tv_sec != opened_.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != opened_.st_mtim.tv_nsec) {
    return absl::AbortedError(name_ + " was changed while it was read; run the command again");
  }
  if (lseek(fd_, 0, SEEK_SET) != 0) {
    return absl::InternalError(name_ + " cannot be read from its beginning again");
  }
  position_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<std::string> ImportFile::Digest() {
  RETURN_IF_ERROR(Rewind());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
    return absl::InternalError("OpenSSL has no SHA-256");
  }
  std::vector<char> buffer(kChunkBytes);
  while (true) {
    const absl::StatusOr<size_t> got = Read(buffer.data(), buffer.size());
    if (got.ok() && *got > 0 && EVP_DigestUpdate(context.get(), buffer.data(), *got) == 1) {
      continue;
    }
    OPENSSL_cleanse(buffer.data(), buffer.size());
    RETURN_IF_ERROR(got.status());
    break;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

}  // namespace sasld::saslctl
