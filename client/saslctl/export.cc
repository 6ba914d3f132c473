#include "client/saslctl/export.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "client/saslctl/connection.h"
#include "client/saslctl/export_file.h"
#include "client/saslctl/password.h"
#include "client/saslctl/progress.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

// Small enough for gRPC's 4 MiB whatever users have.
constexpr uint32_t kPageSize = 200;

constexpr char kWhatItIsWorth[] =
    "who has this export can try passwords of all its users, without a limit and unseen, as they "
    "could with the database and its key file: keep it as you keep those, and delete it when it "
    "has done its duty";

std::string Deterministic(const v1::UserRecord& record) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  // Maps in order of their keys.
  coded.SetSerializationDeterministic(true);
  record.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> JsonLine(const v1::UserRecord& record) {
  constexpr char kTypes[] = "type.googleapis.com";
  const std::unique_ptr<google::protobuf::util::TypeResolver> resolver(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kTypes, google::protobuf::DescriptorPool::generated_pool()));
  std::string bytes = Deterministic(record);
  std::string line;
  const auto status = google::protobuf::util::BinaryToJsonString(
      resolver.get(), std::string(kTypes) + "/" + std::string(record.GetDescriptor()->full_name()),
      bytes, &line);
  Wipe(bytes);
  if (!status.ok()) {
    Wipe(line);
    return absl::InternalError("user " + record.name() + " cannot be told in JSON");
  }
  return line;
}

ExportCommand::ExportCommand(CLI::App& app)
    : export_(app.add_subcommand("export",
                                 "Write all that is kept of users, as JSON lines that import "
                                 "reads")) {
  export_->fallthrough();
  export_
      ->add_option("FILE", file_,
                   "A new file, readable by its owner only; without it, standard output")
      ->type_name("");
  export_->add_option("--prefix", prefix_, "Only names that begin so")->type_name("PREFIX");
}

absl::Status ExportCommand::Run(const Invocation& invocation) {
  RETURN_IF_ERROR(CheckServer(invocation.server));
  if (file_.empty() && isatty(STDOUT_FILENO) != 0) {
    return absl::InvalidArgumentError(
        "what is exported is nothing for a screen: name a FILE, or send standard output to one");
  }
  std::optional<ExportFile> file;
  if (!file_.empty() && file_ != "-") {
    ASSIGN_OR_RETURN(ExportFile made, ExportFile::Make(file_));
    file.emplace(std::move(made));
  }
  invocation.output.Note(kWhatItIsWorth);
  Connection connection(invocation.server, invocation.timeout);
  Progress progress(STDERR_FILENO, invocation.output.format() == OutputFormat::kTable);
  v1::ExportUsersRequest request;
  request.set_prefix(prefix_);
  request.set_page_size(kPageSize);
  uint64_t users = 0;
  do {
    ASSIGN_OR_RETURN(const v1::ExportUsersReply page,
                     connection.Call(&v1::Admin::Stub::ExportUsers, request));
    for (const v1::UserRecord& record : page.users()) {
      ASSIGN_OR_RETURN(std::string line, JsonLine(record));
      line += '\n';
      absl::Status written;
      if (file.has_value()) {
        written = file->Write(line);
      } else {
        invocation.output.Data(line);
      }
      Wipe(line);
      RETURN_IF_ERROR(written);
      ++users;
    }
    request.set_page_token(page.next_page_token());
    progress.Show("exporting", 0, 0, users);
  } while (!request.page_token().empty() && !invocation.output.reader_gone());
  if (file.has_value()) RETURN_IF_ERROR(file->Finish());
  progress.Clear();
  invocation.output.Note(std::to_string(users) + (users == 1 ? " user" : " users") + " exported");
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
