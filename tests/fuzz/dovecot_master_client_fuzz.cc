// What another adapter answers, in any pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/adapter/dovecot_master_client.h"
#include "tests/fuzz/support.h"

namespace sasld {
namespace {

using fuzz::Require;

struct Heard {
  bool is_ours = true;
  std::string text;
  friend bool operator==(const Heard&, const Heard&) = default;
};

Heard Hear(std::string_view bytes, size_t piece) {
  DovecotMasterClient client;
  std::vector<DovecotMasterClient::Answered> answered;
  Heard heard;
  for (; heard.is_ours && !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    heard.is_ours = client.Receive(bytes.substr(0, piece), answered);
  }
  for (const auto& [id, answer] : answered) {
    Require(answer.rest.empty() || answer.rest.front() == '\t', "a field stays one");
    Require(answer.rest.find('\n') == std::string::npos, "one answer, one line");
    heard.text += answer.command + std::to_string(id) + answer.rest + "\n";
  }
  return heard;
}

}  // namespace
}  // namespace sasld

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  sasld::fuzz::Require(sasld::Hear(bytes, bytes.size() + 1) == sasld::Hear(bytes, 1),
                       "pieces matter");
  return 0;
}
