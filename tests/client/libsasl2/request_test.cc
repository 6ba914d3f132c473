#include "client/libsasl2/request.h"

#include <gtest/gtest.h>

#include <string>

namespace sasld::libsasl2 {
namespace {

constexpr ExchangeFacts kFacts{.mechanism = "PLAIN",
                               .service = "smtp",
                               .local_address = "192.0.2.1;25",
                               .remote_address = "2001:db8::7;40000"};

std::string Auth(const ExchangeFacts& facts, std::optional<std::string_view> response) {
  Request request;
  AppendAuth(facts, response, request);
  EXPECT_TRUE(request.fits());
  return std::string(request.text());
}

TEST(Request, GreetsAsMinor2AndWithBindingDataAsMinor4) {
  Request request;
  AppendHandshake(false, 590, request);
  AppendHandshake(true, 4294967295, request);
  EXPECT_EQ(request.text(), "VERSION\t1\t2\nCPID\t590\nVERSION\t1\t4\nCPID\t4294967295\n");
}

TEST(Request, TellsAllThatTheApplicationKnows) {
  EXPECT_EQ(Auth(kFacts, ""),
            "AUTH\t1\tPLAIN\tservice=smtp\tlip=192.0.2.1\tlport=25\trip=2001:db8::7\trport=40000"
            "\tfinal-resp-ok\tresp=\n");
  ExchangeFacts facts = kFacts;
  facts.local_address = facts.remote_address = "";
  EXPECT_EQ(Auth(facts, std::string_view("\0a\0b", 4)),
            "AUTH\t1\tPLAIN\tservice=smtp\tfinal-resp-ok\tresp=AGEAYg==\n");
  facts.secured = true;
  EXPECT_EQ(Auth(facts, std::nullopt), "AUTH\t1\tPLAIN\tservice=smtp\tsecured\tfinal-resp-ok\n");
  facts.can_bind = true;
  EXPECT_EQ(Auth(facts, std::nullopt),
            "AUTH\t1\tPLAIN\tservice=smtp\tsecured=tls\tfinal-resp-ok\n");
}

TEST(Request, EscapesAndLeavesOutWhatIsNoAddress) {
  ExchangeFacts facts{.mechanism = "PLAIN",
                      .service = "a\tb\nc\x01",
                      .local_address = "192.0.2.1",
                      .remote_address = ";25"};
  EXPECT_EQ(Auth(facts, ""),
            "AUTH\t1\tPLAIN\tservice=a\x01tb\x01nc\x01"
            "1\tfinal-resp-ok\tresp=\n");
}

TEST(Request, BringsChannelBindingDataWhereAskedTo) {
  Request request;
  AppendContinue("abc", std::nullopt, request);
  AppendContinue("", std::nullopt, request);
  AppendContinue("abc", "xyz", request);
  EXPECT_EQ(request.text(), "CONT\t1\tYWJj\nCONT\t1\t\nCONT\t1\tYWJj\tchannel_binding=eHl6\n");
}

TEST(Request, SaysThatThereIsNoRoom) {
  for (size_t size : {12'289UL, 16'384UL, 100'000UL}) {
    Request request;
    AppendAuth(kFacts, std::string(size, 'a'), request);
    EXPECT_FALSE(request.fits());
    EXPECT_LE(request.text().size(), 16'384U);
  }
  Request request;
  AppendAuth(kFacts, std::string(12'000, 'a'), request);
  EXPECT_TRUE(request.fits());
  EXPECT_LE(request.text().size(), 16'384U);
}

TEST(Request, IsWiped) {
  Request request;
  AppendAuth(kFacts, "secret", request);
  const char* bytes = request.text().data();
  size_t size = request.text().size();
  request.Wipe();
  EXPECT_EQ(request.text(), "");
  EXPECT_EQ(std::string(bytes, size), std::string(size, '\0'));
}

TEST(Service, IsPrintableAndShort) {
  EXPECT_TRUE(IsService("imap"));
  EXPECT_TRUE(IsService(std::string(64, 's')));
  EXPECT_FALSE(IsService(std::string(65, 's')));
  EXPECT_FALSE(IsService(""));
  EXPECT_FALSE(IsService("two words"));
  EXPECT_FALSE(IsService("caf\xc3\xa9"));
}

}  // namespace
}  // namespace sasld::libsasl2
