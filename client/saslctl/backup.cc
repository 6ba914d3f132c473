#include "client/saslctl/backup.h"

#include <unistd.h>

#include <cstdio>

#include "client/saslctl/output.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// How far it is, in one line that the next one overwrites; for a person who watches, and nobody
// else.
class ProgressLine {
 public:
  explicit ProgressLine(bool shown) : shown_(shown) {}
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(const v1::BackUpProgress& progress) {
    if (!shown_ || progress.complete() || progress.total() == 0) return;
    (void)std::fprintf(stderr, "\r%s %3llu %%", progress.checking() ? "checking" : "copying ",
                       static_cast<unsigned long long>(100 * progress.done() / progress.total()));
    begun_ = true;
  }

  void Clear() {
    constexpr char kEraseLine[] = "\r\x1b[K";
    if (begun_) (void)std::fputs(kEraseLine, stderr);
    begun_ = false;
  }

 private:
  const bool shown_;
  bool begun_ = false;
};

}  // namespace

BackupCommand::BackupCommand(CLI::App& app)
    : backup_(app.add_subcommand("backup", "Copy the database while it is in use")) {
  backup_->fallthrough();
  backup_
      ->add_option("FILE", path_,
                   "The copy: a new file on the server's machine, where sasld may write")
      ->required()
      ->type_name("");
}

absl::Status BackupCommand::Run(const Invocation& invocation) {
  // The server's working folder is not the caller's.
  if (!path_.starts_with('/')) {
    return absl::InvalidArgumentError(
        "FILE must be an absolute path, such as "
        "/var/lib/sasld/backup.db");
  }
  RETURN_IF_ERROR(CheckServer(invocation.server));
  v1::BackUpRequest request;
  request.set_path(path_);
  v1::BackUpProgress last;
  ProgressLine line(invocation.output.format() == OutputFormat::kTable && isatty(STDERR_FILENO));
  const absl::Status status =
      Connection(invocation.server, invocation.timeout)
          .Stream(&v1::Admin::Stub::BackUp, request, [&](const v1::BackUpProgress& progress) {
            line.Show(progress);
            last = progress;
          });
  line.Clear();
  RETURN_IF_ERROR(status);
  if (!last.complete()) return absl::InternalError("the server did not say that it is complete");
  if (invocation.output.format() == OutputFormat::kTable) {
    invocation.output.Note("backup " + path_ +
                           " made and checked: " + std::to_string(last.users()) +
                           " users. Without the key file, which is not in it, it is of no use; "
                           "keep that apart");
  } else {
    invocation.output.Object(Json{{"path", path_}, {"users", last.users()}}, {});
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
