// Keeps a thread of a lane from hashing.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "server/auth/lane.h"

namespace sasld {

// One thread of a lane is busy from here until Release(), or until this ends.
class BusyThread {
 public:
  explicit BusyThread(Lane& lane) {
    EXPECT_TRUE(lane.Submit("busy", absl::InfiniteFuture(),
                            [signals = signals_](Lane::Turn) {
                              signals->running.Notify();
                              signals->release.WaitForNotification();
                            })
                    .ok());
    signals_->running.WaitForNotification();
  }
  BusyThread(const BusyThread&) = delete;
  BusyThread& operator=(const BusyThread&) = delete;
  ~BusyThread() { Release(); }

  void Release() {
    if (!signals_->release.HasBeenNotified()) signals_->release.Notify();
  }

 private:
  struct Signals {
    absl::Notification running;
    absl::Notification release;
  };
  // The thread's as well: it may look at them when this is gone.
  const std::shared_ptr<Signals> signals_ = std::make_shared<Signals>();
};

}  // namespace sasld
