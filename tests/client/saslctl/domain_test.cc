// saslctl domain: the real program against a fake sasld.
#include "client/saslctl/output.h"
#include "tests/client/saslctl/against_fake.h"
#include "tests/client/saslctl/fake_users.h"

namespace sasld::saslctl {
namespace {

class SaslctlDomain : public Saslctl {
 protected:
  v1::SetDomainRequest Sent() { return fake_.imported().last_set_domain(); }
};

TEST_F(SaslctlDomain, SetsOnlyWhatIsNamed) {
  RunResult run = Run({"domain", "set", "example.org", "--require-app-password=yes", "--service",
                       "smtp,imap", "--attribute", "home=/srv/%d/%n", "--attribute", "x=a,b=c"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "domain example.org set\n");
  v1::SetDomainRequest sent = Sent();
  EXPECT_EQ(sent.name(), "example.org");
  EXPECT_TRUE(sent.require_app_password());
  EXPECT_EQ(sent.services().names_size(), 2);
  EXPECT_EQ(sent.attributes().at("home"), "/srv/%d/%n");
  EXPECT_EQ(sent.attributes().at("x"), "a,b=c");
  EXPECT_FALSE(sent.has_enabled() || sent.has_send_only() || sent.has_networks() ||
               sent.has_mechanisms());
  run = Run({"domain", "set", "example.org", "--disable", "--send-only=no", "--any-service",
             "--any-network", "--any-mechanism", "--no-attribute", "home"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  sent = Sent();
  EXPECT_TRUE(sent.has_enabled() && !sent.enabled());
  EXPECT_TRUE(sent.has_send_only() && !sent.send_only());
  EXPECT_TRUE(sent.has_services() && sent.has_networks() && sent.has_mechanisms());
  EXPECT_EQ(sent.services().names_size(), 0);
  ASSERT_EQ(sent.attributes_to_take_away_size(), 1);
  EXPECT_EQ(sent.attributes_to_take_away(0), "home");
  Run({"domain", "set", "example.org", "--enable"});
  EXPECT_TRUE(Sent().enabled());
}

TEST_F(SaslctlDomain, RefusesWhatMakesNoSense) {
  EXPECT_EQ(Run({"domain", "set", "example.org"}).err,
            "saslctl: nothing to change: give an option (saslctl domain set --help tells more)\n");
  const RunResult run = Run({"domain", "set", "example.org", "--attribute", "home"});
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_EQ(run.err, "saslctl: --attribute: \"home\" is not NAME=VALUE, such as uid=5000\n");
  for (const std::vector<std::string>& options : {std::vector<std::string>{"--enable", "--disable"},
                                                  {"--send-only=maybe"},
                                                  {"--service", "smtp", "--any-service"},
                                                  {"--attribute", "=x"}}) {
    std::vector<std::string> arguments = {"domain", "set", "example.org"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    EXPECT_EQ(Run(arguments).exit_status, 2) << options.front();
  }
  EXPECT_EQ(Run({"domain"}).exit_status, 2);
  EXPECT_EQ(Run({"domain", "show"}).exit_status, 2);
}

TEST_F(SaslctlDomain, TellsWhatTheServerRefused) {
  const RunResult run = Run({"domain", "set", "example.org", "--attribute", "BAD=x"});
  EXPECT_EQ(run.exit_status, 6);
  EXPECT_EQ(run.err, "saslctl: domain example.org: attributes: \"BAD\" is not a name\n");
}

TEST_F(SaslctlDomain, ShowsADomain) {
  Run({"domain", "set", "example.org", "--disable", "--require-app-password=yes", "--service",
       "imap", "--attribute", "uid=500", "--attribute", "home=/srv/%d/%n"});
  EXPECT_EQ(Run({"domain", "show", "example.org"}).out,
            "name                  example.org\n"
            "state                 disabled\n"
            "epoch                 1\n"
            "require app password  yes\n"
            "send only             no\n"
            "services              imap\n"
            "networks              any\n"
            "by mechanisms         any\n"
            "attribute             home=/srv/%d/%n\n"
            "attribute             uid=500\n");
  EXPECT_EQ(Json::parse(RunJson({"domain", "show", "example.org"}).out).dump(),
            "{\"name\":\"example.org\",\"enabled\":false,\"epoch\":1,\"require_app_password\":true,"
            "\"send_only\":false,\"services\":[\"imap\"],\"networks\":[],\"mechanisms\":[],"
            "\"attributes\":{\"home\":\"/srv/%d/%n\",\"uid\":\"500\"}}");
  const RunResult none = Run({"domain", "show", "example.net"});
  EXPECT_EQ(none.exit_status, 3);
  EXPECT_EQ(none.err,
            "saslctl: domain example.net: no such domain (saslctl domain list shows all, saslctl "
            "domain set makes one)\n");
}

TEST_F(SaslctlDomain, ListsAllPages) {
  EXPECT_EQ(Run({"domain", "list"}).err, "no domains\n");
  EXPECT_EQ(RunJson({"domain", "list"}).out, "[]\n");
  Run({"domain", "set", "a.example", "--service", "imap", "--attribute", "uid=5"});
  Run({"domain", "set", "b.example", "--disable"});
  Run({"domain", "set", "long.example", "--require-app-password=yes"});
  EXPECT_EQ(Run({"domain", "list"}).out,
            "NAME          STATE     APP PASSWORDS  SEND ONLY  ALLOWED  ATTRIBUTES\n"
            "a.example     enabled   optional       no         imap     1\n"
            "b.example     disabled  optional       no         any      0\n"
            "long.example  enabled   required       no         any      0\n");
  const Json json = Json::parse(RunJson({"domain", "list"}).out);
  ASSERT_EQ(json.size(), 3u);
  EXPECT_EQ(json[2]["name"], "long.example");
}

TEST_F(SaslctlDomain, DeletesWithAWordOfConsentOnly) {
  Run({"domain", "set", "example.org", "--disable"});
  const RunResult unasked = Run({"domain", "delete", "example.org"});
  EXPECT_EQ(unasked.exit_status, 2);
  EXPECT_NE(unasked.err.find("--yes"), std::string::npos) << unasked.err;
  RunResult run = Run({"domain", "delete", "example.org", "--yes"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.err, "domain example.org deleted\n");
  EXPECT_EQ(Run({"domain", "delete", "example.org", "-y"}).exit_status, 3);
  Run({"domain", "set", "example.org", "--enable"});
  EXPECT_EQ(Json::parse(RunJson({"domain", "delete", "example.org", "-y"}).out).dump(),
            "{\"name\":\"example.org\",\"deleted\":true}");
}

TEST_F(SaslctlDomain, AUserIsShownWithWhatTheDomainAdds) {
  fake_.AddUser("ann", "x");
  EXPECT_NE(Run({"user", "show", "ann"}).out.find("domain                -\n"), std::string::npos);
  v1::User& user = fake_.user("ann");
  user.mutable_domain()->set_name("example.org");
  user.mutable_domain()->set_require_app_password(true);
  v1::EffectiveAttribute& own = *user.add_effective_attributes();
  own.set_name("home");
  own.set_value("/home/ann");
  v1::EffectiveAttribute& by_default = *user.add_effective_attributes();
  by_default.set_name("uid");
  by_default.set_value("500");
  by_default.set_from_domain(true);
  const std::string shown = Run({"user", "show", "ann"}).out;
  EXPECT_NE(shown.find("domain                example.org; disabled; app passwords only; any\n"
                       "attribute             home=/home/ann\n"
                       "attribute             uid=500 (of the domain)\n"),
            std::string::npos)
      << shown;
  const Json json = Json::parse(RunJson({"user", "show", "ann"}).out);
  EXPECT_EQ(json["domain"]["name"], "example.org");
  EXPECT_EQ(json["effective_attributes"].dump(),
            "[{\"name\":\"home\",\"value\":\"/home/ann\",\"from_domain\":false},"
            "{\"name\":\"uid\",\"value\":\"500\",\"from_domain\":true}]");
}

}  // namespace
}  // namespace sasld::saslctl
