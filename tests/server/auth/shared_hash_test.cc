// Passwords that are asked for several times at once, while the account changes.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "server/auth/answers.h"
#include "tests/server/auth/busy_thread.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

struct Asked {
  absl::Notification told;
  absl::StatusOr<PasswordAnswer> answer = absl::UnknownError("never answered");
  const PasswordAnswer& Get() {
    told.WaitForNotification();
    return answer.value();
  }
};

// One thread for hashing, busy until Release().
class SharedHash : public testing::Test {
 protected:
  void SetUp() override {
    parts.MustCreate("ann", "old");
    busy.emplace(parts.lane);
  }
  void Release() { busy->Release(); }
  std::unique_ptr<Asked> Ask(std::string_view name, std::string_view password) {
    auto asked = std::make_unique<Asked>();
    parts.answers.Check({Username::Prepare(name).value(), Secret(password)},
                        {"192.0.2.1", absl::InfiniteFuture(), nullptr, "smtp", kNow},
                        [its = asked.get()](absl::StatusOr<PasswordAnswer> answer) {
                          its->answer = std::move(answer);
                          its->told.Notify();
                        });
    return asked;
  }
  // As Accounts does, without the lane.
  void SetPassword(std::string_view password) {
    Account ann = parts.store.Find(Username::Prepare("ann").value()).value();
    Argon2idVerifier made = parts.hasher.Hash(Secret(password), "0123456789abcdef").value();
    ann.credential.argon2id = std::move(made.phc);
    ann.credential.pepper_id = made.pepper_id;
    ASSERT_TRUE(parts.store.Update(ann).ok());
  }
  // Calls `what` once the hash that runs next has read the account, and not the reads in it.
  void OnceRead(std::function<void()> what) {
    parts.store.AfterFind([first = std::make_shared<bool>(true), what = std::move(what)] {
      if (std::exchange(*first, false)) what();
    });
  }
  int FindsOf(const std::function<void()>& work) {
    std::atomic<int> finds = 0;
    parts.store.AfterFind([&finds] { ++finds; });
    work();
    parts.lane.Close();
    return finds;
  }

  Parts parts;
  std::optional<BusyThread> busy;
};

// Each reads the account when it comes; the one hash reads it before, and after if it matches.
TEST_F(SharedHash, IsOneForAnUnknownUser) {
  EXPECT_EQ(FindsOf([this] {
              const auto one = Ask("nobody", "x");
              const auto other = Ask("nobody", "x");
              Release();
              EXPECT_EQ(one->Get().basis, Basis::kNoAccount);
              EXPECT_EQ(other->Get().basis, Basis::kNoAccount);
            }),
            3);
}

TEST_F(SharedHash, IsOneForARightPassword) {
  EXPECT_EQ(FindsOf([this] {
              const auto one = Ask("ann", "old");
              const auto other = Ask("ann", "old");
              Release();
              EXPECT_EQ(one->Get().verdict, PasswordVerdict::kMatch);
              EXPECT_EQ(other->Get().verdict, PasswordVerdict::kMatch);
            }),
            4);
}

TEST_F(SharedHash, IsOneForAWrongPassword) {
  EXPECT_EQ(FindsOf([this] {
              const auto one = Ask("ann", "wrong");
              const auto other = Ask("ann", "wrong");
              Release();
              EXPECT_EQ(one->Get().verdict, PasswordVerdict::kNoMatch);
              EXPECT_EQ(other->Get().verdict, PasswordVerdict::kNoMatch);
            }),
            3);
}

TEST_F(SharedHash, NobodyGetsInWithAPasswordThatWasChangedWhileTheyWaited) {
  const auto one = Ask("ann", "old");
  const auto other = Ask("ann", "old");
  SetPassword("new");
  const auto after = Ask("ann", "old");
  const auto with_new = Ask("ann", "new");
  Release();
  for (Asked* asked : {one.get(), other.get(), after.get()}) {
    EXPECT_EQ(asked->Get().verdict, PasswordVerdict::kNoMatch);
  }
  EXPECT_EQ(with_new->Get().verdict, PasswordVerdict::kMatch);
}

TEST_F(SharedHash, NorWithOneThatIsChangedWhileItIsHashed) {
  const auto one = Ask("ann", "old");
  std::unique_ptr<Asked> joined;
  OnceRead([&] {
    joined = Ask("ann", "old");
    SetPassword("new");
  });
  Release();
  EXPECT_EQ(one->Get().verdict, PasswordVerdict::kNoMatch);
  EXPECT_EQ(joined->Get().verdict, PasswordVerdict::kNoMatch);
}

// The new password was wrong when the hash began, and is right when it is asked for again.
TEST_F(SharedHash, WhoAsksAfterAChangeIsNotToldWhatWasTrueBefore) {
  const auto before = Ask("ann", "new");
  std::unique_ptr<Asked> after;
  OnceRead([&] {
    SetPassword("new");
    after = Ask("ann", "new");
  });
  Release();
  EXPECT_EQ(before->Get().verdict, PasswordVerdict::kNoMatch);
  EXPECT_EQ(after->Get().verdict, PasswordVerdict::kMatch);
}

TEST_F(SharedHash, AFullLaneAnswersInPlace) {
  while (parts.lane.Queued() < parts.lane.limits().queued) {
    ASSERT_TRUE(
        parts.lane
            .Submit(std::to_string(parts.lane.Queued()), absl::InfiniteFuture(), [](Lane::Turn) {})
            .ok());
  }
  const auto asked = Ask("ann", "old");
  ASSERT_TRUE(asked->told.HasBeenNotified());
  EXPECT_TRUE(absl::IsResourceExhausted(asked->answer.status()));
}

}  // namespace
}  // namespace sasld
