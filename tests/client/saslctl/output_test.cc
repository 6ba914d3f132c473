#include "client/saslctl/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace sasld::saslctl {
namespace {

// A file in memory to write to.
class Sink {
 public:
  Sink() : fd_(memfd_create("sink", MFD_CLOEXEC)) {}
  ~Sink() { close(fd_); }
  int fd() const { return fd_; }
  std::string Text() const {
    std::string text(static_cast<size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  int fd_;
};

v1::ListUsersReply Users(const std::vector<std::string>& names) {
  v1::ListUsersReply reply;
  for (const std::string& name : names) {
    v1::User& user = *reply.add_users();
    user.set_name(name);
    user.set_enabled(true);
    user.mutable_password_changed()->set_seconds(1'700'000'000);
    user.add_mechanisms("PLAIN");
  }
  return reply;
}

TEST(Printable, EscapesWhatSteersATerminal) {
  EXPECT_EQ(Printable("ann\x1b[2J\n"), "ann\\x1b[2J\\x0a");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "31m"),
            "\\x9b31m");
  EXPECT_EQ(Printable("jürgen\x7f"), "jürgen\\x7f");
}

TEST(TimeText, IsUtcAfterRfc3339) {
  google::protobuf::Timestamp time;
  EXPECT_EQ(TimeText(time), "");
  time.set_seconds(1'700'000'000);
  EXPECT_EQ(TimeText(time), "2023-11-14T22:13:20Z");
}

TEST(UserJson, HasEveryMemberAndNullForUnsetTimes) {
  v1::User user;
  user.set_name("ann");
  user.set_enabled(true);
  user.set_epoch(7);
  EXPECT_EQ(UserJson(user).dump(),
            R"({"name":"ann","enabled":true,"epoch":7,"created":null,"password_changed":null,)"
            R"("mechanisms":[],"rules":{"require_app_password":false,"send_only":false,)"
            R"("must_change_password":false,"expires":null,"services":[],"networks":[],)"
            R"("mechanisms":[]},"aliases":[],"senders":[],"app_passwords":0})");
}

TEST(UserListing, IsAnEmptyArrayForNoUsers) {
  const Sink out, err;
  Output output(OutputFormat::kJson, out.fd(), err.fd());
  UserListing listing(output);
  listing.Page(Users({}).users());
  listing.End();
  EXPECT_EQ(out.Text(), "[]\n");
  EXPECT_EQ(err.Text(), "");
}

TEST(UserListing, IsOneArrayOverSeveralPages) {
  const Sink out, err;
  Output output(OutputFormat::kJson, out.fd(), err.fd());
  UserListing listing(output);
  listing.Page(Users({"ann", "bob"}).users());
  listing.Page(Users({"cat"}).users());
  listing.End();
  const Json parsed = Json::parse(out.Text());
  ASSERT_EQ(parsed.size(), 3u);
  EXPECT_EQ(parsed[2]["name"], "cat");
}

TEST(UserListing, AlignsATableAndWritesItsHeadOnce) {
  const Sink out, err;
  Output output(OutputFormat::kTable, out.fd(), err.fd());
  UserListing listing(output);
  listing.Page(Users({"ann@example.org", "jürgen"}).users());
  listing.Page(Users({"zoe"}).users());
  listing.End();
  EXPECT_EQ(out.Text(),
            "NAME             STATE     PASSWORD CHANGED      MECHANISMS\n"
            "ann@example.org  enabled   2023-11-14T22:13:20Z  PLAIN\n"
            "jürgen           enabled   2023-11-14T22:13:20Z  PLAIN\n"
            "zoe              enabled   2023-11-14T22:13:20Z  PLAIN\n");
}

TEST(UserListing, SaysOnStandardErrorThatThereAreNone) {
  const Sink out, err;
  Output output(OutputFormat::kTable, out.fd(), err.fd());
  UserListing listing(output);
  listing.Page(Users({}).users());
  listing.End();
  EXPECT_EQ(out.Text(), "");
  EXPECT_EQ(err.Text(), "no users\n");
}

TEST(Output, WritesErrorsAsJsonOnStandardError) {
  const Sink out, err;
  Output output(OutputFormat::kJson, out.fd(), err.fd());
  output.Error(absl::NotFoundError("no \"such\" user \xff"));
  EXPECT_EQ(out.Text(), "");
  const Json parsed = Json::parse(err.Text());
  EXPECT_EQ(parsed["error"]["code"], "not_found");
  EXPECT_EQ(parsed["error"]["message"], "no \"such\" user \xEF\xBF\xBD");
}

TEST(Output, TakesABrokenPipeForAnEnd) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  Output output(OutputFormat::kTable, ends[1], STDERR_FILENO);
  output.Data("data");
  EXPECT_TRUE(output.reader_gone());
  EXPECT_TRUE(output.Finish().ok());
  close(ends[1]);
}

TEST(Output, ReportsAFullDisk) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Output output(OutputFormat::kTable, full, STDERR_FILENO);
  output.Data("data");
  EXPECT_FALSE(output.reader_gone());
  EXPECT_EQ(output.Finish().code(), absl::StatusCode::kInternal);
  close(full);
}

}  // namespace
}  // namespace sasld::saslctl
