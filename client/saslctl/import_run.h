// An import from its source to the server: never half of one.
//
// 1. The source is read for its digest. A journal of the same digest and options means that an
//    earlier run stopped in the middle: this one goes on there.
// 2. Else it is read for mistakes. With kFail, or for a dry run, the server is asked about every
//    batch of it too, without writing, and any mistake ends the import here.
// 3. It is read again and written, a batch a transaction. More than one batch has a journal.
//
// What may be written twice: the one batch under way when a run was killed. The next run sends it
// with "skip", and what was there of it is no mistake.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/saslctl/import_sources.h"
#include "client/saslctl/invocation.h"

namespace sasld::saslctl {

enum class OnExisting { kFail, kSkip, kReplace };

struct ImportOptions {
  std::string format;  // one of ImportFormats()
  std::string file;    // "-": standard input
  std::string default_domain;
  SourceOptions source;
  OnExisting on_existing = OnExisting::kFail;
  bool dry_run = false;
  std::string journal;  // empty: beside the file, and none for standard input
};

// InvalidArgument: no such file. DataLoss: it is not of that format. AlreadyExists: all that was
// refused is there already. FailedPrecondition: users were refused, or the journal is another's.
// Aborted: the file changed meanwhile, or another process imports it. Internal: a file or the
// journal cannot be read or written. Else what the server's calls give.
absl::Status RunImport(const Invocation& invocation, const ImportOptions& options);

}  // namespace sasld::saslctl
