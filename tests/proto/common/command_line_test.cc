#include "proto/common/command_line.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <string>

namespace sasld {
namespace {

// What is wrong with this command line of a program like saslctl; "" if nothing.
std::string Wrong(const std::string& arguments) {
  CLI::App app("", "tool");
  int level = 0;
  std::string name;
  app.add_option("--level", level);
  CLI::App* user = app.add_subcommand("user")->fallthrough();
  user->require_subcommand(1);
  user->add_subcommand("add")->fallthrough()->add_option("NAME", name)->required();
  user->add_subcommand("list");
  app.add_subcommand("status");
  app.require_subcommand(1);
  try {
    app.parse(arguments, false);
  } catch (const CLI::ParseError& error) {
    return WhatIsWrong(app, error);
  }
  return "";
}

TEST(WhatIsWrong, NamesTheCommandsThatThereAre) {
  EXPECT_EQ(Wrong(""), "a command is missing; there are user, status (tool --help tells more)");
  EXPECT_EQ(Wrong("usr list"),
            "\"usr\" is no command; there are user, status (tool --help tells more)");
  EXPECT_EQ(Wrong("user"),
            "a command is missing; there are add, list (tool user --help tells more)");
  EXPECT_EQ(Wrong("user ad ann"),
            "\"ad\" is no command; there are add, list (tool user --help tells more)");
}

TEST(WhatIsWrong, NamesAnUnknownOptionWithoutItsValue) {
  const std::string wrong = "there is no option --pass (tool user add --help tells more)";
  EXPECT_EQ(Wrong("user add ann --pass=hunter2"), wrong);
  EXPECT_EQ(Wrong("user add ann --pass hunter2"), wrong);
  EXPECT_EQ(Wrong("user add --pass=hunter2"), wrong);
  EXPECT_EQ(Wrong("user add ann -phunter2"),
            "there is no option -p (tool user add --help tells more)");
}

TEST(WhatIsWrong, DoesNotRepeatWhatMayBeAPassword) {
  EXPECT_EQ(Wrong("user add ann hunter2"), "too many arguments (tool user add --help tells more)");
}

TEST(WhatIsWrong, LeavesTheRestToCli11) {
  EXPECT_EQ(Wrong("user add"), "NAME is required (tool user add --help tells more)");
  EXPECT_EQ(Wrong("--level"), "--level: 1 required INT missing (tool --help tells more)");
  EXPECT_EQ(Wrong("user add ann --level high"),
            "Could not convert: --level = high (tool user add --help tells more)");
  EXPECT_EQ(Wrong("user add ann --level 3"), "");
}

}  // namespace
}  // namespace sasld
