// What every store must do. A back end passes the suite with one statement in its own test:
//
//   INSTANTIATE_TEST_SUITE_P(Mine, StoreConformance,
//                            testing::Values(BackEnd{"mine", &MakeFreshMine}));
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string_view>

#include "storage/store.h"

namespace sasld {

// An empty store, and what it needs to live, such as a folder.
class FreshStore {
 public:
  virtual ~FreshStore() = default;
  virtual Store& store() = 0;
};

struct BackEnd {
  std::string_view name;
  std::unique_ptr<FreshStore> (*make)();
};
inline std::ostream& operator<<(std::ostream& out, const BackEnd& back_end) {
  return out << back_end.name;
}

class StoreConformance : public testing::TestWithParam<BackEnd> {
 protected:
  Store& store() { return fresh_->store(); }

 private:
  const std::unique_ptr<FreshStore> fresh_ = GetParam().make();
};

}  // namespace sasld
