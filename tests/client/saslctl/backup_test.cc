// saslctl backup and user list --domain: the real program against a fake sasld.
#include "client/saslctl/output.h"
#include "tests/client/saslctl/against_fake.h"

namespace sasld::saslctl {
namespace {

using SaslctlAtScale = Saslctl;

TEST_F(SaslctlAtScale, ListsADomain) {
  for (const char* name : {"ann@a.example", "bea@b.example", "cat@a.example"}) {
    fake_.AddUser(name, "x");
  }
  const RunResult run = RunJson({"user", "list", "--domain", "a.example"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(Json::parse(run.out).size(), 2u);
}

TEST_F(SaslctlAtScale, BacksUp) {
  RunResult run = RunJson({"backup", "/new.db"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(Json::parse(run.out)["users"], 42);
  EXPECT_EQ(Json::parse(run.out)["path"], "/new.db");
  run = Run({"backup", "/new.db"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_NE(run.err.find("42 users"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("key file"), std::string::npos) << run.err;
  EXPECT_EQ(run.err.find('\r'), std::string::npos) << "no progress where no terminal is";
  EXPECT_EQ(Run({"backup", "/taken.db"}).exit_status, 5);
  EXPECT_EQ(Run({"backup", "relative.db"}).exit_status, 2);
  EXPECT_EQ(Run({"backup"}).exit_status, 2);
  // A stream that ends before it said that it is complete is no backup.
  EXPECT_EQ(Run({"backup", "/cut-short.db"}).exit_status, 1);
}

}  // namespace
}  // namespace sasld::saslctl
