#include "storage/sqlite/mapped_file.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

constexpr size_t kPage = 4096;

// A database of some hundred pages, with a descriptor of it.
class Rows {
 public:
  Rows() : writer_(folder_.file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    writer_.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER PRIMARY KEY, x TEXT)");
    Add(1);
    fd_ = open(folder_.file().c_str(), O_RDONLY | O_CLOEXEC);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { close(fd_); }

  int fd() const { return fd_; }

  // A hundred rows of half a page, in the database file and not in its log.
  void Add(int first) {
    SQLite::Statement insert(writer_, "INSERT INTO t VALUES (?1, ?2)");
    for (int n = first; n < first + 100; ++n) {
      insert.bind(1, n);
      insert.bind(2, std::string(kPage / 2, static_cast<char>('a' + n % 26)));
      insert.exec();
      insert.reset();
    }
    writer_.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  SQLite::Database Reader(MappedFile* mapped) const {
    SQLite::Database reader(folder_.file(), SQLite::OPEN_READWRITE, 0, MappedVfs());
    if (mapped != nullptr) ReadMapped(reader.getHandle(), *mapped);
    reader.exec("PRAGMA mmap_size = 1; PRAGMA cache_size = 1");
    return reader;
  }

 private:
  const DatabaseFolder folder_;
  SQLite::Database writer_;
  int fd_ = -1;
};

std::string Row(SQLite::Database& reader, int n) {
  SQLite::Statement find(reader, "SELECT x FROM t WHERE n = ?1");
  find.bind(1, n);
  return find.executeStep() ? find.getColumn(0).getString() : "";
}

void ExpectRows(SQLite::Database& reader, int end) {
  for (int n = 1; n < end; ++n) {
    ASSERT_EQ(Row(reader, n), std::string(kPage / 2, static_cast<char>('a' + n % 26))) << n;
  }
}

// Pages that were read by a call, so far.
int PagesRead(SQLite::Database& reader) {
  int now = 0;
  int high = 0;
  sqlite3_db_status(reader.getHandle(), SQLITE_DBSTATUS_CACHE_MISS, &now, &high, 0);
  return now;
}

TEST(MappedFile, IsReadInPlace) {
  const Rows rows;
  MappedFile mapped(rows.fd());
  SQLite::Database reader = rows.Reader(&mapped);
  ExpectRows(reader, 101);
  EXPECT_LT(PagesRead(reader), 5);  // of some fifty
}

TEST(MappedFile, IsReadAsUsualUnlessAsked) {
  const Rows rows;
  SQLite::Database reader = rows.Reader(nullptr);
  ExpectRows(reader, 101);
  EXPECT_GT(PagesRead(reader), 40);
}

TEST(MappedFile, GrowsWithTheFile) {
  Rows rows;
  MappedFile mapped(rows.fd(), kPage);  // twice the file, not what comes next
  SQLite::Database reader = rows.Reader(&mapped);
  ExpectRows(reader, 101);
  const char* first_page = mapped.Bytes(0, kPage);
  const std::string before(first_page, kPage);
  rows.Add(101);
  rows.Add(201);
  rows.Add(301);
  ExpectRows(reader, 401);
  EXPECT_LT(PagesRead(reader), 10);
  // Where somebody still reads, nothing moved away.
  EXPECT_EQ(std::string(first_page, 16), before.substr(0, 16));
}

TEST(MappedFile, SeesWhatWasWrittenSince) {
  Rows rows;
  MappedFile mapped(rows.fd());
  SQLite::Database reader = rows.Reader(&mapped);
  EXPECT_EQ(Row(reader, 150), "");
  rows.Add(101);
  EXPECT_EQ(Row(reader, 150).size(), kPage / 2);
}

#ifndef SASLD_SANITIZED
TEST(MappedFile, IsReadAsUsualWhereAddressSpaceIsLimited) {
  const Rows rows;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  const absl::Cleanup restore = [&before] { setrlimit(RLIMIT_AS, &before); };
  rlimit small = before;
  small.rlim_cur = rlim_t{4} << 30;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &small), 0);
  MappedFile mapped(rows.fd(), size_t{1} << 40);
  EXPECT_EQ(mapped.Bytes(0, kPage), nullptr);
  SQLite::Database reader = rows.Reader(&mapped);
  ExpectRows(reader, 101);
}
#endif

}  // namespace
}  // namespace sasld
