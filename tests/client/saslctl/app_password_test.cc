// App passwords and rules: the real program against a fake sasld.
#include "client/saslctl/output.h"
#include "tests/client/saslctl/against_fake.h"

namespace sasld::saslctl {
namespace {

constexpr char kGenerated[] = "aaaaa-bbbbb-ccccc-ddddd-eeeee";

TEST_F(Saslctl, PrintsAnAppPasswordAloneOnStandardOutput) {
  fake_.AddUser("ann", "x");
  const RunResult run = Run({"app-password", "add", "ann", "--label", "phone"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out, std::string(kGenerated) + "\n");
  EXPECT_EQ(run.err, "app password id1 of user ann added; shown this once:\n");
}

TEST_F(Saslctl, SendsTheLimitsOfAnAppPassword) {
  fake_.AddUser("ann", "x");
  const RunResult run =
      RunJson({"app-password", "add", "--service", "smtp", "--service", "imap", "ann", "--label",
               "phone", "--network", "192.0.2.0/24", "--expires", "2999-01-01"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  const Json json = Json::parse(run.out);
  EXPECT_EQ(json["password"], kGenerated);
  EXPECT_EQ(json["services"], (Json{"smtp", "imap"}));
  EXPECT_EQ(json["networks"], Json{"192.0.2.0/24"});
  EXPECT_EQ(json["mechanisms"], Json::array());
  EXPECT_EQ(json["expires"], "2999-01-01T00:00:00Z");
  EXPECT_EQ(json["last_use"], nullptr);
}

TEST_F(Saslctl, ListsAppPasswordsWithTheirLastUse) {
  fake_.AddUser("ann", "x");
  EXPECT_EQ(Run({"app-password", "list", "ann"}).err, "user ann has no app passwords\n");
  EXPECT_EQ(RunJson({"app-password", "list", "ann"}).out, "[]\n");
  Run({"app-password", "add", "ann", "--label", "the phone", "--service", "imap"});
  Run({"app-password", "add", "ann", "--label", "a\x1b[2J"});
  v1::LastUse& last = *fake_.app_passwords("ann").mutable_app_passwords(0)->mutable_last_use();
  last.mutable_time()->set_seconds(1'700'000'000);
  last.set_address("192.0.2.7");
  last.set_mechanism("PLAIN");
  EXPECT_EQ(Run({"app-password", "list", "ann"}).out,
            "ID   LABEL      ALLOWED  EXPIRES  LAST USED\n"
            "id1  the phone  imap     never    2023-11-14T22:13:20Z from 192.0.2.7 by PLAIN\n"
            "id2  a\\x1b[2J   any      never    -\n");
  const Json json = Json::parse(RunJson({"app-password", "list", "ann"}).out);
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["last_use"]["address"], "192.0.2.7");
  EXPECT_FALSE(json[0].contains("password"));
}

TEST_F(Saslctl, RevokesAnAppPassword) {
  fake_.AddUser("ann", "x");
  Run({"app-password", "add", "ann", "--label", "phone"});
  RunResult run = Run({"app-password", "revoke", "ann", "id1"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.err, "app password id1 of user ann revoked\n");
  run = Run({"app-password", "revoke", "ann", "id1"});
  EXPECT_EQ(run.exit_status, 3);
  EXPECT_EQ(run.err,
            "saslctl: user ann: no app password of this id (saslctl app-password list NAME "
            "shows all of a user)\n");
}

TEST_F(Saslctl, AppPasswordsNeedAUserAndALabel) {
  EXPECT_EQ(Run({"app-password", "add", "ann", "--label", "x"}).err,
            "saslctl: user ann: no such user (saslctl user list shows all)\n");
  EXPECT_EQ(Run({"app-password", "add", "ann"}).exit_status, 2);
  fake_.AddUser("ann", "x");
  const RunResult run = Run({"app-password", "add", "ann", "--label", "x", "--expires", "soon"});
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_NE(run.err.find("\"soon\" is not a span such as 90d"), std::string::npos) << run.err;
}

TEST_F(Saslctl, SetsOnlyTheRulesThatAreNamed) {
  fake_.AddUser("ann", "x");
  RunResult run =
      Run({"user", "set", "ann", "--require-app-password=yes", "--service", "smtp,imap"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.err, "user ann changed\n");
  v1::SetUserRulesRequest rules = fake_.last_rules();
  EXPECT_TRUE(rules.require_app_password());
  EXPECT_EQ(rules.services().names_size(), 2);
  EXPECT_FALSE(rules.has_send_only() || rules.has_must_change_password() || rules.has_networks() ||
               rules.has_mechanisms() || rules.has_aliases() || rules.has_senders() ||
               rules.has_expires() || rules.never_expires());
  run = Run({"user", "set", "ann", "--send-only=no", "--must-change=yes", "--expires=never",
             "--any-service", "--any-network", "--any-mechanism", "--no-alias", "--no-sender",
             "--attribute", "home=/srv/mail/a=b", "--no-attribute", "uid"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  rules = fake_.last_rules();
  EXPECT_TRUE(rules.has_send_only() && !rules.send_only());
  EXPECT_TRUE(rules.must_change_password());
  EXPECT_TRUE(rules.never_expires());
  EXPECT_TRUE(rules.has_services() && rules.has_networks() && rules.has_mechanisms() &&
              rules.has_aliases() && rules.has_senders());
  EXPECT_EQ(
      rules.services().names_size() + rules.aliases().names_size() + rules.senders().names_size(),
      0);
  EXPECT_FALSE(rules.has_require_app_password());
  EXPECT_EQ(rules.attributes().at("home"), "/srv/mail/a=b");
  EXPECT_EQ(rules.attributes_to_take_away(0), "uid");
}

TEST_F(Saslctl, TellsWhatLetsAUserSend) {
  fake_.AddUser("ann", "x");
  const RunResult owned = RunJson({"user", "may-send", "ann", "ann@example.org"});
  EXPECT_EQ(owned.exit_status, 0) << owned.err;
  EXPECT_EQ(Json::parse(owned.out)["by"], "@example.org");
  const RunResult not_owned = Run({"user", "may-send", "ann", "ann@example.net"});
  EXPECT_EQ(not_owned.exit_status, 4);
  EXPECT_EQ(not_owned.out, "");
  EXPECT_EQ(not_owned.err,
            "saslctl: user ann may not send as ann@example.net (saslctl user set --sender lets "
            "him)\n");
  EXPECT_EQ(Run({"user", "may-send", "bob", "ann@example.org"}).exit_status, 3);
  EXPECT_EQ(Run({"user", "may-send", "ann"}).exit_status, 2);
}

TEST_F(Saslctl, RefusesRulesThatMakeNoSense) {
  fake_.AddUser("ann", "x");
  EXPECT_EQ(Run({"user", "set", "ann"}).err,
            "saslctl: nothing to change: give an option (saslctl user set --help tells more)\n");
  for (const std::vector<std::string>& options : {std::vector<std::string>{"--send-only=maybe"},
                                                  {"--service", "smtp", "--any-service"},
                                                  {"--sender", "@a.example", "--no-sender"},
                                                  {"--attribute", "home"},
                                                  {"--expires", "1999-01-01"}}) {
    std::vector<std::string> arguments = {"user", "set", "ann"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    EXPECT_EQ(Run(arguments).exit_status, 2);
  }
}

TEST_F(Saslctl, ShowsTheRules) {
  fake_.AddUser("ann", "x");
  Run({"user", "set", "ann", "--send-only=yes", "--service", "smtp"});
  const std::string shown = Run({"user", "show", "ann"}).out;
  EXPECT_NE(shown.find("send only             yes\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("services              smtp\n"), std::string::npos) << shown;
  const Json json = Json::parse(RunJson({"user", "show", "ann"}).out);
  EXPECT_EQ(json["rules"]["send_only"], true);
  EXPECT_EQ(json["last_use"], nullptr);
}

}  // namespace
}  // namespace sasld::saslctl
