// What nginx's mail module asks: the pieces make no difference, what is refused has no step, and
// every answer is one that nginx can read.
#include "client/adapter/nginx_auth_http.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/fuzz/support.h"

namespace sasld {
namespace {

using fuzz::Require;

struct Heard {
  std::string out;
  std::optional<std::string> step;
  bool closed = false;
  friend bool operator==(const Heard&, const Heard&) = default;
};

void RequireReadable(std::string_view out) {
  Require(out.starts_with("HTTP/1.0 200 OK\r\nAuth-Status: "), "a status line, and Auth-Status");
  Require(out.find("\r\n\r\n") == out.size() - 4, "headers only");
  Require(out.size() <= 1024, "nginx reads so much");
  Require(out.find('\0') == std::string_view::npos, "text");
}

Heard Hear(std::string_view bytes, size_t piece) {
  const v1::ListMechanismsReply mechanisms;
  const Backends backends = {{"127.0.0.1", 143}, {}, {"::1", 25}};
  const auto session = MakeNginxAuthHttpSession(
      {mechanisms, TemporaryFailureWay::kAuto, 1, 1, {}, {}, nullptr, &backends});
  Heard heard;
  std::vector<ProtocolEvent> events;
  session->Greet(heard.out);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    session->Receive(bytes.substr(0, piece), heard.out, events);
  }
  for (ProtocolEvent& event : events) {
    Require(!heard.closed, "nothing comes after the end");
    if (auto* wanted = std::get_if<StepWanted>(&event)) {
      Require(!heard.step, "one request a connection");
      heard.step = wanted->request.SerializeAsString();
      const std::string& message = wanted->request.response();
      Require(message.size() <= 16384, "sasld takes no more");
      Require(wanted->request.mechanism() != "PLAIN" ||
                  std::count(message.begin(), message.end(), '\0') == 2,
              "a message of PLAIN has its two NULs");
    }
    heard.closed = heard.closed || std::holds_alternative<CloseWanted>(event);
  }
  Require(!heard.step || !heard.closed, "what is asked for is not hung up on");
  Require(heard.out.empty() || heard.closed, "one answer, and then the end");
  if (!heard.out.empty()) RequireReadable(heard.out);
  if (heard.step) {
    v1::StepReply reply;
    reply.mutable_success()->set_authzid("ann@example.org");
    session->Answer(1, std::move(reply), heard.out, events);
    RequireReadable(heard.out);
  }
  return heard;
}

}  // namespace
}  // namespace sasld

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = sasld::fuzz::Text(data, size);
  const sasld::Heard whole = sasld::Hear(bytes, bytes.size() + 1);
  const sasld::Heard pieces = sasld::Hear(bytes, 1);
  // What comes behind a request is seen only where it comes with it.
  if (whole.step) sasld::fuzz::Require(whole == pieces, "pieces matter");
  return 0;
}
