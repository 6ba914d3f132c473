// The sample configurations in deploy/, taken apart.
#pragma once

#include <fstream>
#include <string>
#include <vector>

namespace sasld {

struct SampleSetting {
  std::string header;  // "[store]", "[[listen]]"
  std::string key;
  std::string line;   // "url = \"memory:\""
  bool switched_off;  // stands behind a '#', which `line` has no more
  std::string text() const { return header + "\n" + line + "\n"; }
  // "store.url"; entries of arrays are the first ones.
  std::string path() const {
    const bool entry = header.starts_with("[[");
    const size_t brackets = entry ? 2 : 1;
    return header.substr(brackets, header.size() - 2 * brackets) + (entry ? ".0." : ".") + key;
  }
  // The default as a variable has it.
  std::string value() const {
    std::string text = line.substr(key.size() + 3);
    if (const size_t comment = text.find(" #"); comment != text.npos) text.resize(comment);
    if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
    std::erase(text, '"');
    return text;
  }
};

// In order. Wants what our samples keep to: a setting is one line, and one that is switched off has
// no blank after its '#', while prose has one.
inline std::vector<SampleSetting> SampleSettings(const std::string& path) {
  std::vector<SampleSetting> settings;
  std::ifstream file(path);
  std::string header;
  for (std::string line; std::getline(file, line);) {
    const bool switched_off = line.starts_with('#');
    if (switched_off) line.erase(0, 1);
    if (line.starts_with('[')) header = line;
    const size_t key = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    if (key == 0 || key == std::string::npos || line.compare(key, 3, " = ") != 0) continue;
    settings.push_back({header, line.substr(0, key), line, switched_off});
  }
  return settings;
}

}  // namespace sasld
