// The real program against a fake sasld: exit statuses, and what goes to which output.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "client/saslctl/output.h"
#include "tests/client/saslctl/fake_sasld.h"
#include "tests/client/saslctl/process.h"

namespace sasld::saslctl {
namespace {

class Saslctl : public testing::Test {
 protected:
  RunResult Run(std::vector<std::string> arguments, std::string_view input = "") {
    arguments.insert(arguments.begin(), {"--server", fake_.address()});
    return RunSaslctl(arguments, input);
  }
  RunResult RunJson(std::vector<std::string> arguments, std::string_view input = "") {
    arguments.insert(arguments.begin(), {"-o", "json"});
    return Run(std::move(arguments), input);
  }
  RunResult Test(const std::string& mechanism, std::string_view password) {
    return RunJson({"auth", "test", "ann", "-m", mechanism, "--password-stdin"}, password);
  }

  FakeSasld fake_;
};

TEST_F(Saslctl, AddsAUserWithThePasswordFromStandardInput) {
  const RunResult run = Run({"user", "add", "ann", "--password-stdin"}, "s3cret word\n");
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "user ann added\n");
  EXPECT_EQ(fake_.PasswordOf("ann"), "s3cret word");
  EXPECT_TRUE(fake_.IsEnabled("ann"));
}

TEST_F(Saslctl, AddsADisabledUser) {
  EXPECT_EQ(Run({"user", "add", "ann", "--disabled", "--password-stdin"}, "x\n").exit_status, 0);
  EXPECT_FALSE(fake_.IsEnabled("ann"));
  EXPECT_EQ(fake_.PasswordOf("ann"), "x");
}

TEST_F(Saslctl, PrintsAGeneratedPasswordAloneOnStandardOutput) {
  const RunResult run = Run({"user", "add", "ann", "--generate"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out, fake_.PasswordOf("ann") + "\n");
  EXPECT_EQ(run.out.size(), 30u);
  EXPECT_EQ(run.err.find(fake_.PasswordOf("ann")), std::string::npos);
}

TEST_F(Saslctl, PrintsAGeneratedPasswordInJson) {
  fake_.AddUser("ann", "old");
  const RunResult run = RunJson({"user", "passwd", "ann", "--generate"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.err, "");
  const Json parsed = Json::parse(run.out);
  EXPECT_EQ(parsed["password"], fake_.PasswordOf("ann"));
  EXPECT_NE(fake_.PasswordOf("ann"), "old");
}

TEST_F(Saslctl, NeverTakesAPasswordFromTheCommandLine) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"user", "add", "ann", "--password", "hunter2"},
        {"user", "add", "ann", "--password=hunter2"},
        {"user", "passwd", "ann", "-p", "hunter2"},
        {"auth", "test", "ann", "-phunter2"},
        {"user", "add", "ann", "--password"}}) {
    const RunResult run = Run(arguments, "x\n");
    EXPECT_EQ(run.exit_status, 2);
    EXPECT_NE(run.err.find("every process on this machine can read a command line"),
              std::string::npos)
        << run.err;
    EXPECT_EQ(run.err.find("hunter2"), std::string::npos);
    EXPECT_EQ(run.out, "");
  }
  EXPECT_EQ(fake_.PasswordOf("ann"), "");
}

TEST_F(Saslctl, SaysWhatToDoWithoutATerminal) {
  RunResult run = Run({"user", "add", "ann"});
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_NE(run.err.find("use --password-stdin or --generate"), std::string::npos) << run.err;
  run = Run({"auth", "test", "ann"});
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_NE(run.err.find("use --password-stdin"), std::string::npos) << run.err;
}

TEST_F(Saslctl, RefusesUnusablePasswordsFromStandardInput) {
  EXPECT_EQ(Run({"user", "add", "ann", "--password-stdin"}, "\n").exit_status, 2);
  EXPECT_EQ(
      Run({"user", "add", "ann", "--password-stdin"}, std::string_view("a\0b\n", 4)).exit_status,
      2);
  EXPECT_EQ(fake_.PasswordOf("ann"), "");
}

TEST_F(Saslctl, ListsPageByPage) {
  fake_.behaviour().page_size_most = 2;
  for (const char* name : {"ann", "bea", "cat", "dan", "eve"}) fake_.AddUser(name, "x");
  RunResult run = RunJson({"user", "list"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.err, "");
  const Json parsed = Json::parse(run.out);
  ASSERT_EQ(parsed.size(), 5u);
  EXPECT_EQ(parsed[4]["name"], "eve");
  EXPECT_EQ(parsed[0]["created"], "2001-09-09T01:46:40Z");
  run = RunJson({"user", "list", "--prefix", "b"});
  EXPECT_EQ(Json::parse(run.out).size(), 1u);
  run = Run({"user", "list"});
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 6);
  EXPECT_TRUE(run.out.starts_with("NAME")) << run.out;
}

TEST_F(Saslctl, ListsNobodyAsAnEmptyArray) {
  const RunResult run = RunJson({"user", "list"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.out, "[]\n");
}

TEST_F(Saslctl, ShowsAUser) {
  fake_.AddUser("ann", "x");
  const RunResult run = Run({"user", "show", "ann"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out,
            "name              ann\n"
            "state             enabled\n"
            "created           2001-09-09T01:46:40Z\n"
            "password changed  2001-09-09T01:46:41Z\n"
            "mechanisms        SCRAM-SHA-256, PLAIN\n"
            "epoch             1\n");
}

TEST_F(Saslctl, DisablesEnablesAndDeletes) {
  fake_.AddUser("ann", "x");
  EXPECT_EQ(Run({"user", "disable", "ann"}).exit_status, 0);
  EXPECT_FALSE(fake_.IsEnabled("ann"));
  const RunResult enabled = RunJson({"user", "enable", "ann"});
  EXPECT_EQ(Json::parse(enabled.out)["enabled"], true);
  EXPECT_TRUE(fake_.IsEnabled("ann"));
  const RunResult asked = Run({"user", "delete", "ann"});
  EXPECT_EQ(asked.exit_status, 2);
  EXPECT_NE(asked.err.find("--yes"), std::string::npos);
  EXPECT_EQ(fake_.PasswordOf("ann"), "x");
  const RunResult deleted = Run({"user", "delete", "ann", "--yes"});
  EXPECT_EQ(deleted.exit_status, 0);
  EXPECT_EQ(deleted.out, "");
  EXPECT_EQ(fake_.PasswordOf("ann"), "");
}

TEST_F(Saslctl, MapsTheServersErrorsToExitStatuses) {
  fake_.AddUser("ann", "x");
  EXPECT_EQ(Run({"user", "show", "nobody"}).exit_status, 3);
  EXPECT_EQ(Run({"user", "add", "ann", "--generate"}).exit_status, 5);
  EXPECT_EQ(Run({"user", "add", "bob", "--password-stdin"}, "short\n").exit_status, 6);
  fake_.behaviour().every_admin_call = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
  EXPECT_EQ(Run({"status"}).exit_status, 4);
  fake_.behaviour().every_admin_call = grpc::Status(grpc::StatusCode::UNAVAILABLE, "disk full");
  const RunResult run = RunJson({"user", "disable", "ann"});
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(Json::parse(run.err)["error"]["code"], "unavailable");
  fake_.behaviour().every_admin_call = grpc::Status(grpc::StatusCode::INTERNAL, "a bug");
  EXPECT_EQ(Run({"status"}).exit_status, 1);
}

TEST_F(Saslctl, WritesNoHalfOfAGeneratedPasswordAfterAnError) {
  fake_.AddUser("ann", "x");
  const RunResult run = Run({"user", "add", "ann", "--generate"});
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(fake_.PasswordOf("ann"), "x");
}

TEST_F(Saslctl, GivesUpWhenTheTimeIsOver) {
  fake_.behaviour().never_answers = true;
  const RunResult run = Run({"--timeout", "100ms", "status"});
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_NE(run.err.find("did not answer in time"), std::string::npos) << run.err;
}

TEST_F(Saslctl, TellsTheStatus) {
  fake_.AddUser("ann", "x");
  RunResult run = RunJson({"status"});
  EXPECT_EQ(run.exit_status, 0);
  const Json parsed = Json::parse(run.out);
  EXPECT_EQ(parsed["version"], "9.8.7");
  EXPECT_EQ(parsed["users"], 1);
  EXPECT_EQ(parsed["store"]["error"], nullptr);
  fake_.behaviour().store_error = "disk i/o error";
  run = Run({"status"});
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_NE(run.out.find("memory: (disk i/o error)"), std::string::npos) << run.out;
  EXPECT_NE(run.err.find("cannot read its store"), std::string::npos);
}

TEST_F(Saslctl, LogsInWithEachMechanism) {
  fake_.AddUser("ann", "right");
  for (const char* mechanism : {"SCRAM-SHA-256", "PLAIN", "LOGIN", "plain"}) {
    const RunResult run = Test(mechanism, "right\n");
    EXPECT_EQ(run.exit_status, 0) << mechanism << run.err;
    EXPECT_EQ(run.err, "");
    const Json parsed = Json::parse(run.out);
    EXPECT_EQ(parsed["result"], "accepted");
    EXPECT_EQ(parsed["authcid"], "ann");
    EXPECT_EQ(parsed["server_verified"], std::string(mechanism) == "SCRAM-SHA-256");
  }
}

TEST_F(Saslctl, TellsARefusedLoginWithEachMechanism) {
  fake_.AddUser("ann", "right");
  for (const char* mechanism : {"SCRAM-SHA-256", "PLAIN", "LOGIN"}) {
    const RunResult run = Test(mechanism, "wrong\n");
    EXPECT_EQ(run.exit_status, 4) << mechanism;
    EXPECT_EQ(Json::parse(run.out)["result"], "refused");
    EXPECT_EQ(Json::parse(run.out)["code"], "authentication_failed");
    EXPECT_EQ(Json::parse(run.err)["error"]["code"], "denied");
    EXPECT_EQ((run.out + run.err).find("wrong\n"), std::string::npos);
  }
}

TEST_F(Saslctl, PassesTheFactsOfTheConnection) {
  fake_.AddUser("ann", "right");
  Run({"auth", "test", "ann", "--service", "imap", "--remote-ip", "2001:db8::1",
       "--password-stdin"},
      "right");
  EXPECT_EQ(fake_.last_facts().service(), "imap");
  EXPECT_EQ(fake_.last_facts().remote_ip(), "2001:db8::1");
  EXPECT_TRUE(fake_.last_facts().secured());
  const RunResult run =
      RunJson({"auth", "test", "ann", "-m", "PLAIN", "--insecure", "--password-stdin"}, "right");
  EXPECT_EQ(run.exit_status, 4);
  EXPECT_EQ(Json::parse(run.out)["code"], "encryption_required");
  EXPECT_EQ(
      Run({"auth", "test", "ann", "--remote-ip", "1.2.3", "--password-stdin"}, "x").exit_status, 2);
}

TEST_F(Saslctl, TellsTemporaryFromWrong) {
  fake_.behaviour().temporary_failures = true;
  const RunResult run = Test("PLAIN", "right\n");
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_EQ(Json::parse(run.out)["result"], "temporary");
}

TEST_F(Saslctl, DoesNotBelieveAServerWithoutTheCredential) {
  fake_.AddUser("ann", "right");
  fake_.behaviour().wrong_server_signature = true;
  const RunResult run = Test("SCRAM-SHA-256", "right\n");
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_EQ(run.out, "");
  EXPECT_NE(run.err.find("signature is wrong"), std::string::npos) << run.err;
}

TEST_F(Saslctl, ExplainsASocketThatIsNotThere) {
  const RunResult run = RunSaslctl({"--server", "unix:/nonexistent/admin.sock", "status"});
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_EQ(run.out, "");
  EXPECT_NE(run.err.find("unix:/nonexistent/admin.sock: no such file: is sasld running?"),
            std::string::npos)
      << run.err;
}

TEST_F(Saslctl, ExplainsASocketThatNobodyListensOn) {
  const std::filesystem::path path = fake_.folder() / "dead.sock";
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(fd);
  const RunResult run = RunSaslctl({"--server", "unix:" + path.string(), "status"});
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_NE(run.err.find("nobody listens there"), std::string::npos) << run.err;
}

TEST_F(Saslctl, TakesTheServerFromTheEnvironment) {
  setenv("SASLCTL_SERVER", fake_.address().c_str(), 1);
  const RunResult run = RunSaslctl({"status"});
  unsetenv("SASLCTL_SERVER");
  EXPECT_EQ(run.exit_status, 0) << run.err;
}

TEST_F(Saslctl, AnswersUsageErrorsWithTwo) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"user"},
        {"frobnicate"},
        {"user", "add"},
        {"user", "add", "ann", "--generate", "--password-stdin"},
        {"-o", "yaml", "status"},
        {"--timeout", "never", "status"},
        {"--server", "tcp:localhost:1", "status"},
        {"--server", "unix:" + std::string(200, 'x'), "status"},
        {"auth", "test", "ann", "-m", "KERBEROS"}}) {
    const RunResult run = RunSaslctl(arguments);
    EXPECT_EQ(run.exit_status, 2) << run.err;
    EXPECT_EQ(run.out, "");
    EXPECT_NE(run.err, "");
  }
  const RunResult json = RunSaslctl({"-o", "json", "frobnicate"});
  EXPECT_EQ(Json::parse(json.err)["error"]["code"], "usage");
}

TEST_F(Saslctl, PrintsHelpAndVersionOnStandardOutput) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"user", "--help"},
                                                    {"user", "add", "--help"},
                                                    {"auth", "test", "--help"},
                                                    {"status", "--help"}}) {
    const RunResult run = RunSaslctl(arguments);
    EXPECT_EQ(run.exit_status, 0);
    EXPECT_NE(run.out, "");
    EXPECT_EQ(run.err, "");
  }
  EXPECT_EQ(RunSaslctl({"--version"}).out, "saslctl " SASLD_VERSION "\n");
}

}  // namespace
}  // namespace sasld::saslctl
