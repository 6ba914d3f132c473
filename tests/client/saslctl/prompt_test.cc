// The prompts of the real program on a pseudo-terminal.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "tests/client/saslctl/fake_sasld.h"
#include "tests/client/saslctl/process.h"

namespace sasld::saslctl {
namespace {

TEST(Prompt, AsksTwiceWithoutEcho) {
  FakeSasld fake;
  TerminalRun run({"--server", fake.address(), "user", "add", "ann"});
  ASSERT_TRUE(run.Await("New password of ann: ")) << run.screen();
  EXPECT_FALSE(run.EchoIsOn());
  run.Type("s3cret\n");
  ASSERT_TRUE(run.Await("Once more: "));
  EXPECT_FALSE(run.EchoIsOn());
  run.Type("s3cret\n");
  ASSERT_TRUE(run.Await("user ann added"));
  EXPECT_EQ(run.Finish(), 0);
  EXPECT_TRUE(run.EchoIsOn());
  EXPECT_EQ(run.screen().find("s3cret"), std::string::npos);
  EXPECT_EQ(fake.PasswordOf("ann"), "s3cret");
}

TEST(Prompt, RefusesEntriesThatDiffer) {
  FakeSasld fake;
  TerminalRun run({"--server", fake.address(), "user", "add", "ann"});
  ASSERT_TRUE(run.Await("New password of ann: "));
  run.Type("one\n");
  ASSERT_TRUE(run.Await("Once more: "));
  run.Type("two\n");
  ASSERT_TRUE(run.Await("the two entries differ"));
  EXPECT_EQ(run.Finish(), 2);
  EXPECT_EQ(fake.PasswordOf("ann"), "");
}

TEST(Prompt, AsksOnceForATestLogin) {
  FakeSasld fake;
  fake.AddUser("ann", "right");
  TerminalRun run({"--server", fake.address(), "auth", "test", "ann"});
  ASSERT_TRUE(run.Await("Password of ann: "));
  run.Type("right\n");
  ASSERT_TRUE(run.Await("accepted"));
  EXPECT_EQ(run.Finish(), 0);
}

TEST(Prompt, RestoresTheTerminalWhenInterrupted) {
  FakeSasld fake;
  TerminalRun run({"--server", fake.address(), "user", "passwd", "ann"});
  ASSERT_TRUE(run.Await("New password of ann: "));
  EXPECT_FALSE(run.EchoIsOn());
  run.Type("\x03");  // as a person interrupts
  EXPECT_EQ(run.Finish(), 128 + SIGINT);
  EXPECT_TRUE(run.EchoIsOn());
}

TEST(Prompt, RestoresTheTerminalWhenTerminated) {
  FakeSasld fake;
  TerminalRun run({"--server", fake.address(), "user", "passwd", "ann"});
  ASSERT_TRUE(run.Await("New password of ann: "));
  run.Signal(SIGTERM);
  EXPECT_EQ(run.Finish(), 128 + SIGTERM);
  EXPECT_TRUE(run.EchoIsOn());
}

TEST(Prompt, EndsWithEndOfInput) {
  FakeSasld fake;
  TerminalRun run({"--server", fake.address(), "user", "add", "ann"});
  ASSERT_TRUE(run.Await("New password of ann: "));
  run.Type("\x04");
  EXPECT_EQ(run.Finish(), 1);
  EXPECT_TRUE(run.EchoIsOn());
}

TEST(Prompt, DeletesOnlyAfterYes) {
  FakeSasld fake;
  fake.AddUser("ann", "x");
  TerminalRun no({"--server", fake.address(), "user", "delete", "ann"});
  ASSERT_TRUE(no.Await("Delete user ann? [y/N] "));
  EXPECT_TRUE(no.EchoIsOn());
  no.Type("\n");
  ASSERT_TRUE(no.Await("not deleted"));
  EXPECT_EQ(no.Finish(), 1);
  EXPECT_EQ(fake.PasswordOf("ann"), "x");
  TerminalRun yes({"--server", fake.address(), "user", "delete", "ann"});
  ASSERT_TRUE(yes.Await("Delete user ann? [y/N] "));
  yes.Type("y\n");
  ASSERT_TRUE(yes.Await("user ann deleted"));
  EXPECT_EQ(yes.Finish(), 0);
  EXPECT_EQ(fake.PasswordOf("ann"), "");
}

TEST(Prompt, DeletesADomainOnlyAfterYes) {
  FakeSasld fake;
  ASSERT_EQ(RunSaslctl({"--server", fake.address(), "domain", "set", "a.example", "--disable"}, "")
                .exit_status,
            0);
  for (const bool deleted : {false, true}) {
    TerminalRun run({"--server", fake.address(), "domain", "delete", "a.example"});
    ASSERT_TRUE(run.Await("is gone then. Delete it? [y/N] "));
    run.Type(deleted ? "yes\n" : "\n");
    ASSERT_TRUE(run.Await(deleted ? "domain a.example deleted" : "not deleted"));
    EXPECT_EQ(run.Finish(), deleted ? 0 : 1);
  }
}

TEST(Prompt, WillNotReadAPasswordFromATerminalAsStandardInput) {
  FakeSasld fake;
  TerminalRun run({"--server", fake.address(), "user", "add", "ann", "--password-stdin"});
  ASSERT_TRUE(run.Await("leave it out to be asked"));
  EXPECT_EQ(run.Finish(), 2);
}

}  // namespace
}  // namespace sasld::saslctl
