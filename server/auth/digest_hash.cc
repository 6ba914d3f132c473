// MD4 by OpenSSL's low-level calls: by EVP it is only there if the machine's configuration loads
// the legacy provider.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "server/auth/digest_hash.h"

#include <openssl/md4.h>

#include "server/sasl/hash.h"
#include "server/sasl/password_equivalents.h"

namespace sasld {
namespace {

Secret Md4(std::string_view message) {
  Secret digest = Secret::Zeros(MD4_DIGEST_LENGTH);
  MD4_CTX context;
  MD4_Init(&context);
  MD4_Update(&context, message.data(), message.size());
  MD4_Final(reinterpret_cast<unsigned char*>(digest.Bytes()), &context);
  WipeMemory(&context, sizeof context);
  return digest;
}

Secret Compute(DigestMethod method, std::string_view message) {
  switch (method) {
    case DigestMethod::kMd4:
      return Md4(message);
    case DigestMethod::kMd5:
      return Md5(message);
    case DigestMethod::kSha1:
      return Digest(Hash::kSha1, message);
    case DigestMethod::kSha256:
      return Digest(Hash::kSha256, message);
    case DigestMethod::kSha512:
      return Digest(Hash::kSha512, message);
  }
  return {};
}

}  // namespace

size_t DigestBytes(DigestMethod method) {
  switch (method) {
    case DigestMethod::kMd4:
      return MD4_DIGEST_LENGTH;
    case DigestMethod::kMd5:
      return kMd5Bytes;
    case DigestMethod::kSha1:
      return HashBytes(Hash::kSha1);
    case DigestMethod::kSha256:
      return HashBytes(Hash::kSha256);
    case DigestMethod::kSha512:
      return HashBytes(Hash::kSha512);
  }
  return 0;
}

bool VerifyDigestHash(DigestMethod method, std::string_view digest_and_salt,
                      const Secret& password) {
  const size_t bytes = DigestBytes(method);
  if (digest_and_salt.size() < bytes) return false;
  const Secret salt(digest_and_salt.substr(bytes));
  const Secret digest = Compute(method, Secret::Joined(password, salt).Reveal());
  return EqualsConstantTime(digest.Reveal(), digest_and_salt.substr(0, bytes));
}

}  // namespace sasld
