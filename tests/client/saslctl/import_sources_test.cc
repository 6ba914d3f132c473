// What the readers of sources make of files of the tools themselves, and of broken ones.
#include "client/saslctl/import_sources.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "client/saslctl/import_batches.h"

namespace sasld::saslctl {
namespace {

std::string Sample(const std::string& name) {
  std::ifstream file(std::string(IMPORT_SAMPLES) + "/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

// A few bytes a time, as pipes give them.
ReadBytes Bytes(const std::string& text, size_t portion) {
  return
      [&text, portion, at = size_t{0}](char* bytes, size_t most) mutable -> absl::StatusOr<size_t> {
        const size_t count = text.copy(bytes, std::min(most, portion), at);
        at += count;
        return count;
      };
}

struct ReadSource {
  std::vector<SourceEntry> entries;
  absl::Status status;
};

ReadSource Read(const std::string& format, const std::string& text, SourceOptions options = {},
                size_t portion = 7) {
  LineReader lines(Bytes(text, portion));
  const std::unique_ptr<ImportSource> source = OpenImportSource(format, lines, options);
  ReadSource read;
  while (true) {
    absl::StatusOr<std::optional<SourceEntry>> entry = source->Next();
    read.status = entry.status();
    if (!entry.ok() || !entry->has_value()) return read;
    read.entries.push_back(**std::move(entry));
  }
}

// "line: name: what", for short expectations.
std::string Told(const SourceEntry& entry) {
  std::string told = std::to_string(entry.line) + ": " + entry.name + ": ";
  if (const auto* mistake = std::get_if<Mistake>(&entry.content)) return told + mistake->text;
  if (const auto* left_out = std::get_if<LeftOut>(&entry.content)) return told + left_out->text;
  const auto& record = std::get<v1::UserRecord>(entry.content);
  return told + (record.passwords().empty() ? "" : record.passwords(0));
}

const v1::UserRecord& Record(const ReadSource& read, size_t index) {
  return std::get<v1::UserRecord>(read.entries.at(index).content);
}

TEST(DovecotPasswd, ReadsWhatDoveadmMade) {
  const ReadSource read = Read("dovecot-passwd", Sample("passwd"));
  ASSERT_TRUE(read.status.ok()) << read.status;
  ASSERT_EQ(read.entries.size(), 7u);
  EXPECT_EQ(read.entries[0].line, 2u);
  EXPECT_TRUE(Record(read, 0).passwords(0).starts_with("{SHA512-CRYPT}$6$"));
  const v1::UserRecord& bob = Record(read, 1);
  EXPECT_EQ(bob.name(), "bob@example.org");
  EXPECT_EQ(bob.attributes().at("uid"), "1001");
  EXPECT_EQ(bob.attributes().at("home"), "/home/bob");
  EXPECT_EQ(bob.attributes().at("userdb_quota_rule"), "*:storage=1G");
  ASSERT_EQ(bob.access().networks_size(), 2);
  EXPECT_EQ(bob.access().networks(1), "2001:db8::/32");
  EXPECT_EQ(read.entries[2].line, 5u);
  EXPECT_TRUE(Record(read, 2).disabled());
  EXPECT_TRUE(Record(read, 3).passwords(0).starts_with("{SCRAM-SHA-256}4096,"));
  // Without a scheme it is crypt(3)'s, unless said otherwise.
  EXPECT_TRUE(Record(read, 6).passwords(0).starts_with("{CRYPT}$6$"));
}

TEST(DovecotPasswd, TellsWhatIsWrongWithALine) {
  const ReadSource read = Read("dovecot-passwd",
                               "hunter2\n:x\nann::\nbob:{PLAIN}x:::::: nopassword=y\n"
                               "cat:x:::::: pass=y\n  # no user\ndan:x y\r\n");
  ASSERT_EQ(read.entries.size(), 6u);
  EXPECT_EQ(Told(read.entries[0]), "1: : there is no colon after the name");
  EXPECT_EQ(Told(read.entries[1]), "2: : there is no name before the first colon");
  EXPECT_EQ(Told(read.entries[2]), "3: ann: there is no password");
  EXPECT_NE(Told(read.entries[3]).find("4: bob: \"nopassword\" lets anybody in"),
            std::string::npos);
  EXPECT_EQ(Told(read.entries[4]), "5: cat: there is a second password in the extra fields");
  EXPECT_EQ(Told(read.entries[5]), "7: dan: {CRYPT}x y");
}

TEST(DovecotPasswd, TakesTheDefaultScheme) {
  const ReadSource read =
      Read("dovecot-passwd", "ann:$6$ is my password\nbob:{SHA}x\n", {.default_scheme = "PLAIN"});
  EXPECT_EQ(Told(read.entries.at(0)), "1: ann: {PLAIN}$6$ is my password");
  EXPECT_EQ(Told(read.entries.at(1)), "2: bob: {SHA}x");
}

TEST(Htpasswd, ReadsWhatHtpasswdMade) {
  const ReadSource read = Read("htpasswd", Sample("htpasswd"));
  ASSERT_EQ(read.entries.size(), 5u);
  EXPECT_TRUE(Record(read, 0).passwords(0).starts_with("{CRYPT}$2y$"));
  EXPECT_TRUE(Record(read, 1).passwords(0).starts_with("{CRYPT}$apr1$"));
  EXPECT_TRUE(Record(read, 2).passwords(0).starts_with("{SHA}"));
  EXPECT_EQ(Record(read, 3).passwords(0).size(), std::string("{CRYPT}").size() + 13);
}

TEST(Shadow, LeavesOutWhoHasNoPasswordAndDisablesWhoIsLocked) {
  const ReadSource read = Read("shadow", Sample("shadow"));
  ASSERT_EQ(read.entries.size(), 4u);
  EXPECT_EQ(Told(read.entries[0]), "1: root: has no password");
  EXPECT_EQ(Told(read.entries[3]), "4: daemon: has no password");
  const v1::UserRecord& ann = Record(read, 1);
  EXPECT_FALSE(ann.disabled());
  EXPECT_EQ(ann.password_changed().seconds(), 20000 * 86400);
  EXPECT_TRUE(ann.passwords(0).starts_with("{CRYPT}$6$"));
  const v1::UserRecord& bob = Record(read, 2);
  EXPECT_TRUE(bob.disabled());
  EXPECT_TRUE(bob.must_change_password());
  EXPECT_EQ(bob.expires().seconds(), int64_t{21000} * 86400);
  EXPECT_TRUE(bob.passwords(0).starts_with("{CRYPT}$y$"));
  EXPECT_EQ(Told(Read("shadow", "ann:$6$x:soon:").entries.at(0)),
            "1: ann: the day of the last change is no number of days");
}

TEST(Sasldb, ReadsBothKindsOfDump) {
  for (const char* sample : {"sasldb2.dump", "sasldb2.hex.dump"}) {
    const ReadSource read = Read("sasldb2", Sample(sample));
    ASSERT_TRUE(read.status.ok()) << read.status;
    std::map<std::string, std::string> passwords;
    for (const SourceEntry& entry : read.entries) {
      passwords[entry.name] = std::get<v1::UserRecord>(entry.content).passwords(0);
    }
    EXPECT_EQ(passwords, (std::map<std::string, std::string>{
                             {"ann@example.org", "{PLAIN}pencil ann"},
                             {"bob@example.org", "{PLAIN}pencil bob"},
                             {"cat@example.org", "{PLAIN}back\\slash \xC3\xBC"}}));
  }
}

TEST(Sasldb, RefusesWhatIsNoWholeDump) {
  const std::string dump = Sample("sasldb2.dump");
  EXPECT_NE(Read("sasldb2", dump.substr(0, dump.size() - 10)).status.message().find("not whole"),
            std::string::npos);
  for (const std::string& other :
       {std::string(), std::string("ann:x\n"), std::string(5000, '\0')}) {
    EXPECT_NE(Read("sasldb2", other).status.message().find("db5.3_dump -p /etc/sasldb2"),
              std::string::npos);
  }
  EXPECT_EQ(Read("sasldb2", "VERSION=3\nformat=print\nHEADER=END\n a\\0\n b\n").status.message(),
            ":4: no line of a dump");
  EXPECT_EQ(Told(Read("sasldb2",
                      "VERSION=3\nformat=print\nHEADER=END\n a\\00b\\00cmusaslsecretOTP\n"
                      " x\nDATA=END\n")
                     .entries.at(0)),
            "4: a@b: property cmusaslsecretOTP: only userPassword is read");
}

TEST(Csv, ReadsColumnsInAnyOrder) {
  const ReadSource read =
      Read("csv",
           "\xEF\xBB\xBFPassword,NAME,enabled,aliases,expires,attribute.Room,networks\r\n"
           "\"{PLAIN}a,\"\"b\"\"\nc\",ann,no,a@x b@x,2030-12-31,12,\r\n"
           "\r\n"
           "{SHA}x,bob,1,,,,192.0.2.0/24\r\n");
  ASSERT_TRUE(read.status.ok()) << read.status;
  ASSERT_EQ(read.entries.size(), 2u);
  const v1::UserRecord& ann = Record(read, 0);
  EXPECT_EQ(ann.passwords(0), "{PLAIN}a,\"b\"\nc");
  EXPECT_TRUE(ann.disabled());
  ASSERT_EQ(ann.aliases_size(), 2);
  EXPECT_EQ(ann.expires().seconds(), 1924905600);
  EXPECT_EQ(ann.attributes().at("Room"), "12");
  EXPECT_FALSE(ann.has_access());
  EXPECT_EQ(read.entries[1].line, 5u);
  EXPECT_FALSE(Record(read, 1).disabled());
  EXPECT_EQ(Record(read, 1).access().networks(0), "192.0.2.0/24");
}

TEST(Csv, ReadsPostfixAdminsMailboxes) {
  const ReadSource read = Read("csv", Sample("mailbox.csv"));
  ASSERT_TRUE(read.status.ok()) << read.status;
  ASSERT_EQ(read.entries.size(), 2u);
  const v1::UserRecord& ann = Record(read, 0);
  EXPECT_EQ(ann.name(), "ann@example.org");
  EXPECT_EQ(ann.attributes().at("gecos"), "Ann, Example");
  EXPECT_EQ(ann.attributes().at("quota"), "1024000");
  EXPECT_EQ(ann.attributes().count("token"), 0u);
  EXPECT_FALSE(ann.disabled());
  EXPECT_TRUE(Record(read, 1).disabled());
  // As mysql --batch writes it.
  const ReadSource tabs =
      Read("csv", "username\tpassword\tactive\tcreated\nann\t$1$a$b\t1\tNULL\n");
  ASSERT_TRUE(tabs.status.ok()) << tabs.status;
  EXPECT_EQ(Told(tabs.entries.at(0)), "2: ann: $1$a$b");
}

TEST(Csv, TellsWhatIsWrongAndWhere) {
  const ReadSource read =
      Read("csv",
           "name,password,enabled\nann,{SHA}x,ja\nbob,hunter2,yes\n"
           "cat,{SHA}x\ndan,a\"b,yes\neve,\"a\"b,yes\nfay,{SHA}x,{SHA}secret\n");
  ASSERT_EQ(read.entries.size(), 6u);
  EXPECT_EQ(Told(read.entries[0]),
            "2: ann: column \"enabled\": \"ja\" is not yes, no, true, false, 1 or 0");
  EXPECT_EQ(Told(read.entries[1]).find("hunter2"), std::string::npos);
  EXPECT_NE(Told(read.entries[1]).find("--default-scheme PLAIN"), std::string::npos);
  EXPECT_EQ(Told(read.entries[2]), "4: : it has 2 fields, the first line names 3");
  EXPECT_EQ(Told(read.entries[3]), "5: : field 2: a quote in a field that does not begin with one");
  EXPECT_EQ(Told(read.entries[4]), "6: : field 2: something follows the closing quote");
  EXPECT_EQ(Told(read.entries[5]).find("secret"), std::string::npos);
}

TEST(Csv, RefusesAFirstLineThatNamesNoColumns) {
  const auto refusal = [](const std::string& text) {
    return std::string(Read("csv", text).status.message());
  };
  EXPECT_NE(refusal("").find("is empty"), std::string::npos);
  EXPECT_NE(refusal("ann,{SHA}x\n").find(":1: column \"ann\" is not known"), std::string::npos);
  EXPECT_EQ(refusal("password,{SHA}x\n").find("{SHA}"), std::string::npos);
  EXPECT_EQ(refusal("name,name\n"), ":1: column \"name\" is there twice");
  EXPECT_EQ(refusal("enabled,name,active\n"), ":1: column \"active\" is there twice");
  EXPECT_NE(refusal("password\n").find("there is no column \"name\""), std::string::npos);
  EXPECT_EQ(refusal("name\n\"ann\n\n"), ":2: a quote is not closed before the end");
  EXPECT_NE(refusal("name\n\"" + std::string(kLineBytesMost, 'x') + "\"\n").find("1 MiB"),
            std::string::npos);
}

TEST(JsonLines, ReadsRecordsAndRepeatsNoSecret) {
  const ReadSource read = Read("jsonl",
                               "{\"name\":\"ann\",\"verifiers\":{\"argon2id\":\"$argon2id$x\"}}\n\n"
                               "{\"name\":\"bob\",\"passwrod\":\"hunter2\"}\n"
                               "{\"name\":\"cat\",\"disabled\":\"hunter2\"}\n{\"name\n{}\n");
  ASSERT_EQ(read.entries.size(), 5u);
  EXPECT_EQ(Record(read, 0).verifiers().argon2id(), "$argon2id$x");
  EXPECT_NE(Told(read.entries[1]).find("there is no member \"passwrod\""), std::string::npos)
      << Told(read.entries[1]);
  for (size_t i = 1; i < read.entries.size(); ++i) {
    EXPECT_TRUE(std::holds_alternative<Mistake>(read.entries[i].content));
    EXPECT_EQ(Told(read.entries[i]).find("hunter2"), std::string::npos);
  }
  EXPECT_EQ(Told(read.entries[4]), "6: : there is no member \"name\"");
}

TEST(Lines, HaveTheirLimits) {
  for (const std::string& format : ImportFormats()) {
    if (format == "csv") continue;
    const std::string huge = "ann:" + std::string(3 * kLineBytesMost, 'x') + "\nbob:y:\n";
    const ReadSource read = Read(format, huge, {}, 1 << 16);
    if (format == "sasldb2") {
      EXPECT_FALSE(read.status.ok());
    } else {
      ASSERT_EQ(read.entries.size(), 2u) << format;
      EXPECT_EQ(Told(read.entries[0]), "1: : the line is longer than 1 MiB");
      EXPECT_EQ(read.entries[1].line, 2u);
    }
    const ReadSource nul = Read("htpasswd", std::string("ann:a\0b\n", 8));
    EXPECT_NE(Told(nul.entries.at(0)).find("NUL"), std::string::npos);
  }
  EXPECT_NE(Read("htpasswd",
                 "\xFF\xFE"
                 "a")
                .status.message()
                .find("UTF-16"),
            std::string::npos);
  EXPECT_TRUE(Read("htpasswd", "").entries.empty());
  EXPECT_TRUE(Read("htpasswd", "\r\n\n#x").entries.empty());
}

TEST(Batches, FindNamesThatComeTwice) {
  const std::string text =
      "name,password,aliases\nann,{SHA}x,\nANN@example.org,{SHA}x,\nbob,{SHA}x,ann@example.org\n"
      "c\xE4t,{SHA}x,\nStra\xC3\x9F"
      "e,{SHA}x,\n\xEF\xBC\xA2ob,{SHA}x,\n";
  LineReader lines(Bytes(text, 100));
  const auto source = OpenImportSource("csv", lines, {});
  ImportBatches batches(*source, "example.org");
  const absl::StatusOr<std::optional<ImportBatch>> batch = batches.Next();
  ASSERT_TRUE(batch.ok() && batch->has_value());
  const std::vector<ImportItem>& items = (*batch)->items;
  ASSERT_EQ(items.size(), 6u);
  EXPECT_EQ(items[0].name, "ann@example.org");
  EXPECT_EQ(items[0].mistake, "");
  EXPECT_EQ(items[1].mistake, "is in line 2 already");
  EXPECT_EQ(items[2].mistake, "its alias ann@example.org is in line 2 already");
  EXPECT_NE(items[3].mistake.find("is not UTF-8"), std::string::npos);
  EXPECT_EQ(items[4].mistake, "");
  // A full-width B is a B.
  EXPECT_EQ(items[5].mistake, "is in line 4 already");
  EXPECT_EQ((*batch)->request.users_size(), 2);
}

TEST(Batches, AreSmallWhereTheServerHashes) {
  std::string text = "name,password\n";
  for (int i = 0; i < 250; ++i) text += "u" + std::to_string(i) + ",{plain}x\n";
  LineReader lines(Bytes(text, 1000));
  const auto source = OpenImportSource("csv", lines, {});
  ImportBatches batches(*source, "");
  std::vector<int> sizes;
  while (true) {
    const absl::StatusOr<std::optional<ImportBatch>> batch = batches.Next();
    ASSERT_TRUE(batch.ok());
    if (!batch->has_value()) break;
    sizes.push_back((*batch)->request.users_size());
  }
  EXPECT_EQ(sizes, (std::vector<int>{100, 100, 50}));
}

}  // namespace
}  // namespace sasld::saslctl
