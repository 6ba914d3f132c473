// A dialogue with the session for nginx's auth_http, step by step.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "client/adapter/nginx_auth_http.h"

namespace sasld {

// What nginx 1.22.1 wrote, recorded.
inline constexpr std::string_view kRequest =
    "GET /auth HTTP/1.0\r\nHost: 127.0.0.1\r\nAuth-Method: plain\r\nAuth-User: bob\r\n"
    "Auth-Pass: p%25%20w+%20d\xc3\xa4\r\nAuth-Protocol: smtp\r\nAuth-Login-Attempt: 1\r\n"
    "Client-IP: 127.0.0.1\r\nClient-Host: [UNAVAILABLE]\r\nX-Secret: s3\r\n\r\n";

// The request with one of its lines changed.
inline std::string With(std::string_view request, std::string_view line, std::string_view other) {
  std::string text(request);
  const size_t at = text.find(line);
  EXPECT_NE(at, std::string::npos) << line;
  return text.replace(at, line.size(), other);
}

inline constexpr char kWrongLogin[] =
    "HTTP/1.0 200 OK\r\nAuth-Status: Invalid login or password\r\nAuth-Error-Code: 535 5.7.8\r\n"
    "Auth-Wait: 1\r\n\r\n";
inline constexpr char kTryLater[] =
    "HTTP/1.0 200 OK\r\nAuth-Status: Temporary authentication failure\r\n"
    "Auth-Error-Code: 454 4.7.0\r\nAuth-Wait: 1\r\n\r\n";
inline constexpr char kNotHere[] =
    "HTTP/1.0 200 OK\r\nAuth-Status: Authentication mechanism not supported here\r\n"
    "Auth-Error-Code: 504 5.5.4\r\nAuth-Wait: 1\r\n\r\n";

struct NginxDialogue {
  void Receive(std::string_view bytes) { session->Receive(bytes, out, events); }
  // The one step that is wanted.
  v1::StepRequest Step() {
    EXPECT_EQ(events.size(), 1u);
    if (events.empty()) return {};
    auto* wanted = std::get_if<StepWanted>(&events[0]);
    EXPECT_NE(wanted, nullptr);
    v1::StepRequest request;
    if (wanted) request = std::move(wanted->request);
    events.clear();
    return request;
  }
  void Answer(v1::StepReply reply) { session->Answer(1, std::move(reply), out, events); }
  // Why the connection is to be closed; "open" if it is not.
  std::string_view Closed() const {
    if (events.empty()) return "open";
    const auto* closed = std::get_if<CloseWanted>(&events.back());
    return closed ? closed->why : "open";
  }
  // Whether the administrator is told something.
  bool Noticed() const {
    return events.size() == 2 && std::holds_alternative<sasld::Noticed>(events[0]);
  }

  v1::ListMechanismsReply mechanisms;
  Backends backends = {{"127.0.0.1", 143}, {"::1", 110}, {"192.0.2.7", 25}};
  std::unique_ptr<ProtocolSession> session = MakeNginxAuthHttpSession(
      {mechanisms, TemporaryFailureWay::kAuto, 1, 1, {}, {}, nullptr, &backends});
  std::string out;
  std::vector<ProtocolEvent> events;
};

inline v1::StepReply SuccessAs(std::string name) {
  v1::StepReply reply;
  reply.mutable_success()->set_authcid("bob@example.org");
  reply.mutable_success()->set_authzid(std::move(name));
  return reply;
}

inline v1::StepReply FailureOf(v1::Failure::Code code) {
  v1::StepReply reply;
  reply.mutable_failure()->set_code(code);
  return reply;
}

inline v1::StepReply Temporary() {
  v1::StepReply reply;
  reply.mutable_temporary();
  return reply;
}

}  // namespace sasld
