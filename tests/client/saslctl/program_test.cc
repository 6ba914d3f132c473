// The real program against a fake sasld: exit statuses, and what goes to which output.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "client/saslctl/client_mechanism.h"
#include "client/saslctl/output.h"
#include "tests/client/saslctl/against_fake.h"

namespace sasld::saslctl {
namespace {

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
            "name                  ann\n"
            "state                 enabled\n"
            "created               2001-09-09T01:46:40Z\n"
            "password changed      2001-09-09T01:46:41Z\n"
            "mechanisms            SCRAM-SHA-256, PLAIN\n"
            "epoch                 1\n"
            "last used             -\n"
            "app passwords         0\n"
            "aliases               -\n"
            "senders               -\n"
            "expires               never\n"
            "require app password  no\n"
            "must change password  no\n"
            "send only             no\n"
            "services              any\n"
            "networks              any\n"
            "by mechanisms         any\n"
            "domain                -\n");
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

TEST_F(Saslctl, TellsWhoTheServersErrorIsAbout) {
  fake_.AddUser("ann", "x");
  EXPECT_EQ(Run({"user", "show", "bob"}).err,
            "saslctl: user bob: no such user (saslctl user list shows all)\n");
  EXPECT_EQ(
      Run({"user", "add", "ann", "--generate"}).err,
      "saslctl: user ann: there is such a user (saslctl user passwd gives it another password)\n");
  const RunResult refused = RunJson({"user", "add", "bob", "--password-stdin"}, "short\n");
  EXPECT_EQ(Json::parse(refused.err)["error"]["message"], "user bob: password: too short");
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
  std::vector<std::string> mechanisms = ClientMechanismNames();
  EXPECT_EQ(mechanisms.size(), 10u);
  mechanisms.insert(mechanisms.end(), {"plain", "scram-sha-1"});
  for (const std::string& mechanism : mechanisms) {
    const RunResult run = Test(mechanism, "right\n");
    EXPECT_EQ(run.exit_status, 0) << mechanism << run.err;
    EXPECT_EQ(run.err, "");
    const Json parsed = Json::parse(run.out);
    EXPECT_EQ(parsed["result"], "accepted");
    EXPECT_EQ(parsed["authcid"], "ann");
    const std::string canonical = parsed["mechanism"];
    EXPECT_EQ(parsed["server_verified"],
              canonical.starts_with("SCRAM-") || canonical == "DIGEST-MD5");
  }
}

TEST_F(Saslctl, TellsARefusedLoginWithEachMechanism) {
  fake_.AddUser("ann", "right");
  for (const std::string& mechanism : ClientMechanismNames()) {
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
  for (const char* mechanism : {"SCRAM-SHA-256", "SCRAM-SHA3-512", "DIGEST-MD5"}) {
    const RunResult run = Test(mechanism, "right\n");
    EXPECT_EQ(run.exit_status, 1);
    EXPECT_EQ(run.out, "");
    EXPECT_NE(run.err.find("signature is wrong"), std::string::npos) << run.err;
  }
}

TEST_F(Saslctl, SaysWhyAMechanismCannotBeTested) {
  for (const char* mechanism : {"SCRAM-SHA-256-PLUS", "external"}) {
    const RunResult run = Run({"auth", "test", "ann", "-m", mechanism});
    EXPECT_EQ(run.exit_status, 2);
    EXPECT_NE(run.err.find("needs a TLS connection: test it with a real client"), std::string::npos)
        << run.err;
  }
  const std::string real_client = "-PLUS and EXTERNAL need a TLS connection: test them with a real";
  const std::string unknown = Run({"auth", "test", "ann", "-m", "KERBEROS"}).err;
  const std::string help = Run({"auth", "test", "--help"}).out;
  EXPECT_NE(unknown.find("KERBEROS is none of "), std::string::npos) << unknown;
  EXPECT_NE(unknown.find(real_client), std::string::npos) << unknown;
  for (const std::string& known : ClientMechanismNames()) {
    EXPECT_NE(unknown.find(known), std::string::npos) << known;
    EXPECT_NE(help.find(known), std::string::npos) << known;
  }
}

TEST_F(Saslctl, ExplainsASocketThatIsNotThere) {
  const RunResult run = RunSaslctl({"--server", "unix:/nonexistent/admin.sock", "status"});
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            "saslctl: unix:/nonexistent/admin.sock: there is no such socket. Start sasld; if its "
            "configuration has another address at [listen] admin, give that to --server\n");
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
  EXPECT_EQ(run.err,
            "saslctl: unix:" + path.string() + ": nobody listens there any more; start sasld\n");
}

TEST_F(Saslctl, ExplainsAPathThatIsNoSocket) {
  const std::string folder = fake_.folder().string();
  const RunResult run = RunSaslctl({"--server", "unix:" + folder, "status"});
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_EQ(run.err, "saslctl: --server: " + folder +
                         " is no socket; sasld's is at [listen] admin in its configuration\n");
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

TEST_F(Saslctl, SaysWhatIsWrongWithACommandLine) {
  EXPECT_EQ(RunSaslctl({"user", "ad", "ann"}).err,
            "saslctl: \"ad\" is no command; there are add, passwd, list, show, set, "
            "may-send, disable, enable, delete (saslctl user --help tells more)\n");
  EXPECT_EQ(RunSaslctl({"user", "add"}).err,
            "saslctl: NAME is required (saslctl user add --help tells more)\n");
  EXPECT_EQ(RunSaslctl({"--timeout", "5", "status"}).err,
            "saslctl: --timeout: \"5\" is not a duration such as 5s or 500ms, at most 1h\n");
  EXPECT_EQ(Run({"auth", "test", "ann", "--remote-ip", "1.2.3", "--password-stdin"}, "x").err,
            "saslctl: --remote-ip: \"1.2.3\" is not an IPv4 or IPv6 address\n");
  // Nobody wants to see a password again that was typed in the wrong place.
  EXPECT_EQ(RunSaslctl({"user", "add", "ann", "hunter2"}).err,
            "saslctl: too many arguments (saslctl user add --help tells more)\n");
}

TEST_F(Saslctl, RefusesNamesThatAreNotUtf8) {
  for (const char* name : {"j\xFCrgen", "\xC3", "\xED\xA0\x80", "\xF5\x80\x80\x80"}) {
    const RunResult run = Run({"user", "show", name});
    EXPECT_EQ(run.exit_status, 2);
    EXPECT_EQ(run.err, "saslctl: argument 5 is not UTF-8; is the terminal set to it?\n");
  }
  EXPECT_EQ(Run({"user", "show", "j\xC3\xBCrgen"}).exit_status, 3);
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
