// What a mail server writes to saslauthd's socket: the pieces make no difference, and what is
// refused has no step.
#include "client/adapter/saslauthd.h"

#include <algorithm>
#include <optional>
#include <string>

#include "tests/fuzz/support.h"

namespace sasld {
namespace {

using fuzz::Require;

struct Heard {
  std::string out;
  std::optional<std::string> message;
  bool closed = false;
  friend bool operator==(const Heard&, const Heard&) = default;
};

Heard Hear(std::string_view bytes, size_t piece) {
  v1::ListMechanismsReply mechanisms;
  const auto session = MakeSaslauthdSession({mechanisms, TemporaryFailureWay::kAuto, 1, 1, {}});
  Heard heard;
  std::vector<ProtocolEvent> events;
  session->Greet(heard.out);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    session->Receive(bytes.substr(0, piece), heard.out, events);
  }
  for (ProtocolEvent& event : events) {
    Require(!heard.closed, "nothing comes after the end");
    if (auto* wanted = std::get_if<StepWanted>(&event)) {
      Require(!heard.message, "one request a connection");
      heard.message = wanted->request.response();
      Require(std::count(heard.message->begin(), heard.message->end(), '\0') == 2,
              "a message of PLAIN has its two NULs");
    }
    heard.closed = heard.closed || std::holds_alternative<CloseWanted>(event);
  }
  Require(!heard.message || !heard.closed, "what is asked for is not hung up on");
  Require(heard.out.empty() || heard.closed, "one answer, and then the end");
  return heard;
}

}  // namespace
}  // namespace sasld

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // Whether a fifth field belongs to a request is told by the pieces: alone, the first four are
  // one.
  const sasld::Heard whole = sasld::Hear(bytes, bytes.size() + 1);
  const sasld::Heard pieces = sasld::Hear(bytes, 1);
  if (whole.message) sasld::fuzz::Require(whole.message == pieces.message, "pieces matter");
  if (!whole.out.empty()) sasld::fuzz::Require(whole == pieces, "pieces matter to a NO");
  return 0;
}
