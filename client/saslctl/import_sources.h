// Where users come from: the files of other systems, one reader for each format.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "client/saslctl/import_lines.h"
#include "sasld/v1/admin.pb.h"

namespace sasld::saslctl {

// What is wrong, for who wrote the source: "column \"enabled\": …". Names no password.
struct Mistake {
  std::string text;
};

// On purpose no user, and why: "has no password".
struct LeftOut {
  std::string text;
};

struct SourceEntry {
  size_t line = 0;        // where it begins, from 1
  std::string name = {};  // as far as it could be read
  std::variant<v1::UserRecord, Mistake, LeftOut> content;
};

// Not thread-safe.
class ImportSource {
 public:
  virtual ~ImportSource() = default;
  // nullopt: the end, and that again if asked again. DataLoss: the source as a whole is not what it
  // should be; the text says why and begins with ":LINE: " where a line is to blame, else with a
  // space.
  virtual absl::StatusOr<std::optional<SourceEntry>> Next() = 0;
};

struct SourceOptions {
  // The scheme of passwords that name none, as Dovecot's default_pass_scheme; empty: the format's.
  std::string default_scheme;
};

// The formats, in the order in which help names them.
const std::vector<std::string>& ImportFormats();

// `format` is one of them. `lines` must outlive it.
std::unique_ptr<ImportSource> OpenImportSource(std::string_view format, LineReader& lines,
                                               const SourceOptions& options);

// What a password of a source is called to the server: "{SCHEME}…" as it is, and any other text
// with `scheme` before it.
std::string WithScheme(std::string_view password, std::string_view scheme);

// A user on one line. nullopt: a comment, or an empty line. `line` has no NUL.
using ReadUserLine = std::optional<SourceEntry>(std::string_view line,
                                                const SourceOptions& options);

// Dovecot's passwd-file: user:password:uid:gid:gecos:home:shell:extra fields. What is no password
// becomes attributes, allow_nets the networks of the access rules; nologin disables.
// https://doc.dovecot.org/configuration_manual/authentication/passwd_file/
ReadUserLine ReadDovecotPasswdLine;
// Apache's htpasswd: user:hash.
ReadUserLine ReadHtpasswdLine;
// shadow(5). What is locked ("!") is disabled, what has no hash is left out.
ReadUserLine ReadShadowLine;
// A UserRecord in protobuf's JSON mapping.
ReadUserLine ReadJsonLine;

// Users and realms of a dump of Cyrus SASL's sasldb2, as db5.3_dump writes it.
std::unique_ptr<ImportSource> OpenSasldbDump(LineReader& lines);
// Comma separated values (RFC 4180), or with tabs. The first line names the columns.
std::unique_ptr<ImportSource> OpenCsv(LineReader& lines, const SourceOptions& options);

}  // namespace sasld::saslctl
