#include "client/saslctl/import.h"

#include "client/saslctl/connection.h"
#include "client/saslctl/import_sources.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {

ImportCommand::ImportCommand(CLI::App& app)
    : import_(app.add_subcommand("import", "Add the users of another system, or of an export")) {
  import_->fallthrough();
  import_
      ->add_option("FORMAT", options_.format,
                   "dovecot-passwd, htpasswd, shadow, sasldb2 (a dump of it), csv, or jsonl (what "
                   "export writes)")
      ->required()
      ->check(CLI::IsMember(ImportFormats()))
      ->type_name("");
  import_->add_option("FILE", options_.file, "The file; - is standard input")
      ->required()
      ->type_name("");
  import_
      ->add_option("--default-domain", options_.default_domain,
                   "Append @DOMAIN to names that have none")
      ->type_name("DOMAIN");
  import_
      ->add_option("--default-scheme", options_.source.default_scheme,
                   "The scheme of passwords that name none, such as CRYPT or PLAIN")
      ->type_name("SCHEME");
  import_
      ->add_option("--on-existing", on_existing_,
                   "What becomes of users that are there already: fail (nothing is written), skip "
                   "or replace")
      ->check(CLI::IsMember({"fail", "skip", "replace"}))
      ->capture_default_str()
      ->type_name("WHAT");
  import_->add_flag("--dry-run", options_.dry_run,
                    "Tell of each line what would become of it, and write nothing");
  import_
      ->add_option("--journal", options_.journal,
                   "Where to keep how far a long import has come; without it, beside FILE")
      ->type_name("PATH");
}

absl::Status ImportCommand::Run(const Invocation& invocation) {
  options_.on_existing = on_existing_ == "skip"      ? OnExisting::kSkip
                         : on_existing_ == "replace" ? OnExisting::kReplace
                                                     : OnExisting::kFail;
  const std::string& domain = options_.default_domain;
  if (domain.find_first_of("@ \t") != std::string::npos) {
    return absl::InvalidArgumentError("--default-domain: \"" + domain +
                                      "\" is no domain such as example.org");
  }
  // The rest of the scheme's name the server judges; these would change where it ends.
  if (options_.source.default_scheme.find_first_of("{}: \t") != std::string::npos) {
    return absl::InvalidArgumentError(
        "--default-scheme: a name such as CRYPT or PLAIN, without braces");
  }
  RETURN_IF_ERROR(CheckServer(invocation.server));
  return RunImport(invocation, options_);
}

}  // namespace sasld::saslctl
