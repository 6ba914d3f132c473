#include "proto/common/config_environment.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "proto/common/toml_reader.h"

namespace sasld {
namespace {

using Variables = std::initializer_list<const char*>;

ConfigEnvironment Given(Variables variables) {
  std::vector<const char*> all(variables);
  all.push_back(nullptr);
  return ConfigEnvironment({"APP_", "APP_SUB_", "app.toml(5)"}, all.data());
}

TomlDocument Document(std::string_view text, Variables variables) {
  absl::StatusOr<TomlDocument> document = TomlDocument::Parse(text, "app.toml", Given(variables));
  EXPECT_TRUE(document.ok()) << document.status();
  return *std::move(document);
}

std::string Complaints(TomlDocument& document) { return std::string(document.Finish().message()); }

class ValueFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/environment-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& content) {
    std::ofstream(folder_ + "/value", std::ios::binary) << content;
    return folder_ + "/value";
  }
  // What `name`, a string, is by APP_NAME_FILE, or what Finish() complains of.
  std::string NameBy(const std::string& path) {
    const std::string variable = "APP_NAME_FILE=" + path;
    TomlDocument document = Document("", {variable.c_str()});
    std::string name = document.Root().String("name", "fallback");
    const std::string complaints = Complaints(document);
    return complaints.empty() ? name : complaints;
  }

  std::string folder_;
};

TEST(ConfigEnvironment, GivesEveryType) {
  TomlDocument document = Document(
      "", {"APP_NAME=ann, ben", "APP_ON=true", "APP_LIMIT=7", "APP_WAIT=1m30s", "APP_MODE=0660",
           "APP_LIST=a, b c ,d", "APP_NONE=", "APP_ONE_TWO_THREE=x", "PATH=/bin"});
  TomlTable root = document.Root();
  EXPECT_EQ(root.String("name", ""), "ann, ben");
  EXPECT_TRUE(root.Boolean("on", false));
  EXPECT_EQ(root.Integer("limit", 0, 1, 7), 7);
  EXPECT_EQ(root.Duration("wait", absl::ZeroDuration(), absl::Seconds(1), absl::Minutes(2)),
            absl::Seconds(90));
  EXPECT_EQ(root.Mode("mode", 0), mode_t{0660});
  EXPECT_EQ(root.Strings("list", {}), (std::vector<std::string>{"a", "b c", "d"}));
  EXPECT_TRUE(root.Strings("none", {"x"}).empty());
  EXPECT_EQ(root.Table("one").Table("two").String("three", ""), "x");
  EXPECT_EQ(Complaints(document), "");
}

TEST(ConfigEnvironment, WinsOverTheText) {
  TomlDocument document = Document("[log]\nlevel = 3\nother = \"file\"\n", {"APP_LOG_LEVEL=debug"});
  TomlTable log = document.Root().Table("log");
  EXPECT_EQ(log.String("level", ""), "debug");
  EXPECT_EQ(log.String("other", ""), "file");
  EXPECT_EQ(Complaints(document), "");
}

TEST(ConfigEnvironment, MistakesNameTheVariableAndComeAfterTheTexts) {
  TomlDocument document = Document("\nlimit = 0\nunknown = 1\n",
                                   {"APP_ON=yes", "APP_COUNT=many", "APP_WIDE=9", "APP_WAIT=soon",
                                    "APP_MODE=066", "APP_LIST=a,,b", "APP_TAIL=a,", "APP_N="});
  TomlTable root = document.Root();
  EXPECT_TRUE(root.Boolean("on", true));
  EXPECT_EQ(root.Integer("count", 5, 1, 9), 5);
  EXPECT_EQ(root.Integer("wide", 5, 1, 8), 5);
  EXPECT_EQ(root.Integer("n", 5, 1, 8), 5);
  EXPECT_EQ(root.Integer("limit", 5, 1, 8), 5);
  root.Duration("wait", absl::Seconds(1), absl::Seconds(1), absl::Seconds(2));
  root.Mode("mode", 0600);
  EXPECT_EQ(root.Strings("list", {"f"}), std::vector<std::string>{"f"});
  root.Strings("tail", {});
  EXPECT_EQ(Complaints(document),
            "app.toml:2: limit: 0 is not between 1 and 8\n"
            "app.toml:3: unknown: unknown key\n"
            "APP_ON: \"yes\" is neither true nor false\n"
            "APP_COUNT: \"many\" is not an integer\n"
            "APP_WIDE: 9 is not between 1 and 8\n"
            "APP_N: \"\" is not an integer\n"
            "APP_WAIT: \"soon\" is not a duration such as \"2s\", \"500ms\" or \"1m\"\n"
            "APP_MODE: \"066\" is not an octal mode such as \"0660\"\n"
            "APP_LIST: \"a,,b\" has an empty element between its commas\n"
            "APP_TAIL: \"a,\" has an empty element between its commas");
}

TEST(ConfigEnvironment, EntriesOfAnArrayAreChangedAndAdded) {
  TomlDocument document = Document("[[listen]]\npath = \"/a\"\nmode = \"0600\"\n",
                                   {"APP_LISTEN_0_PATH=/b", "APP_LISTEN_1_PATH=/c",
                                    "APP_LISTEN_1_BACK_IMAP=x", "APP_LISTEN_2_MODE=9"});
  std::vector<TomlTable> listen = document.Root().Tables("listen");
  ASSERT_EQ(listen.size(), 3u);
  EXPECT_EQ(listen[0].RequiredString("path"), "/b");
  EXPECT_EQ(listen[0].Mode("mode", 0), mode_t{0600});
  EXPECT_FALSE(listen[0].Has("back"));
  EXPECT_EQ(listen[1].RequiredString("path"), "/c");
  EXPECT_EQ(listen[1].Mode("mode", 0640), mode_t{0640});
  EXPECT_TRUE(listen[1].Has("back"));
  EXPECT_EQ(listen[1].Table("back").String("imap", ""), "x");
  EXPECT_EQ(listen[2].RequiredString("path"), "");
  listen[2].Mode("mode", 0);
  EXPECT_EQ(Complaints(document),
            "APP_LISTEN_2_PATH: is missing\n"
            "APP_LISTEN_2_MODE: \"9\" is not an octal mode such as \"0660\"");
}

TEST(ConfigEnvironment, NoEntryIsLeftOut) {
  TomlDocument document = Document("", {"APP_LISTEN_0_PATH=/b", "APP_LISTEN_2_PATH=/c"});
  for (TomlTable& listen : document.Root().Tables("listen")) listen.RequiredString("path");
  EXPECT_EQ(Complaints(document),
            "APP_LISTEN_2_PATH: there is no entry 1 before it (APP_LISTEN_1_…); they are counted "
            "from 0, those of the file first");
}

TEST(ConfigEnvironment, TellsTheNearestOfWhatIsNoKey) {
  TomlDocument document = Document("", {"APP_STOR_URL=x", "APP_STORE=x", "APP_SOMETHING_ELSE=x",
                                        "APP_SUB_ANY=x", "APP_URL_STORE_FILE=x", "APPLE=x"});
  document.Root().Table("store").String("url", "");
  EXPECT_EQ(Complaints(document),
            "APP_SOMETHING_ELSE: is no key of the configuration; see app.toml(5)\n"
            "APP_STORE: is no key of the configuration; did you mean APP_STORE_URL?\n"
            "APP_STOR_URL: is no key of the configuration; did you mean APP_STORE_URL?\n"
            "APP_URL_STORE_FILE: is no key of the configuration; see app.toml(5)");
}

TEST(ConfigEnvironment, IgnoresWhatKubernetesSetsForServices) {
  EXPECT_TRUE(Given({"APP_SERVICE_HOST=10.0.0.7", "APP_SERVICE_PORT=4720",
                     "APP_SERVICE_PORT_GRPC=4720", "APP_PORT=tcp://10.0.0.7:4720",
                     "APP_PORT_4720_TCP=tcp://10.0.0.7:4720", "APP_PORT_4720_TCP_PROTO=tcp",
                     "APP_PORT_4720_TCP_PORT=4720", "APP_PORT_4720_TCP_ADDR=10.0.0.7",
                     "APP_LISTEN_0_SERVICE_HOST=10.0.0.8", "APP_PORT_GUARD_PORT_9_UDP=udp://x:9"})
                  .empty());
  for (const char* variable :
       {"APP_PORT=4720", "APP_PORTS=tcp://x", "APP_PORT_TCP=x", "APP_PORT_1_TCP_X=x",
        "APP_SERVICE=x", "APP_PORT_1_HTTP=x", "APP_PORT_1=x"}) {
    EXPECT_FALSE(Given({variable}).empty()) << variable;
  }
}

TEST_F(ValueFiles, AreReadWithoutTheirLastNewline) {
  EXPECT_EQ(NameBy(Write("ann")), "ann");
  EXPECT_EQ(NameBy(Write("ann\n")), "ann");
  EXPECT_EQ(NameBy(Write(" ann ")), " ann ");
  EXPECT_EQ(NameBy(Write("")), "");
  EXPECT_EQ(NameBy(Write(std::string(65536, 'x'))), std::string(65536, 'x'));
}

TEST_F(ValueFiles, AreRefusedWithVariableAndFile) {
  const std::string path = Write("ann\n\n");
  const std::string more =
      "APP_NAME_FILE: " + path +
      ": holds more than one line of text, or a control character; is it a value?";
  EXPECT_EQ(NameBy(path), more);
  EXPECT_EQ(NameBy(Write(std::string("a\0b", 3))), more);
  EXPECT_EQ(NameBy(Write(std::string(65537, 'x'))),
            "APP_NAME_FILE: " + path + " is larger than 64 KiB; is it a value?");
  EXPECT_EQ(NameBy(folder_), "APP_NAME_FILE: " + folder_ + " is not a file");
  EXPECT_EQ(NameBy(folder_ + "/none"),
            "APP_NAME_FILE: " + folder_ + "/none cannot be read: No such file or directory");
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(NameBy(pipe), "APP_NAME_FILE: " + pipe + " is not a file");
}

TEST_F(ValueFiles, AreNotGivenBesideTheValue) {
  TomlDocument document = Document("", {"APP_NAME=ann", "APP_NAME_FILE=/nonexistent"});
  EXPECT_EQ(document.Root().String("name", "f"), "f");
  EXPECT_EQ(Complaints(document),
            "APP_NAME: is set, and so is APP_NAME_FILE; take one of them away");
}

TEST_F(ValueFiles, OfAKeyWhoseOwnNameEndsInFile) {
  const std::string path = Write("/run/key\n");
  const std::string by_file = "APP_KEYS_FILE_FILE=" + path;
  for (const char* variable : {"APP_KEYS_FILE=/run/key", by_file.c_str()}) {
    TomlDocument document = Document("", {variable});
    EXPECT_EQ(document.Root().Table("keys").String("file", ""), "/run/key") << variable;
    EXPECT_EQ(Complaints(document), "");
  }
}

TEST_F(ValueFiles, AreReadAnewEachTime) {
  const std::string path = Write("a");
  EXPECT_EQ(NameBy(path), "a");
  Write("b");
  EXPECT_EQ(NameBy(path), "b");
}

TEST_F(ValueFiles, TheEnvironmentIsEnoughWhereNobodyNamedAFile) {
  const std::string none = folder_ + "/none.toml";
  EXPECT_TRUE(absl::IsNotFound(TomlDocument::Load({none, true, Given({})}).status()));
  EXPECT_TRUE(absl::IsNotFound(TomlDocument::Load({none, false, Given({"APP_A=b"})}).status()));
  const ConfigSource source{none, true, Given({"APP_A=b"})};
  EXPECT_EQ(source.Name(), "environment");
  absl::StatusOr<TomlDocument> document = TomlDocument::Load(source);
  ASSERT_TRUE(document.ok()) << document.status();
  TomlTable root = document->Root();
  EXPECT_EQ(root.String("a", ""), "b");
  root.Table("store").RequiredString("url");
  EXPECT_EQ(Complaints(*document), "APP_STORE_URL: is missing");

  const ConfigSource of_file{Write("a = \"c\""), true, Given({"APP_B=d"})};
  EXPECT_EQ(of_file.Name(), folder_ + "/value");
  document = TomlDocument::Load(of_file);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->Root().String("a", ""), "c");
}

TEST_F(ValueFiles, TellWhereAKeyIsGiven) {
  TomlDocument document = Document("[keys]\na = \"x\"\nb = \"y\"\n", {"APP_KEYS_B=z"});
  TomlTable keys = document.Root().Table("keys");
  for (const char* key : {"a", "b", "c"}) keys.String(key, "");
  EXPECT_EQ(keys.Place("a"), "app.toml:2: keys.a");
  EXPECT_EQ(keys.Place("b"), "APP_KEYS_B");
  EXPECT_EQ(keys.Place("c"), "keys.c");
}

}  // namespace
}  // namespace sasld
