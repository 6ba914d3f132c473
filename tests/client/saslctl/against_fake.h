// The real program against a fake sasld.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/client/saslctl/fake_sasld.h"
#include "tests/client/saslctl/process.h"

namespace sasld::saslctl {

class Saslctl : public testing::Test {
 protected:
  RunResult Run(std::vector<std::string> arguments, std::string_view input = "") {
    arguments.insert(arguments.begin(), {"--server", fake_.address()});
    return RunSaslctl(arguments, input);
  }
  RunResult RunJson(std::vector<std::string> arguments, std::string_view input = "") {
    arguments.insert(arguments.begin(), {"-o", "json"});
    return Run(std::move(arguments), input);
  }
  RunResult Test(const std::string& mechanism, std::string_view password) {
    return RunJson({"auth", "test", "ann", "-m", mechanism, "--password-stdin"}, password);
  }

  FakeSasld fake_;
};

}  // namespace sasld::saslctl
