#include "client/server_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace sasld {
namespace {

using ::testing::ElementsAre;
using Targets = std::vector<std::string>;

// What was told, and what the name sasld.example.org stands for.
class Subject {
 public:
  explicit Subject(absl::StatusOr<Targets> answer,
                   std::vector<ServerAddress> servers = {{"unix:/run/s", nullptr, {}},
                                                         {"sasld.example.org:4711", nullptr, {}}})
      : answer_(std::move(answer)),
        names_(std::move(servers),
               [this](const std::string& host, const std::string& port) {
                 EXPECT_EQ(host, "sasld.example.org");
                 EXPECT_EQ(port, "4711");
                 absl::MutexLock lock(&mutex_);
                 return answer_;
               },
               {.on_servers =
                    [this](std::vector<ServerAddress> now) {
                      absl::MutexLock lock(&mutex_);
                      told_.push_back(std::move(now));
                    },
                .on_failure =
                    [this](std::string_view name, std::string_view why) {
                      EXPECT_EQ(name, "sasld.example.org");
                      absl::MutexLock lock(&mutex_);
                      failures_.emplace_back(why);
                    }}) {}

  // What was told next, as text. Fails after ten seconds.
  Targets Next() {
    absl::MutexLock lock(&mutex_);
    auto there = [this] {
      mutex_.AssertHeld();
      return !told_.empty();
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(10)));
    if (told_.empty()) return {};
    Targets texts;
    for (const ServerAddress& server : told_.front()) texts.push_back(server.Text());
    told_.pop_front();
    return texts;
  }
  void Answer(absl::StatusOr<Targets> answer) {
    absl::MutexLock lock(&mutex_);
    answer_ = std::move(answer);
  }
  Targets failures() {
    absl::MutexLock lock(&mutex_);
    return failures_;
  }
  ServerNames& names() { return names_; }

 private:
  absl::Mutex mutex_;
  absl::StatusOr<Targets> answer_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::vector<ServerAddress>> told_ ABSL_GUARDED_BY(mutex_);
  Targets failures_ ABSL_GUARDED_BY(mutex_);
  ServerNames names_;  // last: it calls into the others
};

TEST(ServerNames, EachAddressOfANameIsAServer) {
  Subject subject(Targets{"192.0.2.2:4711", "[2001:db8::7]:4711", "192.0.2.1:4711"});
  EXPECT_THAT(subject.Next(), ElementsAre("unix:/run/s"));  // that one need not wait
  EXPECT_THAT(subject.Next(), ElementsAre("unix:/run/s", "sasld.example.org (192.0.2.1:4711)",
                                          "sasld.example.org (192.0.2.2:4711)",
                                          "sasld.example.org ([2001:db8::7]:4711)"));
  EXPECT_TRUE(subject.failures().empty());
}

TEST(ServerNames, ANameThatIsNotFoundIsLookedUpAgainAndToldOfOnce) {
  Subject subject(absl::UnavailableError("no such name"));
  EXPECT_THAT(subject.Next(), ElementsAre("unix:/run/s"));
  absl::SleepFor(ServerNames::kMissingAgainAfter * 3 / 2);
  EXPECT_THAT(subject.failures(), ElementsAre("no such name"));
  subject.Answer(Targets{"192.0.2.1:4711"});
  EXPECT_THAT(subject.Next(), ElementsAre("unix:/run/s", "sasld.example.org (192.0.2.1:4711)"));
  EXPECT_EQ(subject.failures().size(), 1u);
}

TEST(ServerNames, WhatWasFoundBeforeIsUsedWhileALookUpFails) {
  Subject subject(Targets{"192.0.2.1:4711"}, {{"sasld.example.org:4711", nullptr, {}}});
  EXPECT_THAT(subject.Next(), ElementsAre("sasld.example.org (192.0.2.1:4711)"));
  subject.Answer(absl::UnavailableError("no such name"));
  subject.names().Set({{"sasld.example.org:4711", nullptr, {}}, {"192.0.2.9:1", nullptr, {}}});
  EXPECT_THAT(subject.Next(), ElementsAre("sasld.example.org (192.0.2.1:4711)", "192.0.2.9:1"));
}

TEST(ServerNames, AddressesAreNotLookedUp) {
  Subject subject(absl::UnavailableError("must not be asked"),
                  {{"192.0.2.1:1", nullptr, {}}, {"[::1]:2", nullptr, {}}});
  EXPECT_THAT(subject.Next(), ElementsAre("192.0.2.1:1", "[::1]:2"));
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_TRUE(subject.failures().empty());
}

TEST(ServerNames, EndsDuringALookUp) {
  absl::Notification began, go_on, done;
  std::optional<ServerNames> names;
  names.emplace(
      std::vector<ServerAddress>{{"slow.example.org:1", nullptr, {}}},
      [&](const std::string&, const std::string&) -> absl::StatusOr<Targets> {
        began.Notify();
        go_on.WaitForNotification();
        done.Notify();
        return Targets{"192.0.2.1:1"};
      },
      ServerNames::Callbacks{[](std::vector<ServerAddress>) { ADD_FAILURE(); },
                             [](std::string_view, std::string_view) { ADD_FAILURE(); }});
  began.WaitForNotification();
  names.reset();
  go_on.Notify();
  done.WaitForNotification();
}

TEST(ServerNames, AsksTheSystem) {
  absl::StatusOr<Targets> targets = ServerNames::AskSystem("localhost", "4711");
  ASSERT_TRUE(targets.ok()) << targets.status();
  EXPECT_THAT(*targets, ::testing::Contains("127.0.0.1:4711"));
  EXPECT_FALSE(ServerNames::AskSystem("no-such-name.invalid", "1").ok());
}

}  // namespace
}  // namespace sasld
