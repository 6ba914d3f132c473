#include "client/adapter/client_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>
#include <string_view>

namespace sasld {
namespace {

constexpr size_t kMaxTextBytes = 255;  // both: sasl.proto, ClientCertificate
constexpr int kMaxEmails = 16;

template <auto free>
struct FreedBy {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Bio = std::unique_ptr<BIO, FreedBy<BIO_free>>;
using Certificate = std::unique_ptr<X509, FreedBy<X509_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, FreedBy<GENERAL_NAMES_free>>;

bool IsText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTextBytes &&
         std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < ' ' || c == '\x7f'; });
}

std::string_view BytesOf(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

// The last commonName: the most specific one, as the contract has it.
std::string CommonName(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return IsText(name) ? name : std::string();
}

void TakeEmails(const X509& certificate, v1::ClientCertificate& facts) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_EMAIL || facts.emails_size() == kMaxEmails) continue;
    if (std::string_view email = BytesOf(name->d.rfc822Name); IsText(email)) {
      facts.add_emails(std::string(email));
    }
  }
}

int NoPassPhrase(char*, int, int, void*) { return 0; }

}  // namespace

std::optional<v1::ClientCertificate> ReadClientCertificate(const std::string& pem) {
  if (pem.size() > INT_MAX) return std::nullopt;
  const Bio text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Certificate certificate(text ? PEM_read_bio_X509(text.get(), nullptr, NoPassPhrase, nullptr)
                                     : nullptr);
  v1::ClientCertificate facts;
  std::array<unsigned char, 32> sha256;
  if (!certificate || X509_digest(certificate.get(), EVP_sha256(), sha256.data(), nullptr) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  facts.set_sha256_fingerprint(std::string(sha256.begin(), sha256.end()));
  facts.set_common_name(CommonName(*certificate));
  TakeEmails(*certificate, facts);
  ERR_clear_error();  // gRPC's TLS must not find what was tried here
  return facts;
}

}  // namespace sasld
