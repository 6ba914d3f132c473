#include "storage/sqlite/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <new>

namespace sasld {
namespace {

// A file of the default VFS, which lies elsewhere, since that VFS may be another with each file.
struct ShimFile {
  sqlite3_file base;
  sqlite3_file* real;
  MappedFile* mapped;   // null: read as usual; set of a database alone
  sqlite3_int64 known;  // bytes that the file has for sure
};
ShimFile& Shim(sqlite3_file* file) { return *reinterpret_cast<ShimFile*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Shim(file).real; }
const sqlite3_io_methods& Methods(sqlite3_file* file) { return *Real(file)->pMethods; }

// SQLite keeps opcodes up to 100 for itself.
constexpr int kReadMappedOpcode = 0x5a51;

int Close(sqlite3_file* file) {
  const int code = Methods(file).xClose(Real(file));
  sqlite3_free(Real(file));
  return code;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  Shim(file).known = std::min(Shim(file).known, size);
  return Methods(file).xTruncate(Real(file), size);
}

int Control(sqlite3_file* file, int opcode, void* argument) {
  if (opcode == kReadMappedOpcode) {
    Shim(file).mapped = static_cast<MappedFile*>(argument);
    return SQLITE_OK;
  }
  // Once is enough.
  if (opcode == SQLITE_FCNTL_MMAP_SIZE && Shim(file).mapped != nullptr) return SQLITE_OK;
  return Methods(file).xFileControl(Real(file), opcode, argument);
}

// Where nothing is yielded, SQLite reads.
int Fetch(sqlite3_file* file, sqlite3_int64 offset, int size, void** bytes) {
  ShimFile& shim = Shim(file);
  *bytes = nullptr;
  if (shim.mapped == nullptr) return SQLITE_OK;
  const sqlite3_int64 end = offset + size;
  if (end > shim.known) {
    // Beyond the file's end there is memory only to crash in.
    const int code = Methods(file).xFileSize(Real(file), &shim.known);
    if (code != SQLITE_OK || end > shim.known) return code;
  }
  // SQLite never writes to what was fetched.
  *bytes =
      const_cast<char*>(shim.mapped->Bytes(static_cast<size_t>(offset), static_cast<size_t>(end)));
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    3,
    &Close,
    [](sqlite3_file* f, void* to, int size, sqlite3_int64 offset) {
      return Methods(f).xRead(Real(f), to, size, offset);
    },
    [](sqlite3_file* f, const void* bytes, int size, sqlite3_int64 offset) {
      return Methods(f).xWrite(Real(f), bytes, size, offset);
    },
    &Truncate,
    [](sqlite3_file* f, int flags) { return Methods(f).xSync(Real(f), flags); },
    [](sqlite3_file* f, sqlite3_int64* size) { return Methods(f).xFileSize(Real(f), size); },
    [](sqlite3_file* f, int level) { return Methods(f).xLock(Real(f), level); },
    [](sqlite3_file* f, int level) { return Methods(f).xUnlock(Real(f), level); },
    [](sqlite3_file* f, int* is) { return Methods(f).xCheckReservedLock(Real(f), is); },
    &Control,
    [](sqlite3_file* f) { return Methods(f).xSectorSize(Real(f)); },
    [](sqlite3_file* f) { return Methods(f).xDeviceCharacteristics(Real(f)); },
    [](sqlite3_file* f, int region, int size, int extend, void volatile** memory) {
      return Methods(f).xShmMap(Real(f), region, size, extend, memory);
    },
    [](sqlite3_file* f, int offset, int count, int flags) {
      return Methods(f).xShmLock(Real(f), offset, count, flags);
    },
    [](sqlite3_file* f) { Methods(f).xShmBarrier(Real(f)); },
    [](sqlite3_file* f, int remove) { return Methods(f).xShmUnmap(Real(f), remove); },
    &Fetch,
    // What was fetched stays until the MappedFile goes.
    [](sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; },
};

// The default VFS, found anew each time: tests put one of their own in its place.
sqlite3_vfs* Default() { return sqlite3_vfs_find(nullptr); }

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  sqlite3_vfs* vfs = Default();
  auto* real = static_cast<sqlite3_file*>(sqlite3_malloc(vfs->szOsFile));
  if (real == nullptr) return SQLITE_NOMEM;
  real->pMethods = nullptr;
  const int code = vfs->xOpen(vfs, name, real, flags, flags_out);
  if (code == SQLITE_OK) {
    new (file) ShimFile{{&kMethods}, real, nullptr, 0};
  } else {
    sqlite3_free(real);
  }
  return code;
}

sqlite3_vfs MakeVfs() {
  sqlite3_vfs vfs{};
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(ShimFile);
  vfs.mxPathname = Default()->mxPathname;
  vfs.zName = "sasld-mapped";
  vfs.xOpen = &Open;
  vfs.xDelete = [](sqlite3_vfs*, const char* name, int sync) {
    return Default()->xDelete(Default(), name, sync);
  };
  vfs.xAccess = [](sqlite3_vfs*, const char* name, int flags, int* result) {
    return Default()->xAccess(Default(), name, flags, result);
  };
  vfs.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* out) {
    return Default()->xFullPathname(Default(), name, size, out);
  };
  vfs.xRandomness = [](sqlite3_vfs*, int size, char* out) {
    return Default()->xRandomness(Default(), size, out);
  };
  vfs.xSleep = [](sqlite3_vfs*, int us) { return Default()->xSleep(Default(), us); };
  vfs.xCurrentTime = [](sqlite3_vfs*, double* now) {
    return Default()->xCurrentTime(Default(), now);
  };
  vfs.xGetLastError = [](sqlite3_vfs*, int size, char* out) {
    return Default()->xGetLastError(Default(), size, out);
  };
  vfs.xCurrentTimeInt64 = [](sqlite3_vfs*, sqlite3_int64* now) {
    return Default()->xCurrentTimeInt64(Default(), now);
  };
  return vfs;
}

}  // namespace

MappedFile::MappedFile(int fd, size_t smallest) : fd_(fd) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) return;
  absl::MutexLock lock(&mutex_);
  Map(std::max(smallest, 2 * static_cast<size_t>(facts.st_size)));
}

MappedFile::~MappedFile() {
  absl::MutexLock lock(&mutex_);
  for (const auto& range : ranges_) munmap(range->start, range->size);
}

const char* MappedFile::Bytes(size_t offset, size_t end) {
  const Range* range = current_.load(std::memory_order_acquire);
  if (range == nullptr || end > range->size) range = Grow(end);
  return range == nullptr ? nullptr : range->start + offset;
}

const MappedFile::Range* MappedFile::Grow(size_t end) {
  absl::MutexLock lock(&mutex_);
  const Range* range = current_.load(std::memory_order_acquire);
  if (range != nullptr && end <= range->size) return range;  // another thread was first
  return Map(2 * end);
}

const MappedFile::Range* MappedFile::Map(size_t size) {
  if (refused_) return nullptr;
  void* start = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_, 0);
  if (start == MAP_FAILED) {
    refused_ = true;  // a limit of address space, which stays
    return nullptr;
  }
  // Accounts are read here and there; what lies beside one is of no use.
  madvise(start, size, MADV_RANDOM);
  ranges_.push_back(std::make_unique<Range>(Range{static_cast<char*>(start), size}));
  current_.store(ranges_.back().get(), std::memory_order_release);
  return ranges_.back().get();
}

const char* MappedVfs() {
  static sqlite3_vfs vfs = [] { return MakeVfs(); }();
  [[maybe_unused]] static const int registered = sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
  return vfs.zName;
}

void ReadMapped(sqlite3* database, MappedFile& file) {
  sqlite3_file_control(database, "main", kReadMappedOpcode, &file);
}

}  // namespace sasld
