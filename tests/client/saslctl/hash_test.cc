// saslctl hash calibrate against a fake sasld.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/saslctl/output.h"
#include "tests/client/saslctl/fake_sasld.h"
#include "tests/client/saslctl/process.h"

namespace sasld::saslctl {
namespace {

class Calibrate : public testing::Test {
 protected:
  void SetUp() override {
    v1::CalibrateHashReply& reply = fake_.behaviour().calibration;
    Add(19456, 2, 20'449'000, 97.8);
    Add(47104, 1, 38'000'000, 52.6);
    Add(65536, 1, 57'000'000, 35.1);
    *reply.mutable_proposed() = reply.measured(1).cost();
  }
  void Add(uint32_t memory_kib, uint32_t iterations, int nanos, double per_second) {
    v1::MeasuredHash& measured = *fake_.behaviour().calibration.add_measured();
    measured.mutable_cost()->set_memory_kib(memory_kib);
    measured.mutable_cost()->set_iterations(iterations);
    measured.mutable_cost()->set_parallelism(1);
    measured.mutable_median()->set_nanos(nanos);
    measured.set_threads(2);
    measured.set_hashes_per_second(per_second);
  }
  RunResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--server", fake_.address(), "hash", "calibrate"});
    return RunSaslctl(arguments);
  }
  const v1::CalibrateHashRequest& Asked() { return fake_.behaviour().calibration_asked; }

  FakeSasld fake_;
};

TEST_F(Calibrate, ShowsWhatWasMeasuredAndWhatToCopy) {
  const RunResult run = Run({});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out,
            "  MEMORY KIB  ITERATIONS  PARALLELISM  MEDIAN MS  THREADS  HASHES/S AT MOST\n"
            "       19456           2            1       20.4        2                98\n"
            "*      47104           1            1       38.0        2                53\n"
            "       65536           1            1       57.0        2                35\n"
            "\n"
            "[passwords.argon2id]\n"
            "memory_kib = 47104\n"
            "iterations = 1\n"
            "parallelism = 1\n");
  EXPECT_EQ(Asked().target().nanos(), 50'000'000);
  EXPECT_EQ(Asked().memory_mib(), 0u);
}

TEST_F(Calibrate, AsksForWhatItIsTold) {
  EXPECT_EQ(Run({"--target", "1s", "--memory", "64"}).exit_status, 0);
  EXPECT_EQ(Asked().target().seconds(), 1);
  EXPECT_EQ(Asked().target().nanos(), 0);
  EXPECT_EQ(Asked().memory_mib(), 64u);
}

TEST_F(Calibrate, SpeaksJson) {
  const RunResult run = Run({"-o", "json"});
  EXPECT_EQ(run.exit_status, 0) << run.err;
  const Json parsed = Json::parse(run.out);
  ASSERT_EQ(parsed["measured"].size(), 3u);
  EXPECT_EQ(parsed["measured"][0]["median_ms"], 20.4);
  EXPECT_EQ(parsed["measured"][0]["threads"], 2);
  EXPECT_EQ(parsed["proposed"]["memory_kib"], 47104);
  EXPECT_EQ(parsed["proposed"]["iterations"], 1);
  EXPECT_EQ(parsed["proposed"]["parallelism"], 1);
}

TEST_F(Calibrate, SaysSoIfNothingIsQuickEnough) {
  const RunResult run = Run({"--target", "10ms"});
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.err,
            "nothing that is safe is as quick as 10ms on this server; proposed is the cheapest\n");
}

TEST_F(Calibrate, RefusesWhatMakesNoSense) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--target", "50"},
                                                    {"--target", "0s"},
                                                    {"--target", "2s"},
                                                    {"--memory", "18"},
                                                    {"--memory", "-1"},
                                                    {"--memory", "much"}}) {
    const RunResult run = Run(arguments);
    EXPECT_EQ(run.exit_status, 2) << run.err;
    EXPECT_EQ(run.out, "");
  }
}

TEST_F(Calibrate, ASecondOneIsToldToComeLater) {
  fake_.behaviour().every_admin_call = {grpc::StatusCode::RESOURCE_EXHAUSTED,
                                        "another calibration is under way"};
  const RunResult run = Run({});
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_EQ(run.err, "saslctl: another calibration is under way\n");
}

}  // namespace
}  // namespace sasld::saslctl
