#include "proto/common/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

// All authorities of a Debian system are 0.2 MiB.
constexpr size_t kMaxFileBytes = 1 << 20;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;

std::string About(const TlsFile& file, const std::string& what) {
  return absl::StrCat(file.setting, ": ", file.path, " ", what);
}

absl::Status CannotRead(const TlsFile& file, int error) {
  std::string text = About(file, absl::StrCat("cannot be read: ", std::strerror(error)));
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error != EACCES) return absl::InvalidArgumentError(text);
  return absl::PermissionDeniedError(absl::StrCat(
      text, "; let user id ", geteuid(), ", which this program runs as, read it and its folders"));
}

absl::StatusOr<std::string> Read(const TlsFile& file) {
  errno = 0;
  std::ifstream stream(file.path, std::ios::binary);
  if (!stream) return CannotRead(file, errno);
  std::string text(kMaxFileBytes + 1, '\0');
  errno = 0;
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return CannotRead(file, errno);
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() <= kMaxFileBytes) return text;
  return absl::InvalidArgumentError(About(file, "is larger than 1 MiB; is it PEM?"));
}

Bio Over(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The first certificate of `text`.
absl::StatusOr<Certificate> ParseCertificate(const TlsFile& file, const std::string& text) {
  Certificate certificate(PEM_read_bio_X509(Over(text).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate) return certificate;
  return absl::InvalidArgumentError(
      About(file, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"));
}

absl::StatusOr<Key> ParseKey(const TlsFile& file, const std::string& text) {
  bool wants_passphrase = false;
  // Without it, OpenSSL would ask on the terminal.
  auto refuse = [](char*, int, int, void* wanted) {
    *static_cast<bool*>(wanted) = true;
    return -1;
  };
  Key key(PEM_read_bio_PrivateKey(Over(text).get(), nullptr, refuse, &wants_passphrase));
  ERR_clear_error();
  if (key) return key;
  if (!wants_passphrase) {
    return absl::InvalidArgumentError(
        About(file, "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"));
  }
  return absl::InvalidArgumentError(
      About(file,
            "needs a passphrase, and nobody is here to enter it; take it off: openssl pkey -in "
            "OLD -out NEW"));
}

}  // namespace

absl::StatusOr<TlsPem> ReadTlsFiles(const TlsFile& ca, const TlsFile& certificate,
                                    const TlsFile& key) {
  TlsPem pem;
  ASSIGN_OR_RETURN(pem.ca, Read(ca));
  RETURN_IF_ERROR(ParseCertificate(ca, pem.ca).status());
  ASSIGN_OR_RETURN(pem.certificate, Read(certificate));
  ASSIGN_OR_RETURN(Certificate ours, ParseCertificate(certificate, pem.certificate));
  ASSIGN_OR_RETURN(pem.key, Read(key));
  ASSIGN_OR_RETURN(Key private_key, ParseKey(key, pem.key));
  int belongs = X509_check_private_key(ours.get(), private_key.get());
  ERR_clear_error();
  if (belongs == 1) return pem;
  return absl::InvalidArgumentError(
      About(key, absl::StrCat("is not the key of the first certificate in ", certificate.path)));
}

}  // namespace sasld
