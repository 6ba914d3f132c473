#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "tests/server/sasl/transcript.h"

namespace sasld {
namespace {

std::vector<std::string> Transcripts() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(TRANSCRIPTS)) {
    if (entry.is_regular_file()) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Transcript : public testing::TestWithParam<std::string> {};

TEST_P(Transcript, GoesAsWritten) {
  const auto difference = PlayTranscript(GetParam());
  EXPECT_FALSE(difference.has_value()) << *difference;
}

std::string NameOfTest(const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).parent_path().filename().string() + "_" +
                     std::filesystem::path(info.param).stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); },
      '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Transcript, testing::ValuesIn(Transcripts()), NameOfTest);

TEST(Transcripts, AreThere) { EXPECT_GE(Transcripts().size(), 20u); }

}  // namespace
}  // namespace sasld
