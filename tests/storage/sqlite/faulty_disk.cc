#include "tests/storage/sqlite/faulty_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <utility>

namespace sasld {
namespace {

constexpr uint64_t kSectorBytes = 512;

// The one there is, and what it lies on. SQLite's interface leaves no other way to them.
FaultyDisk* the_disk = nullptr;
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs shim_vfs;

// Before the real file's own memory.
struct ShimFile {
  sqlite3_file base;
  std::string* path;  // null: not a file that outlives its being open
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
ShimFile& Shim(sqlite3_file* file) { return *reinterpret_cast<ShimFile*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Shim(file).real(); }

int Close(sqlite3_file* file) {
  delete std::exchange(Shim(file).path, nullptr);
  return Real(file)->pMethods->xClose(Real(file));
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const std::string* path = Shim(file).path;
  if (path != nullptr) {
    if (const int code = the_disk->Before(DiskCall::kWrite); code != SQLITE_OK) return code;
  }
  const int code = Real(file)->pMethods->xWrite(Real(file), bytes, size, offset);
  if (path != nullptr && code == SQLITE_OK) {
    the_disk->Changed(*path,
                      {false, static_cast<uint64_t>(offset),
                       std::string(static_cast<const char*>(bytes), static_cast<size_t>(size))});
  }
  return code;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::string* path = Shim(file).path;
  if (path != nullptr) {
    if (const int code = the_disk->Before(DiskCall::kTruncate); code != SQLITE_OK) return code;
  }
  const int code = Real(file)->pMethods->xTruncate(Real(file), size);
  if (path != nullptr && code == SQLITE_OK) {
    the_disk->Changed(*path, {true, static_cast<uint64_t>(size), {}});
  }
  return code;
}

// The real sync is left out: what survives is worked out here, and the tests are quick so.
int Sync(sqlite3_file* file, int) {
  const std::string* path = Shim(file).path;
  if (path == nullptr) return SQLITE_OK;
  if (const int code = the_disk->Before(DiskCall::kSync); code != SQLITE_OK) return code;
  the_disk->Synced(*path);
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    3,
    &Close,
    [](sqlite3_file* f, void* to, int size, sqlite3_int64 offset) {
      return Real(f)->pMethods->xRead(Real(f), to, size, offset);
    },
    &Write,
    &Truncate,
    &Sync,
    [](sqlite3_file* f, sqlite3_int64* size) {
      return Real(f)->pMethods->xFileSize(Real(f), size);
    },
    [](sqlite3_file* f, int lock) { return Real(f)->pMethods->xLock(Real(f), lock); },
    [](sqlite3_file* f, int lock) { return Real(f)->pMethods->xUnlock(Real(f), lock); },
    [](sqlite3_file* f, int* out) { return Real(f)->pMethods->xCheckReservedLock(Real(f), out); },
    [](sqlite3_file* f, int what, void* argument) {
      if (what == SQLITE_FCNTL_LAST_ERRNO && the_disk->system_error() != 0) {
        *static_cast<int*>(argument) = the_disk->system_error();
        return SQLITE_OK;
      }
      return Real(f)->pMethods->xFileControl(Real(f), what, argument);
    },
    [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
    [](sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** memory) {
      return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, memory);
    },
    [](sqlite3_file* f, int offset, int n, int flags) {
      return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
    },
    [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
    [](sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); },
    [](sqlite3_file* f, sqlite3_int64 offset, int size, void** memory) {
      return Real(f)->pMethods->xFetch(Real(f), offset, size, memory);
    },
    [](sqlite3_file* f, sqlite3_int64 offset, void* memory) {
      return Real(f)->pMethods->xUnfetch(Real(f), offset, memory);
    },
};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  ShimFile& shim = *new (file) ShimFile{};
  constexpr int kLasting = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
  const bool lasts = name != nullptr && (flags & kLasting) != 0;
  const bool is_new = lasts && !std::filesystem::exists(name);
  const int code = real_vfs->xOpen(real_vfs, name, shim.real(), flags, flags_out);
  if (code != SQLITE_OK) return code;
  shim.base.pMethods = &kMethods;
  if (lasts) {
    shim.path = new std::string(name);
    the_disk->Opened(*shim.path, is_new);
  }
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* name, int sync_folder) {
  if (const int code = the_disk->Before(DiskCall::kRemove); code != SQLITE_OK) return code;
  const int code = real_vfs->xDelete(real_vfs, name, 0);
  if (code == SQLITE_OK) the_disk->Removed(name, sync_folder != 0);
  return code;
}

int LastError(sqlite3_vfs*, int size, char* text) {
  const int armed = the_disk->system_error();
  return armed != 0 ? armed : real_vfs->xGetLastError(real_vfs, size, text);
}

void Apply(const FaultyDisk::Change& change, std::string& bytes) {
  if (change.is_size) {
    bytes.resize(change.offset);
    return;
  }
  if (bytes.size() < change.offset + change.bytes.size()) {
    bytes.resize(change.offset + change.bytes.size());
  }
  bytes.replace(change.offset, change.bytes.size(), change.bytes);
}

// The part of a write that lies in each sector survives by itself.
void ApplyTorn(const FaultyDisk::Change& change, double part, std::mt19937& random,
               std::string& bytes) {
  const auto survives = [part, &random] { return std::bernoulli_distribution(part)(random); };
  if (change.is_size) {
    if (survives()) Apply(change, bytes);
    return;
  }
  for (uint64_t at = 0; at < change.bytes.size();) {
    const uint64_t left_in_sector = kSectorBytes - (change.offset + at) % kSectorBytes;
    const uint64_t size = std::min(left_in_sector, change.bytes.size() - at);
    if (survives()) Apply({false, change.offset + at, change.bytes.substr(at, size)}, bytes);
    at += size;
  }
}

}  // namespace

FaultyDisk::FaultyDisk() {
  EXPECT_EQ(the_disk, nullptr);
  the_disk = this;
  real_vfs = sqlite3_vfs_find(nullptr);
  shim_vfs = *real_vfs;
  shim_vfs.pNext = nullptr;
  shim_vfs.zName = "faulty-disk";
  shim_vfs.szOsFile = static_cast<int>(sizeof(ShimFile)) + real_vfs->szOsFile;
  shim_vfs.xOpen = &Open;
  shim_vfs.xDelete = &Delete;
  shim_vfs.xGetLastError = &LastError;
  EXPECT_EQ(sqlite3_vfs_register(&shim_vfs, 1), SQLITE_OK);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&shim_vfs);
  sqlite3_vfs_register(real_vfs, 1);
  the_disk = nullptr;
}

FaultyDisk::Files FaultyDisk::AfterPowerLoss(std::mt19937& random) const {
  // Much of it, or little: nothing, half, nearly all and all of the unsynced are all likely.
  constexpr double kParts[] = {0, 0.05, 0.5, 0.95, 1};
  const absl::MutexLock lock(&mutex_);
  Files files;
  for (const auto& [path, file] : files_) {
    if (!file.settled && random() % 2 == 0) {
      if (file.before) files.emplace(path, *file.before);
      continue;
    }
    if (!file.there) continue;
    std::string bytes = file.synced;
    const double part = kParts[random() % std::size(kParts)];
    for (const Change& change : file.unsynced) ApplyTorn(change, part, random, bytes);
    files.emplace(path, std::move(bytes));
  }
  return files;
}

void FaultyDisk::Fail(const Fault& fault) {
  const absl::MutexLock lock(&mutex_);
  fault_ = fault;
  faults_ = 0;
}

int FaultyDisk::Mend() {
  const absl::MutexLock lock(&mutex_);
  fault_.reset();
  system_error_ = 0;
  return faults_;
}

int FaultyDisk::Before(DiskCall call) {
  if (hook_) hook_();
  const absl::MutexLock lock(&mutex_);
  if (!fault_ || fault_->call != call || fault_->skip-- > 0 || fault_->times-- <= 0) {
    return SQLITE_OK;
  }
  ++faults_;
  system_error_ = fault_->system_error;
  return fault_->code;
}

void FaultyDisk::Opened(const std::string& path, bool is_new) {
  const absl::MutexLock lock(&mutex_);
  const auto [entry, unknown] = files_.try_emplace(path);
  File& file = entry->second;
  if (unknown && !is_new) {
    // From before the disk was faulty: all of it is safe.
    std::ifstream in(path, std::ios::binary);
    file.synced = std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    file.settled = true;
  }
  file.there = true;
}

void FaultyDisk::Changed(const std::string& path, Change change) {
  const absl::MutexLock lock(&mutex_);
  files_[path].unsynced.push_back(std::move(change));
}

void FaultyDisk::Synced(const std::string& path) {
  const absl::MutexLock lock(&mutex_);
  File& file = files_[path];
  for (const Change& change : file.unsynced) Apply(change, file.synced);
  file.unsynced.clear();
  if (file.settled) return;
  // SQLite syncs the folder with a file that it made, and so all that happened in it.
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  std::erase_if(files_, [&folder](const auto& entry) {
    return !entry.second.there && entry.first.starts_with(folder);
  });
  for (auto& [other, facts] : files_) {
    if (!other.starts_with(folder)) continue;
    facts.settled = true;
    facts.before.reset();
  }
}

void FaultyDisk::Removed(const std::string& path, bool synced) {
  const absl::MutexLock lock(&mutex_);
  if (synced) {
    files_.erase(path);
    return;
  }
  File& file = files_[path];
  if (file.settled) file.before = file.synced;
  file.there = false;
  file.settled = false;
  file.synced.clear();
  file.unsynced.clear();
}

}  // namespace sasld
