// Plays dialogues of Dovecot's protocols that are written as text: see transcripts/README.md.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace sasld::testing {

struct Transcript {
  std::string name;                // "file: session"
  std::vector<std::string> lines;  // without comments and empty ones
};
std::ostream& operator<<(std::ostream& out, const Transcript& transcript);

// All sessions of all files in `folder`, in order of name.
std::vector<Transcript> LoadTranscripts(const std::string& folder);

// Plays it against a new session and adds a test failure for each difference. The client's bytes
// come in pieces of `chunk`.
void Play(const Transcript& transcript, size_t chunk);

// Undoes the escapes of a transcript: "a\tb{A*3}" to "a<TAB>bAAA".
std::string Unescaped(std::string_view text);

}  // namespace sasld::testing
