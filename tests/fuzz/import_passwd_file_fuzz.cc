// Formats of a user a line, and dumps of sasldb2. The first byte chooses which.
#include "tests/fuzz/import_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr const char* kFormats[] = {"dovecot-passwd", "htpasswd", "shadow", "sasldb2", "jsonl"};
  if (size == 0) return 0;
  sasld::fuzz::ReadAll(kFormats[data[0] % 5], sasld::fuzz::Text(data + 1, size - 1));
  return 0;
}
