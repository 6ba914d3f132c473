// Reads a TOML configuration so that every mistake is told with file, line and key.
//
// Each getter consumes a key; what nobody asked for is an unknown key, and an error. Errors gather,
// so that one run shows all of them:
//
//   adapter.toml:12: listen.mode: "066" is not an octal mode such as "0660"
//   SASLD_ADAPTER_LISTEN_0_MODE: "066" is not an octal mode such as "0660"
//
// What the environment says of a key goes before what the text says.
//
// Not thread-safe. All getters return the fallback after an error of theirs; only Finish() decides.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/common/config_environment.h"

namespace sasld {

class TomlDocument;

// One table of a document. Borrows the document, which must outlive it.
class TomlTable {
 public:
  // Every getter takes the key inside this table, without the table's own name.
  std::string String(std::string_view key, std::string_view fallback);
  std::string RequiredString(std::string_view key);
  std::vector<std::string> Strings(std::string_view key, std::vector<std::string> fallback);
  bool Boolean(std::string_view key, bool fallback);
  // An integer in [least, most].
  int64_t Integer(std::string_view key, int64_t fallback, int64_t least, int64_t most);
  // A duration such as "2s", "500ms", "1m", in [least, most].
  absl::Duration Duration(std::string_view key, absl::Duration fallback, absl::Duration least,
                          absl::Duration most);
  // An octal file mode in quotes, such as "0660".
  mode_t Mode(std::string_view key, mode_t fallback);
  // The sub-table [key]; an empty one where it is absent.
  TomlTable Table(std::string_view key);
  // The tables of [[key]], in order.
  std::vector<TomlTable> Tables(std::string_view key);
  // Notes an error of meaning at this key's line (the table's own where the key is absent).
  void Reject(std::string_view key, std::string_view why);
  // Where the key is given, for errors that come later: "sasld.toml:9: keys.file", the variable's
  // name, or "keys.file" alone for a default.
  std::string Place(std::string_view key) const;
  bool Has(std::string_view key) const;

 private:
  friend class TomlDocument;
  struct Node;
  explicit TomlTable(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  std::shared_ptr<Node> node_;
};

// Where a program's configuration is.
struct ConfigSource {
  std::string path;
  // Nobody has named the file: where there is none, the environment is enough, if it says anything.
  bool may_be_missing = false;
  ConfigEnvironment environment = {};

  // For texts: the path, or "environment" where the file is missing and may be.
  std::string Name() const;
};

class TomlDocument {
 public:
  // NotFound or PermissionDenied: the file cannot be opened, text says why and what to do (with
  // --config, which both servers have). InvalidArgument: not TOML, text has file and line.
  static absl::StatusOr<TomlDocument> Load(const ConfigSource& source);
  // The same for text that was read before; `name` stands for the file in errors.
  static absl::StatusOr<TomlDocument> Parse(std::string_view text, std::string name,
                                            ConfigEnvironment environment = {});

  TomlDocument(TomlDocument&&) noexcept;
  TomlDocument& operator=(TomlDocument&&) noexcept;
  ~TomlDocument();

  TomlTable Root();
  // InvalidArgument with one line for each mistake, unknown keys included, in order of line; those
  // of the environment come last.
  absl::Status Finish();

 private:
  friend class TomlTable;
  struct Impl;
  explicit TomlDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sasld
