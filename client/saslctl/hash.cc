#include "client/saslctl/hash.h"

#include <iomanip>
#include <sstream>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/saslctl/connection.h"
#include "client/saslctl/output.h"
#include "proto/common/status_macros.h"

namespace sasld::saslctl {
namespace {

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// To a tenth: more is noise.
double MillisecondsOf(const google::protobuf::Duration& duration) {
  return static_cast<double>(
             absl::ToInt64Microseconds(DurationOf(duration) + absl::Microseconds(50)) / 100) /
         10;
}

bool AreSame(const v1::HashCost& one, const v1::HashCost& other) {
  return one.memory_kib() == other.memory_kib() && one.iterations() == other.iterations() &&
         one.parallelism() == other.parallelism();
}

Json CostJson(const v1::HashCost& cost) {
  return {{"memory_kib", cost.memory_kib()},
          {"iterations", cost.iterations()},
          {"parallelism", cost.parallelism()}};
}

Json CalibrationJson(const v1::CalibrateHashReply& reply) {
  Json json;
  json["measured"] = Json::array();
  for (const v1::MeasuredHash& measured : reply.measured()) {
    Json its = CostJson(measured.cost());
    its["median_ms"] = MillisecondsOf(measured.median());
    its["threads"] = measured.threads();
    its["hashes_per_second"] = measured.hashes_per_second();
    json["measured"].push_back(its);
  }
  json["proposed"] = CostJson(reply.proposed());
  return json;
}

// What was measured, the proposal marked, and then what to copy to sasld.toml.
std::string CalibrationTable(const v1::CalibrateHashReply& reply) {
  std::ostringstream text;
  text << "  MEMORY KIB  ITERATIONS  PARALLELISM  MEDIAN MS  THREADS  HASHES/S AT MOST\n"
       << std::fixed;
  for (const v1::MeasuredHash& measured : reply.measured()) {
    text << (AreSame(measured.cost(), reply.proposed()) ? '*' : ' ') << std::setw(11)
         << measured.cost().memory_kib() << std::setw(12) << measured.cost().iterations()
         << std::setw(13) << measured.cost().parallelism() << std::setprecision(1) << std::setw(11)
         << MillisecondsOf(measured.median()) << std::setw(9) << measured.threads()
         << std::setprecision(0) << std::setw(18) << measured.hashes_per_second() << '\n';
  }
  text << "\n[passwords.argon2id]\nmemory_kib = " << reply.proposed().memory_kib()
       << "\niterations = " << reply.proposed().iterations()
       << "\nparallelism = " << reply.proposed().parallelism() << '\n';
  return text.str();
}

// Whether nothing that is safe is as quick as was asked for.
bool IsBeyond(const v1::CalibrateHashReply& reply, absl::Duration target) {
  for (const v1::MeasuredHash& measured : reply.measured()) {
    if (AreSame(measured.cost(), reply.proposed())) return DurationOf(measured.median()) > target;
  }
  return false;
}

}  // namespace

HashCommands::HashCommands(CLI::App& app)
    : hash_(app.add_subcommand("hash", "What a password check costs on the server")) {
  hash_->require_subcommand(1)->fallthrough();
  CLI::App* const calibrate =
      hash_
          ->add_subcommand("calibrate",
                           "Measure on the server what Argon2id costs, and propose settings. Takes "
                           "some seconds; logins go on")
          ->fallthrough();
  calibrate->add_option("--target", target_, "How long a check may take, 1ms to 1s")
      ->capture_default_str()
      ->type_name("DURATION");
  calibrate
      ->add_option(
          "--memory", memory_mib_,
          "How much memory a check may take, 19 MiB at least. Without it, so much that all "
          "threads fit into the server's memory for hashing")
      ->check(CLI::Range(19, 1 << 20))
      ->type_name("MIB");
}

absl::Status HashCommands::Run(const Invocation& invocation) {
  absl::Duration target;
  if (!absl::ParseDuration(target_, &target) || target < absl::Milliseconds(1) ||
      target > absl::Seconds(1)) {
    return absl::InvalidArgumentError("--target: \"" + target_ +
                                      "\" is not a duration such as 50ms, 1ms to 1s");
  }
  RETURN_IF_ERROR(CheckServer(invocation.server));
  v1::CalibrateHashRequest request;
  request.mutable_target()->set_seconds(absl::ToInt64Seconds(target));
  request.mutable_target()->set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(target - absl::Seconds(request.target().seconds()))));
  request.set_memory_mib(memory_mib_);
  Output& output = invocation.output;
  ASSIGN_OR_RETURN(const v1::CalibrateHashReply reply,
                   Connection(invocation.server, invocation.timeout)
                       .Call(&v1::Admin::Stub::CalibrateHash, request));
  if (output.format() == OutputFormat::kJson) {
    output.Object(CalibrationJson(reply), {});
  } else {
    output.Data(CalibrationTable(reply));
  }
  if (IsBeyond(reply, target)) {
    output.Note("nothing that is safe is as quick as " + target_ +
                " on this server; proposed is the cheapest");
  }
  return absl::OkStatus();
}

}  // namespace sasld::saslctl
