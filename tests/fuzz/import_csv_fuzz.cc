// Comma separated values: every record is a user or a mistake with a line, and batches have their
// limits.
#include "tests/fuzz/import_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sasld::fuzz::ReadAll("csv", sasld::fuzz::Text(data, size));
  return 0;
}
