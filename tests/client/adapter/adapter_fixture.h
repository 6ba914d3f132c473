// A running adapter in this process, on a socket of its own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "client/adapter/adapter.h"
#include "fake_sasl_server.h"
#include "mta.h"
#include "open_descriptors.h"
#include "spdlog/sinks/ostream_sink.h"

namespace sasld::testing {

// Of the adapter, as its metrics have it.
inline const absl::Time kStarted = absl::FromUnixSeconds(1'800'000'000);

inline constexpr char kLogin[] = "PLAIN\tservice=smtp\tresp=AGFsaWNlAHNlY3JldA==\n";

inline std::optional<v1::StepReply> Succeed(const v1::StepRequest&) { return SuccessFor("alice"); }
inline std::optional<v1::StepReply> StaySilent(const v1::StepRequest&) { return std::nullopt; }

class AdapterTest : public ::testing::Test {
 protected:
  AdapterTest() : log_("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_text_)) {
    log_.set_level(spdlog::level::debug);
  }
  ~AdapterTest() override {
    StopAdapter();
    // Whatever a test did, what clients sent is not in the log.
    EXPECT_EQ(log_text_.str().find("AGFsaWNl"), std::string::npos) << log_text_.str();
    EXPECT_EQ(log_text_.str().find("c2VjcmV0"), std::string::npos) << log_text_.str();
  }

  void StartAdapter(const std::string& more_listen = "", const std::string& more = "") {
    std::string text = "[server]\naddresses = [\"unix:" + SaslPath() + "\"]\n" + more +
                       "\n[[listen]]\nprotocol = \"dovecot-auth\"\npath = \"" + Path() + "\"\n" +
                       more_listen;
    Launch(text, inherited_, LiveServer::kStays, adapter_, thread_);
  }
  void StopAdapter() { End(adapter_, thread_); }
  void Launch(const std::string& toml, const std::vector<InheritedSocket>& inherited,
              LiveServer live, std::unique_ptr<Adapter>& adapter, std::thread& thread) {
    absl::StatusOr<AdapterConfig> config = ParseAdapterConfig(toml, "test.toml");
    ASSERT_TRUE(config.ok()) << config.status();
    adapter = std::make_unique<Adapter>(*std::move(config), log_, kStarted);
    absl::Status started = adapter->Start(inherited, live);
    ASSERT_TRUE(started.ok()) << started;
    thread = std::thread([&running = *adapter] { running.Run(); });
  }
  static void End(std::unique_ptr<Adapter>& adapter, std::thread& thread) {
    if (!thread.joinable()) return;
    adapter->Stop();
    thread.join();
    adapter.reset();
  }
  // Until the adapter has heard from sasld. `mech_line` must not be in the fallback.
  void WaitForMechanisms(const std::string& mech_line) {
    for (int i = 0; i < 1000; ++i) {
      if (Mta(Path()).Greeting().find(mech_line) != std::string::npos) return;
      absl::SleepFor(absl::Milliseconds(10));
    }
    ADD_FAILURE() << mech_line << " was never offered";
  }
  // What is open once the adapter has closed what its clients closed.
  std::vector<std::string> OpenOnceClientsAreGone() {
    for (int i = 0; i < 1000; ++i) {
      std::vector<std::string> open = OpenDescriptors();
      const auto accepted = [this](const std::string& what) {
        return what.starts_with("accepted at " + Path());  // or path + ".new": ListenUnix
      };
      if (std::none_of(open.begin(), open.end(), accepted)) return open;
      absl::SleepFor(absl::Milliseconds(10));
    }
    ADD_FAILURE() << "the adapter keeps connections of clients who are gone";
    return OpenDescriptors();
  }
  std::string Path() const { return folder_.File("auth"); }
  std::string SaslPath() const { return folder_.File("sasl"); }

  TemporaryFolder folder_;
  std::ostringstream log_text_;
  spdlog::logger log_;
  std::vector<InheritedSocket> inherited_;
  std::unique_ptr<Adapter> adapter_;
  std::thread thread_;
};

}  // namespace sasld::testing
