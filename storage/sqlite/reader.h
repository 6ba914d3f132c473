// A connection for reading and its kept transaction.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <utility>

#include "storage/sqlite/rows.h"

namespace sasld {

// One thread at a time. All methods throw what SQLiteCpp throws; a reader that threw is of no more
// use.
//
// A read transaction shows the database as it was when the transaction began, costs two locks and a
// look at shared memory to begin, and nothing to go on with. Since nobody but us writes, one that
// began after our last commit is as good as a new one: it is kept from read to read, and renewed
// when the store's generation has moved on.
class Reader {
 public:
  explicit Reader(SQLite::Database opened)
      : database_(std::move(opened)),
        begin_(database_, "BEGIN"),
        commit_(database_, "COMMIT"),
        find_(database_, FindSql()),
        find_numbered_(database_, FindNumberedSql()),
        find_bare_(database_, FindBareSql()),
        find_bare_numbered_(database_, FindBareNumberedSql()),
        find_by_alias_(database_, FindByAliasSql()),
        list_(database_, ListSql()),
        list_domain_(database_, ListDomainSql()),
        count_(database_, "SELECT value FROM counter WHERE name = 'accounts'") {}

  // From here the reader sees all that was committed before `generation` was read.
  void Renew(uint64_t generation) {
    if (reading_ && generation_ == generation) return;
    End();
    begin_.exec();
    begin_.reset();
    reading_ = true;
    generation_ = generation;
  }

  // Lets go of the transaction, and so of the part of the write-ahead log that it needs.
  void End() {
    if (!std::exchange(reading_, false)) return;
    commit_.exec();
    commit_.reset();
  }

  const SQLite::Database& database() const { return database_; }
  SQLite::Database& database() { return database_; }
  SQLite::Statement& find() { return find_; }
  SQLite::Statement& find_numbered() { return find_numbered_; }
  SQLite::Statement& find_bare() { return find_bare_; }
  SQLite::Statement& find_bare_numbered() { return find_bare_numbered_; }
  SQLite::Statement& find_by_alias() { return find_by_alias_; }
  SQLite::Statement& list() { return list_; }
  SQLite::Statement& list_domain() { return list_domain_; }
  SQLite::Statement& count() { return count_; }

 private:
  SQLite::Database database_;
  SQLite::Statement begin_;
  SQLite::Statement commit_;
  SQLite::Statement find_;
  SQLite::Statement find_numbered_;
  SQLite::Statement find_bare_;
  SQLite::Statement find_bare_numbered_;
  SQLite::Statement find_by_alias_;
  SQLite::Statement list_;
  SQLite::Statement list_domain_;
  SQLite::Statement count_;
  bool reading_ = false;
  uint64_t generation_ = 0;
};

// Resets a statement when a read is over, however it ended, so that it holds neither row nor name.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(SQLite::Statement& statement) : statement_(statement) {}
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;
  ~ResetAtEnd() { statement_.tryReset(); }

 private:
  SQLite::Statement& statement_;
};

}  // namespace sasld
