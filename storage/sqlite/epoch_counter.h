// The counter that epochs are drawn from.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include "storage/sqlite/reader.h"
#include "storage/store.h"

namespace sasld {

// Throws what SQLiteCpp throws.
class EpochCounter {
 public:
  explicit EpochCounter(SQLite::Database& database)
      : draw_(database,
              "UPDATE counter SET value = value + 1 WHERE name = 'epoch' RETURNING value") {}

  // Within a transaction, which takes it back if it is not committed.
  Epoch Draw() {
    const ResetAtEnd reset(draw_);
    draw_.executeStep();
    const auto epoch = static_cast<Epoch>(draw_.getColumn(0).getInt64());
    // An UPDATE takes effect when it is stepped to its end.
    while (draw_.executeStep()) {
    }
    return epoch;
  }

 private:
  SQLite::Statement draw_;
};

}  // namespace sasld
