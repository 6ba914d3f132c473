// Serves metrics over HTTP: GET /metrics, and nothing else. No TLS and no password, as there is
// nothing secret in them.
//
// A scraper cannot hurt logins, whatever it does: it has a thread of its own that yields to all
// others, 16 connections of 16 KiB each at most, and is hung up on after 5 s of silence. At worst
// nobody else can scrape.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "proto/common/metrics_address.h"
#include "spdlog/logger.h"

namespace sasld {

// Not thread-safe.
class MetricsEndpoint {
 public:
  // What a scrape gets. Called on the endpoint's thread, from Open() until Close().
  using Text = absl::AnyInvocable<std::string()>;

  MetricsEndpoint(MetricsAddress address, Text text);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // Listens, unless it does so already or its address is off. Unavailable, and as ListenUnix: it
  // cannot; the text says where, why and what to do. May be tried again.
  absl::Status Open();
  bool is_open() const;
  // Open(), and a line in the log about it: metrics are not worth a login, and another process may
  // have the address still. A failure is told unless this is `again`, when it was told before.
  void OpenOrTell(bool again, spdlog::logger& log);
  // Hangs up on all, and listens no more.
  void Close();

 private:
  struct Daemon;

  const MetricsAddress address_;
  Text text_;
  std::unique_ptr<Daemon> daemon_;  // null: it does not listen
};

}  // namespace sasld
