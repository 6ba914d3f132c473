// What every store must do. A back end passes the suite with one line in its own test:
//
//   INSTANTIATE_TEST_SUITE_P(Mine, StoreConformance, testing::Values(&MakeFreshMine));
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "storage/store.h"

namespace sasld {

// An empty store, and what it needs to live, such as a folder.
class FreshStore {
 public:
  virtual ~FreshStore() = default;
  virtual Store& store() = 0;
};

using MakeFreshStore = std::unique_ptr<FreshStore> (*)();

class StoreConformance : public testing::TestWithParam<MakeFreshStore> {
 protected:
  Store& store() { return fresh_->store(); }

 private:
  const std::unique_ptr<FreshStore> fresh_ = GetParam()();
};

}  // namespace sasld
