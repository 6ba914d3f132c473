// saslctl import and saslctl export against a fake sasld.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "client/saslctl/output.h"
#include "tests/client/saslctl/against_fake.h"
#include "tests/client/saslctl/fake_users.h"

namespace sasld::saslctl {
namespace {

class Import : public Saslctl {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = (fake_.folder() / name).string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static std::string Contents(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  size_t Users() { return fake_.imported().records().size(); }
  // Three batches.
  std::string Many() {
    std::string text;
    for (int i = 0; i < 2500; ++i) text += "u" + std::to_string(i) + ":{SHA}x\n";
    return Write("many", text);
  }
};

TEST_F(Import, AddsUsersAndSaysSo) {
  const std::string file = Write("passwd", "ann:{SHA}x\nbob@example.com:{SHA}y\n");
  const RunResult run = Run({"import", "dovecot-passwd", file, "--default-domain", "example.org"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "passwd: 2 users added, 0 replaced, 0 skipped, 0 refused\n");
  EXPECT_EQ(fake_.imported().records().at("ann@example.org").passwords(0), "{SHA}x");
  EXPECT_TRUE(fake_.imported().records().contains("bob@example.com"));
  EXPECT_FALSE(std::filesystem::exists(file + ".sasld-import"));
}

TEST_F(Import, WritesNothingIfThereIsAMistake) {
  const std::string file = Write("passwd", "ann:{SHA}x\nbob:{BAD}y\ncat\n");
  const RunResult run = Run({"import", "dovecot-passwd", file});
  EXPECT_EQ(run.exit_status, 6);
  EXPECT_EQ(
      run.err,
      "passwd:2: bob: password: no such scheme\n"
      "passwd:3: there is no colon after the name\n"
      "saslctl: passwd: nothing was written: 2 users of 3 refused; the lines above say why\n");
  EXPECT_EQ(Users(), 0u);
}

TEST_F(Import, TreatsThoseThatAreThereAsItIsTold) {
  const std::string file = Write("passwd", "ann:{SHA}x\nbob:{SHA}x\n");
  Run({"import", "dovecot-passwd", "-"}, "ann:{SHA}old\n");
  const RunResult fail = Run({"import", "dovecot-passwd", file});
  EXPECT_EQ(fail.exit_status, 5);
  EXPECT_NE(fail.err.find("passwd:1: ann: there is such a user already\n"), std::string::npos);
  EXPECT_EQ(Users(), 1u);
  const RunResult skip = Run({"import", "dovecot-passwd", file, "--on-existing", "skip"});
  EXPECT_EQ(skip.err, "passwd: 1 user added, 0 replaced, 1 skipped, 0 refused\n");
  EXPECT_EQ(fake_.imported().records().at("ann").passwords(0), "{SHA}old");
  const RunResult replace = Run({"import", "dovecot-passwd", file, "--on-existing", "replace"});
  EXPECT_EQ(replace.err, "passwd: 0 users added, 2 replaced, 0 skipped, 0 refused\n");
  EXPECT_EQ(fake_.imported().records().at("ann").passwords(0), "{SHA}x");
}

TEST_F(Import, TellsOfEachLineInADryRun) {
  Run({"import", "htpasswd", "-"}, "bob:{SHA}old\n");
  const std::string text = "ann:{SHA}x\nbob:{SHA}x\ncat:{BAD}\n";
  const RunResult run =
      Run({"import", "htpasswd", "-", "--dry-run", "--on-existing", "skip"}, text);
  EXPECT_EQ(run.exit_status, 6);
  EXPECT_EQ(run.out,
            "standard input:1: ann: would be added\n"
            "standard input:2: bob: would be skipped: there is such a user already\n"
            "standard input:3: cat: password: no such scheme\n");
  EXPECT_EQ(Users(), 1u);
  const RunResult json = Run({"-o", "json", "import", "htpasswd", "-", "--dry-run"}, text);
  const Json told = Json::parse(json.out);
  EXPECT_EQ(told["lines"].size(), 3u);
  EXPECT_EQ(told["lines"][1]["outcome"], "refused");
  EXPECT_EQ(told["added"], 1);
  EXPECT_EQ(told["refused"], 2);
  EXPECT_EQ(told["written"], false);
}

TEST_F(Import, GoesOnWhereAnOutageStoppedIt) {
  const std::string file = Many();
  fake_.imported().LetImport(1);
  const RunResult stopped = Run({"import", "htpasswd", file});
  EXPECT_EQ(stopped.exit_status, 7);
  EXPECT_NE(stopped.err.find("run the same command again"), std::string::npos) << stopped.err;
  EXPECT_EQ(Users(), 1000u);
  const std::string journal = Contents(file + ".sasld-import");
  EXPECT_NE(journal.find("\ndone 1000 1000 0 0 0\n"), std::string::npos) << journal;
  struct stat mode = {};
  ASSERT_EQ(stat((file + ".sasld-import").c_str(), &mode), 0);
  EXPECT_EQ(mode.st_mode & 0777, 0600u);

  // With other options it is another import.
  const RunResult other = Run({"import", "htpasswd", file, "--on-existing", "skip"});
  EXPECT_EQ(other.exit_status, 6);
  EXPECT_NE(other.err.find("delete the journal to begin anew"), std::string::npos) << other.err;

  fake_.imported().LetImport(100);
  const RunResult run = Run({"import", "htpasswd", file});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.err,
            "many: going on after line 1000, where an earlier run stopped\n"
            "many: 2500 users added, 0 replaced, 0 skipped, 0 refused\n");
  EXPECT_EQ(Users(), 2500u);
  EXPECT_FALSE(std::filesystem::exists(file + ".sasld-import"));
}

TEST_F(Import, SkipsWhatWasWrittenButNotJournalled) {
  const std::string file = Many();
  fake_.imported().LetImport(2);
  EXPECT_EQ(Run({"import", "htpasswd", file}).exit_status, 7);
  // As if it had been killed after the second batch, in the middle of a line of the journal.
  std::string journal = Contents(file + ".sasld-import");
  journal.resize(journal.find("done 2000") + 6);
  Write("many.sasld-import", journal);
  fake_.imported().LetImport(100);
  const RunResult run = Run({"import", "htpasswd", file});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_NE(run.err.find("many: 2500 users added"), std::string::npos) << run.err;
  EXPECT_EQ(Users(), 2500u);
}

TEST_F(Import, RefusesCommandLinesAndFilesThatMakeNoSense) {
  EXPECT_EQ(Run({"import", "ldif", "-"}).exit_status, 2);
  EXPECT_EQ(Run({"import", "csv"}).exit_status, 2);
  EXPECT_EQ(Run({"import", "csv", "/nowhere/at all"}).exit_status, 2);
  EXPECT_EQ(Run({"import", "csv", "/tmp"}).exit_status, 2);
  EXPECT_EQ(Run({"import", "csv", "-", "--default-domain", "@x"}).exit_status, 2);
  const RunResult broken = Run({"import", "csv", Write("users.csv", "name\nann\n\"bob\n")});
  EXPECT_EQ(broken.exit_status, 1);
  EXPECT_NE(broken.err.find("saslctl: users.csv:3: a quote is not closed"), std::string::npos)
      << broken.err;
  EXPECT_EQ(Users(), 0u);
}

TEST_F(Import, ReadsADumpOfSasldb2) {
  const RunResult run = Run({"import", "sasldb2", std::string(IMPORT_SAMPLES) + "/sasldb2.dump"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.err, "sasldb2.dump: 3 users added, 0 replaced, 0 skipped, 0 refused\n");
}

TEST_F(Import, ReadsWhatExportWrote) {
  const std::string line =
      "{\"name\":\"ann\",\"created\":\"2026-11-24T10:00:00Z\",\"verifiers\":{\"argon2id\":\"$a\","
      "\"scramSalt\":\"AAEC\"},\"attributes\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\"}}\n";
  ASSERT_EQ(Run({"import", "jsonl", "-"}, line + "{\"name\":\"bob\"}\n").exit_status, 0);
  const RunResult run = Run({"export"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.out, line + "{\"name\":\"bob\"}\n");
  EXPECT_NE(run.err.find("can try passwords"), std::string::npos);
  EXPECT_EQ(Run({"export", "--prefix", "b"}).out, "{\"name\":\"bob\"}\n");
}

TEST_F(Import, ExportMakesAPrivateFileAndReplacesNone) {
  ASSERT_EQ(Run({"import", "jsonl", "-"}, "{\"name\":\"ann\"}\n").exit_status, 0);
  const std::string file = (fake_.folder() / "users.jsonl").string();
  EXPECT_EQ(Run({"export", file}).exit_status, 0);
  EXPECT_EQ(Contents(file), "{\"name\":\"ann\"}\n");
  struct stat mode = {};
  ASSERT_EQ(stat(file.c_str(), &mode), 0);
  EXPECT_EQ(mode.st_mode & 0777, 0600u);
  const RunResult again = Run({"export", file});
  EXPECT_EQ(again.exit_status, 5);
  EXPECT_NE(again.err.find("there is such a file already"), std::string::npos);
  EXPECT_EQ(Run({"export", "/nowhere/file"}).exit_status, 1);
  // The socket and the export: no draft is left.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(fake_.folder()), {}), 2);
}

TEST_F(Import, ShowsABarOnATerminal) {
  TerminalRun run({"--server", fake_.address(), "import", "htpasswd", Many()});
  EXPECT_TRUE(run.Await("2500 users added"));
  EXPECT_EQ(run.Finish(), 0);
  EXPECT_NE(run.screen().find("checking ["), std::string::npos) << run.screen();
}

}  // namespace
}  // namespace sasld::saslctl
