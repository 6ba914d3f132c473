// Plays a dialogue that is written down as text against a mechanism.
//
//   # comment
//   mechanism SCRAM-SHA-256 server-nonce=…
//   fact realm=example.org        likewise service=, certificate=<its user name>, binding-offered,
//                                 channel-binding=<type>:<hex>
//   start                         no initial response
//   C: <text>                     the client's message; at first: the initial response
//   ask scram-keys user => password=pencil salt=<base64> i=4096 [epoch=7]
//   ask scram-keys user => decoy
//   ask password user "secret" => match | no-match
//   ask equivalent cram-md5 user => password=pencil
//   ask equivalent digest-md5 user example.org => decoy
//   ask certificate <its user name> => user | nobody
//   S: <text>                     the server's challenge
//   needs tls-exporter            which channel binding the next step needs
//   success user [as other] [data=<text>]
//   anonymous <trace>
//   failure <reason>
//
// In messages \0, \xHH and \\ are escapes.
// Every state passes through nothing but bytes, as it does between two servers.
#pragma once

#include <optional>
#include <string>

namespace sasld {

// Nothing if the dialogue went as written; else what differed, with file and line.
std::optional<std::string> PlayTranscript(const std::string& path);

}  // namespace sasld
