// saslctl key and saslctl mechanism against a fake sasld.
#include "client/saslctl/output.h"
#include "tests/client/saslctl/against_fake.h"

namespace sasld::saslctl {
namespace {

// JSON without the space between.
std::string Flat(const std::string& json) { return Json::parse(json).dump(); }

using KeysAndMechanisms = Saslctl;

TEST_F(KeysAndMechanisms, ListsKeys) {
  const RunResult run = Run({"key", "list"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out,
            "KEY   STATE     USERS\n"
            "1     old       3\n"
            "2     current   120\n");
  EXPECT_EQ(run.err, "users are being sealed under the current key just now\n");
  const RunResult json = Run({"-o", "json", "key", "list"});
  EXPECT_EQ(Flat(json.out),
            "{\"keys\":[{\"id\":1,\"current\":false,\"users\":3},"
            "{\"id\":2,\"current\":true,\"users\":120}],\"resealing\":true}");
  EXPECT_EQ(json.err, "");
}

TEST_F(KeysAndMechanisms, RotatesAndTellsWhatToDo) {
  const RunResult run = Run({"key", "rotate"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_NE(run.err.find("key 3 is the current one"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("Back up the key file now"), std::string::npos) << run.err;
  EXPECT_EQ(Flat(Run({"-o", "json", "key", "rotate"}).out), "{\"id\":3}");
}

TEST_F(KeysAndMechanisms, RetiresWithAWordOfConsentOnly) {
  const RunResult unasked = Run({"key", "retire", "1"});
  EXPECT_EQ(unasked.exit_status, 2);
  EXPECT_NE(unasked.err.find("--yes"), std::string::npos) << unasked.err;
  const RunResult run = Run({"key", "retire", "1", "--yes"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.err, "key 1 was retired\n");
  const RunResult current = Run({"key", "retire", "2", "-y"});
  EXPECT_EQ(current.exit_status, 6);
  EXPECT_NE(current.err.find("key 2 is the current one"), std::string::npos) << current.err;
  EXPECT_EQ(Run({"key", "retire", "7", "-y"}).exit_status, 3);
  EXPECT_EQ(Run({"key", "retire", "x", "-y"}).exit_status, 2);
  EXPECT_EQ(Run({"key", "retire"}).exit_status, 2);
  EXPECT_EQ(Run({"key"}).exit_status, 2);
}

TEST_F(KeysAndMechanisms, TellsCoverage) {
  const RunResult run = Run({"mechanism", "coverage"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out,
            "MECHANISM               STATE   USERS\n"
            "SCRAM-SHA-256           on      119 of 120 (99 %)\n"
            "CRAM-MD5                off     0 of 120 (0 %)\n");
  EXPECT_EQ(Flat(Run({"-o", "json", "mechanism", "coverage"}).out),
            "{\"users\":120,\"mechanisms\":[{\"name\":\"SCRAM-SHA-256\",\"enabled\":true,\"users\":"
            "119},{\"name\":\"CRAM-MD5\",\"enabled\":false,\"users\":0}]}");
}

}  // namespace
}  // namespace sasld::saslctl
