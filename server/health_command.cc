#include "server/health_command.h"

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"
#include "proto/common/tls_files.h"
#include "proto/rpc/health_question.h"
#include "server/config.h"

namespace sasld {
namespace {

constexpr int kUnhealthy = 1;
constexpr int kUsage = 2;

// With our own certificate as the client's, which serves where it is of `client_ca` and made for
// clients too. The server's is not looked at: nothing is told to it, and names that it may have are
// not those of loopback.
std::shared_ptr<grpc::ChannelCredentials> OwnCredentials(const TlsPem& pem) {
  namespace tls = grpc::experimental;
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<tls::StaticDataCertificateProvider>(
      std::vector<tls::IdentityKeyCertPair>{{pem.key, pem.certificate}}));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<tls::NoOpCertificateVerifier>());
  return tls::TlsCredentials(options);
}

// Where a server that listens at `address` is reached from this machine.
std::string ReachedAt(std::string_view address) {
  for (const auto& [everywhere, loopback] :
       {std::pair("0.0.0.0:", "127.0.0.1:"), std::pair("[::]:", "[::1]:")}) {
    if (address.starts_with(everywhere)) {
      return loopback + std::string(address.substr(std::string_view(everywhere).size()));
    }
  }
  return std::string(address);
}

// Any Unix socket answers for sasld; TCP only where there is none, as it takes a certificate.
absl::StatusOr<std::vector<HealthTarget>> Targets(const ServerConfig& config) {
  std::vector<HealthTarget> targets;
  const auto& sockets = config.sasl_sockets.empty() ? config.admin_sockets : config.sasl_sockets;
  targets.reserve(sockets.size() + config.sasl_tcp.size());
  for (const SocketFile& socket : sockets) {
    targets.push_back({absl::StrCat("unix:", socket.path), grpc::InsecureChannelCredentials()});
  }
  if (!targets.empty()) return targets;
  ASSIGN_OR_RETURN(const TlsPem pem,
                   ReadTlsFiles({"listen.tls.client_ca", config.tls.client_ca},
                                {"listen.tls.certificate", config.tls.certificate},
                                {"listen.tls.key", config.tls.key}));
  for (const std::string& address : config.sasl_tcp) {
    targets.push_back({ReachedAt(address), OwnCredentials(pem)});
  }
  return targets;
}

absl::StatusOr<std::string> Check(const ConfigSource& source, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const ServerConfig config, LoadServerConfig(source));
  ASSIGN_OR_RETURN(const std::vector<HealthTarget> targets, Targets(config));
  absl::StatusOr<std::string> serving = FirstServing(targets, timeout);
  if (serving.ok() || !config.sasl_sockets.empty() || !config.admin_sockets.empty()) return serving;
  return absl::UnavailableError(absl::StrCat(
      std::string(serving.status().message()),
      "; over TCP this asks with listen.tls.certificate, which must be of listen.tls.client_ca and "
      "for clients too: else add a Unix socket to listen.sasl or listen.admin"));
}

}  // namespace

void AddHealthCommand(CLI::App& app, HealthCommand& health) {
  health.command = app.add_subcommand(
      "health", "Ask the sasld that runs by this configuration whether it serves");
  health.command->fallthrough();  // for --config
  health.command->add_option("--timeout", health.timeout, "How long to wait for it, at most 1m")
      ->type_name("DURATION")
      ->capture_default_str();
}

int RunHealthCommand(const HealthCommand& health, const ConfigSource& source) {
  const absl::StatusOr<absl::Duration> timeout = ParseHealthTimeout(health.timeout);
  if (!timeout.ok()) {
    (void)std::fprintf(stderr, "sasld health: %s\n",
                       std::string(timeout.status().message()).c_str());
    return kUsage;
  }
  // What gRPC would say of it is said here. Who debugs sets GRPC_VERBOSITY.
  if (std::getenv("GRPC_VERBOSITY") == nullptr) {
    gpr_set_log_function([](gpr_log_func_args*) {});
  }
  const absl::StatusOr<std::string> serving = Check(source, *timeout);
  if (!serving.ok()) {
    (void)std::fprintf(stderr, "%s\n", std::string(serving.status().message()).c_str());
    return kUnhealthy;
  }
  (void)std::printf("%s: serving\n", serving->c_str());
  return 0;
}

}  // namespace sasld
