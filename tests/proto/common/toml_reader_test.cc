#include "proto/common/toml_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "proto/common/edit_distance.h"

namespace sasld {
namespace {

// The document of `text`, under the name that the errors below are to begin with.
TomlDocument Document(std::string_view text) {
  absl::StatusOr<TomlDocument> document = TomlDocument::Parse(text, "adapter.toml");
  EXPECT_TRUE(document.ok()) << document.status();
  return *std::move(document);
}

// What Finish() complains of; empty if of nothing.
std::string Complaints(TomlDocument& document) {
  absl::Status status = document.Finish();
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(TomlReader, ReadsEveryTypeAndFinishesClean) {
  TomlDocument document = Document(R"(
name = "ann"
on = true
limit = 7
wait = "1m30s"
mode = "0660"
list = ["a", "b"]
none = []
)");
  TomlTable root = document.Root();
  EXPECT_EQ(root.String("name", ""), "ann");
  EXPECT_TRUE(root.Boolean("on", false));
  EXPECT_EQ(root.Integer("limit", 0, 1, 7), 7);
  EXPECT_EQ(root.Duration("wait", absl::ZeroDuration(), absl::Seconds(1), absl::Minutes(2)),
            absl::Seconds(90));
  EXPECT_EQ(root.Mode("mode", 0), mode_t{0660});
  EXPECT_EQ(root.Strings("list", {}), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(root.Strings("none", {"x"}).empty());
  EXPECT_EQ(Complaints(document), "");
}

TEST(TomlReader, FallsBackWhereAKeyIsAbsent) {
  TomlDocument document = Document("");
  TomlTable root = document.Root();
  EXPECT_EQ(root.String("name", "ben"), "ben");
  EXPECT_TRUE(root.Boolean("on", true));
  EXPECT_EQ(root.Integer("limit", 3, 5, 9), 3);  // a fallback need not lie in the range
  EXPECT_EQ(root.Duration("wait", absl::Seconds(4), absl::Seconds(5), absl::Seconds(6)),
            absl::Seconds(4));
  EXPECT_EQ(root.Mode("mode", 0600), mode_t{0600});
  EXPECT_EQ(root.Strings("list", {"x"}), std::vector<std::string>{"x"});
  EXPECT_EQ(root.Table("below").String("name", "carl"), "carl");
  EXPECT_TRUE(root.Tables("listen").empty());
  EXPECT_FALSE(root.Has("name"));
  EXPECT_EQ(Complaints(document), "");
}

TEST(TomlReader, RequiresWhatIsRequired) {
  TomlDocument document = Document("\nempty = \"\"\n[keys]\n[store]\nurl = 3\n");
  TomlTable root = document.Root();
  EXPECT_EQ(root.RequiredString("empty"), "");
  EXPECT_EQ(root.Table("keys").RequiredString("file"), "");
  EXPECT_EQ(root.Table("store").RequiredString("url"), "");
  EXPECT_EQ(root.Table("gone").RequiredString("path"), "");
  EXPECT_EQ(Complaints(document),
            "adapter.toml:1: gone.path: is missing\n"
            "adapter.toml:2: empty: must not be empty\n"
            "adapter.toml:3: keys.file: is missing\n"
            "adapter.toml:5: store.url: must be a string in quotes, is an integer");
}

TEST(TomlReader, TellsTheTypeThatIsWantedAndTheOneThatIsThere) {
  TomlDocument document = Document(R"(name = 1
on = "yes"
limit = 1.5
wait = 5
mode = 660
list = "a"
mixed = [ "a",
  2 ]
below = 1979-05-27
[[server]]
[listen]
)");
  TomlTable root = document.Root();
  EXPECT_EQ(root.String("name", "f"), "f");
  EXPECT_TRUE(root.Boolean("on", true));
  EXPECT_EQ(root.Integer("limit", 8, 1, 9), 8);
  EXPECT_EQ(root.Duration("wait", absl::Seconds(2), absl::Seconds(1), absl::Seconds(9)),
            absl::Seconds(2));
  EXPECT_EQ(root.Mode("mode", 0600), mode_t{0600});
  EXPECT_EQ(root.Strings("list", {"f"}), std::vector<std::string>{"f"});
  EXPECT_EQ(root.Strings("mixed", {"g"}), std::vector<std::string>{"g"});
  EXPECT_FALSE(root.Table("below").Has("x"));
  EXPECT_FALSE(root.Table("server").Has("x"));
  EXPECT_TRUE(root.Tables("listen").empty());
  EXPECT_EQ(
      Complaints(document),
      "adapter.toml:1: name: must be a string in quotes, is an integer\n"
      "adapter.toml:2: on: must be true or false, is a string\n"
      "adapter.toml:3: limit: must be an integer, is a floating-point number\n"
      "adapter.toml:4: wait: must be a duration such as \"2s\", \"500ms\" or \"1m\", is an "
      "integer\n"
      "adapter.toml:5: mode: must be an octal mode such as \"0660\", is an integer\n"
      "adapter.toml:6: list: must be an array of strings such as [\"a\", \"b\"], is a string\n"
      "adapter.toml:8: mixed: must hold strings only, holds an integer\n"
      "adapter.toml:9: below: must be one table, [below], is a date or time\n"
      "adapter.toml:10: server: must be one table, [server], is an array\n"
      "adapter.toml:11: listen: must be an array of tables, [[listen]], is a table");
}

TEST(TomlReader, TellsTheRange) {
  TomlDocument document = Document(R"(low = 0
high = 10
short = "5ms"
long = "-2s"
)");
  TomlTable root = document.Root();
  EXPECT_EQ(root.Integer("low", 5, 1, 9), 5);
  EXPECT_EQ(root.Integer("high", 5, 1, 9), 5);
  root.Duration("short", absl::Seconds(1), absl::Milliseconds(10), absl::Minutes(1));
  root.Duration("long", absl::Seconds(1), absl::Milliseconds(10), absl::Minutes(1));
  EXPECT_EQ(Complaints(document),
            "adapter.toml:1: low: 0 is not between 1 and 9\n"
            "adapter.toml:2: high: 10 is not between 1 and 9\n"
            "adapter.toml:3: short: \"5ms\" is not between 10ms and 1m\n"
            "adapter.toml:4: long: \"-2s\" is not between 10ms and 1m");
}

TEST(TomlReader, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "5", "fast", "inf", "-inf", "2 s"}) {
    TomlDocument document = Document("wait = \"" + std::string(text) + "\"");
    EXPECT_EQ(document.Root().Duration("wait", absl::Seconds(3), absl::ZeroDuration(),
                                       absl::InfiniteDuration()),
              absl::Seconds(3));
    EXPECT_EQ(Complaints(document), "adapter.toml:1: wait: \"" + std::string(text) +
                                        "\" is not a duration such as \"2s\", \"500ms\" or \"1m\"");
  }
}

TEST(TomlReader, RefusesWhatIsNoMode) {
  for (const char* text : {"", "066", "660", "0680", "1660", "00660", "-066", "0x66", "rw-r"}) {
    TomlDocument document = Document("[[listen]]\nmode = \"" + std::string(text) + "\"");
    EXPECT_EQ(document.Root().Tables("listen")[0].Mode("mode", 0600), mode_t{0600});
    EXPECT_EQ(Complaints(document), "adapter.toml:2: listen.mode: \"" + std::string(text) +
                                        "\" is not an octal mode such as \"0660\"");
  }
}

TEST(TomlReader, NamesUnknownKeysInEveryTableInOrderOfLine) {
  TomlDocument document = Document(R"(colour = "red"
[server]
adresses = ["unix:/x"]
[passwords.argon2id]
memory_kib = 1
speed = 2
[[listen]]
path = "/a"
[[listen]]
path = "/b"
  [listen.limits]
  lines = 3
[sever]
x = 1
)");
  TomlTable root = document.Root();
  root.Table("server").Strings("addresses", {});
  root.Table("passwords").Table("argon2id").Integer("memory_kib", 0, 0, 9);
  std::vector<TomlTable> listen = root.Tables("listen");
  ASSERT_EQ(listen.size(), 2U);
  EXPECT_EQ(listen[0].RequiredString("path"), "/a");
  EXPECT_EQ(listen[1].RequiredString("path"), "/b");
  listen[1].Table("limits").Integer("line", 0, 0, 9);
  EXPECT_EQ(Complaints(document),
            "adapter.toml:1: colour: unknown key\n"
            "adapter.toml:3: server.adresses: unknown key; did you mean \"addresses\"?\n"
            "adapter.toml:6: passwords.argon2id.speed: unknown key\n"
            "adapter.toml:12: listen.limits.lines: unknown key; did you mean \"line\"?\n"
            "adapter.toml:13: sever: unknown key");
}

TEST(TomlReader, GuessesAMistypedTableThatIsAbsentOtherwise) {
  TomlDocument document = Document("[sever]\naddress = 1\n");
  document.Root().Table("server").String("address", "");
  EXPECT_EQ(Complaints(document), "adapter.toml:1: sever: unknown key; did you mean \"server\"?");
}

TEST(TomlReader, RejectsWithTheLineOfTheKeyOrOfItsTable) {
  TomlDocument document = Document("\n[store]\nurl = \"x:\"\n");
  TomlTable store = document.Root().Table("store");
  EXPECT_EQ(store.RequiredString("url"), "x:");
  store.Reject("url", "no such scheme");
  store.Reject("size", "is needed with it");
  EXPECT_EQ(Complaints(document),
            "adapter.toml:2: store.size: is needed with it\n"
            "adapter.toml:3: store.url: no such scheme");
}

TEST(TomlReader, SameTableTwiceIsOneTable) {
  TomlDocument document = Document("[a]\nx = 1\ny = 2\n[[b]]\nz = 3\n");
  document.Root().Table("a").Integer("x", 0, 0, 9);
  document.Root().Table("a").Integer("y", 0, 0, 9);
  document.Root().Tables("b");
  EXPECT_EQ(document.Root().Tables("b").at(0).Integer("z", 0, 0, 9), 3);
  EXPECT_EQ(Complaints(document), "");
}

TEST(TomlReader, TablesOutliveAMoveOfTheDocument) {
  TomlDocument document = Document("[a]\nx = 1\n");
  TomlTable a = document.Root().Table("a");
  TomlDocument moved = std::move(document);
  EXPECT_EQ(a.Integer("x", 0, 0, 9), 1);
  EXPECT_EQ(Complaints(moved), "");
}

TEST(TomlReader, TellsTheLineOfASyntaxError) {
  for (const char* text : {"a = 1\nb = \n", "a = 1\n[b", "a = 1\na = 2", "a = 1\nb = \"\xff\""}) {
    absl::StatusOr<TomlDocument> document = TomlDocument::Parse(text, "adapter.toml");
    ASSERT_TRUE(absl::IsInvalidArgument(document.status())) << document.status();
    EXPECT_EQ(document.status().message().substr(0, 16), "adapter.toml:2: ") << document.status();
    EXPECT_EQ(document.status().message().find('\n'), std::string::npos) << document.status();
  }
}

class TomlFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "tomlXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    unlink(Path().c_str());
    rmdir(folder_.c_str());
  }
  std::string Path() const { return folder_ + "/a.toml"; }
  std::string folder_;
};

TEST_F(TomlFile, IsReadAndNamedInErrors) {
  std::ofstream(Path()) << "x = 1\n";
  absl::StatusOr<TomlDocument> document = TomlDocument::Load({Path()});
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(Complaints(*document), Path() + ":1: x: unknown key");
}

TEST_F(TomlFile, ThatIsNotThereIsNotFound) {
  absl::Status status = TomlDocument::Load({Path()}).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_EQ(status.message(), Path() +
                                  ": cannot be opened: No such file or directory; make it, or "
                                  "name another with --config");
}

TEST_F(TomlFile, ThatIsAFolderIsInvalid) {
  absl::Status status = TomlDocument::Load({folder_}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(status.message(), folder_ + ": cannot be read: Is a directory");
}

TEST_F(TomlFile, ThatIsNotReadableIsPermissionDenied) {
  std::ofstream(Path()) << "x = 1\n";
  ASSERT_EQ(chmod(Path().c_str(), 0), 0);
  if (geteuid() == 0) {  // root reads everything, so be nobody for a moment
    ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
    ASSERT_EQ(seteuid(65534), 0);
  }
  absl::Status status = TomlDocument::Load({Path()}).status();
  if (getuid() == 0) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  const std::string user = std::to_string(getuid() == 0 ? 65534 : getuid());
  EXPECT_EQ(status.message(), Path() +
                                  ": cannot be opened: Permission denied; it must be readable "
                                  "for the user this runs as (uid " +
                                  user + ")");
}

TEST_F(TomlFile, ThatIsTooLargeIsInvalid) {
  std::ofstream(Path()) << std::string((1 << 20) + 1, '\n');
  absl::Status status = TomlDocument::Load({Path()}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("adresses", "addresses"), 1U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
}

}  // namespace
}  // namespace sasld
