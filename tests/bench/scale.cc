// Measures how the SQLite store does with many users beside one with few.
//
//   bench_scale FOLDER [USERS]     (10,000,000 users beside 10,000)
//
// Makes both stores in FOLDER, by batches of Store::CreateMany in random order of name, and keeps
// them there. Lookups alternate between the stores in blocks, so that a slow moment of the machine
// hits both. Prints a table; what the figures mean: README.md.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proto/common/status_macros.h"
#include "storage/open.h"
#include "storage/store.h"

namespace sasld {
namespace {

constexpr uint64_t kFew = 10'000;
constexpr uint64_t kDomains = 1000;
constexpr size_t kBatch = 1000;
// As a server does that has run for some minutes: it has met each part of its mapped file.
constexpr size_t kWarmUp = 2'000'000;
constexpr size_t kLookups = 400'000;
constexpr size_t kBlock = 2000;  // lookups in one store before it is the other's turn

using Clock = std::chrono::steady_clock;
double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Scatters 0, 1, … so that names come in no order: a bijection (splitmix64's finish).
uint64_t Scatter(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::string DomainName(uint64_t number) {
  return "domain" + std::to_string(number % kDomains) + ".example";
}
Username NameOf(uint64_t number) {
  char local[24];
  (void)std::snprintf(local, sizeof local, "user%013llx",
                      static_cast<unsigned long long>(Scatter(number) >> 12));
  return Username::FromPrepared(std::string(local) + "@" + DomainName(number));
}

// As an import of Argon2id hashes and SCRAM-SHA-256 verifiers has it; the bytes do not matter.
Account MakeAccount(uint64_t number) {
  const absl::Time created = absl::FromUnixSeconds(1'700'000'000);
  Account account{NameOf(number), true, 0, created, created, {}};
  account.credential.argon2id =
      "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2E$"
      "R2VuZXJhdGVkIGZvciB0aGUgYmVuY2htYXJrIG9ubHkuLi4";
  account.credential.pepper_id = 1;
  ScramVerifiers& scram = account.credential.scram.emplace();
  scram.salt = std::string(16, static_cast<char>(number));
  scram.keys.emplace(Hash::kSha256,
                     ScramKeyPair{Secret(std::string(32, 's')), Secret(std::string(32, 'k'))});
  return account;
}

struct Figures {
  uint64_t users = 0;
  double users_per_second = 0;
  std::vector<float> lookups;  // microseconds
  double page_of_prefix = 0;   // milliseconds, as all below
  double page_of_domain = 0;
  double count = 0;
  double open = 0;
  double mebibytes = 0;
};

struct Subject {
  std::string path;
  RecordKeys keys;
  std::unique_ptr<Store> store;
  Figures figures;
};

absl::Status Fill(Subject& subject) {
  const Clock::time_point start = Clock::now();
  std::vector<Account> batch;
  const uint64_t users = subject.figures.users;
  for (uint64_t number = 0; number < users;) {
    batch.clear();
    while (batch.size() < kBatch && number < users) batch.push_back(MakeAccount(number++));
    ASSIGN_OR_RETURN(const auto results, subject.store->CreateMany(batch, IfThere::kRefuse));
    for (const auto& result : results) RETURN_IF_ERROR(result.status());
    if (number % 500'000 == 0) {
      (void)std::fprintf(stderr, "%llu of %llu users, %.0f/s\n",
                         static_cast<unsigned long long>(number),
                         static_cast<unsigned long long>(users),
                         static_cast<double>(number) / SecondsSince(start));
    }
  }
  subject.figures.users_per_second = static_cast<double>(users) / SecondsSince(start);
  return absl::OkStatus();
}

// What an administrator sees until a page is there: the median of some.
absl::StatusOr<double> MillisecondsOfPages(const Store& store, bool by_domain) {
  std::vector<double> taken;
  for (uint64_t i = 0; i < 21; ++i) {
    AccountQuery query;
    query.limit = 100;
    if (by_domain) {
      query.domain = DomainName(i * 37);
    } else {
      query.prefix = NameOf(i * 37).str().substr(0, 6);
    }
    const Clock::time_point start = Clock::now();
    ASSIGN_OR_RETURN(const std::vector<Account> page, store.List(query));
    taken.push_back(SecondsSince(start) * 1000);
    if (page.empty()) return absl::InternalError("a page is empty");
  }
  std::nth_element(taken.begin(), taken.begin() + 10, taken.end());
  return taken[10];
}

absl::Status Prepare(Subject& subject) {
  std::string url = "sqlite:" + subject.path;
  ASSIGN_OR_RETURN(const bool there, StoreExists(url));
  const Clock::time_point start = Clock::now();
  ASSIGN_OR_RETURN(subject.store, OpenStore(url, StorePresence::kCreateIfMissing, subject.keys));
  if (!there) RETURN_IF_ERROR(Fill(subject));
  subject.store.reset();
  const Clock::time_point opened = there ? start : Clock::now();
  if (!subject.store) {
    ASSIGN_OR_RETURN(subject.store, OpenStore(url, StorePresence::kMustExist, subject.keys));
  }
  subject.figures.open = SecondsSince(opened) * 1000;
  struct stat facts {};
  if (stat(subject.path.c_str(), &facts) != 0) return absl::InternalError("no file");
  subject.figures.mebibytes = static_cast<double>(facts.st_size) / (1 << 20);
  // Into the system's cache, as after some time of use.
  std::ifstream file(subject.path, std::ios::binary);
  std::vector<char> buffer(1 << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()))) {
  }
  const Clock::time_point counted = Clock::now();
  ASSIGN_OR_RETURN(const uint64_t count, subject.store->Count());
  subject.figures.count = SecondsSince(counted) * 1000;
  if (count != subject.figures.users) return absl::InternalError("another number of users");
  ASSIGN_OR_RETURN(subject.figures.page_of_prefix, MillisecondsOfPages(*subject.store, false));
  ASSIGN_OR_RETURN(subject.figures.page_of_domain, MillisecondsOfPages(*subject.store, true));
  return absl::OkStatus();
}

absl::Status LookUp(Subject& subject, size_t times, std::mt19937_64& random, bool measure) {
  std::uniform_int_distribution<uint64_t> any(0, subject.figures.users - 1);
  for (size_t i = 0; i < times; ++i) {
    const Username name = NameOf(any(random));
    const Clock::time_point start = Clock::now();
    const absl::StatusOr<Account> account = subject.store->Find(name);
    const double taken = SecondsSince(start);
    RETURN_IF_ERROR(account.status());
    if (measure) subject.figures.lookups.push_back(static_cast<float>(taken * 1e6));
  }
  return absl::OkStatus();
}

absl::Status LookUpInTurn(std::vector<std::unique_ptr<Subject>>& subjects) {
  std::mt19937_64 random(1);
  for (const bool measure : {false, true}) {
    for (size_t done = 0; done < (measure ? kLookups : kWarmUp); done += kBlock) {
      for (const auto& subject : subjects) {
        RETURN_IF_ERROR(LookUp(*subject, kBlock, random, measure));
      }
    }
  }
  return absl::OkStatus();
}

float Percentile(std::vector<float>& of, double part) {
  const auto at =
      of.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(of.size() - 1) * part);
  std::nth_element(of.begin(), at, of.end());
  return *at;
}

void Print(std::vector<std::unique_ptr<Subject>>& subjects) {
  (void)std::puts(
      "| users | lookup p50 µs | p99 µs | p99.9 µs | p99 × few | bulk users/s | 100 of a prefix ms "
      "| "
      "100 of a domain ms | count ms | open ms | file MiB |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|");
  float few = 0;
  for (const auto& subject : subjects) {
    Figures& f = subject->figures;
    const float p99 = Percentile(f.lookups, 0.99);
    if (few == 0) few = p99;
    (void)std::printf(
        "| %llu | %.1f | %.1f | %.1f | %.2f | %.0f | %.2f | %.2f | %.2f | %.0f | %.0f |\n",
        static_cast<unsigned long long>(f.users), static_cast<double>(Percentile(f.lookups, 0.5)),
        static_cast<double>(p99), static_cast<double>(Percentile(f.lookups, 0.999)),
        static_cast<double>(p99 / few), f.users_per_second, f.page_of_prefix, f.page_of_domain,
        f.count, f.open, f.mebibytes);
  }
}

// Private memory: pages of the files, mapped or cached, are the system's to take back.
double PrivateMebibytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  std::string word;
  double kibibytes = 0;
  while (rollup >> word) {
    if (word == "Private_Dirty:" && rollup >> kibibytes) break;
  }
  return kibibytes / 1024;
}

absl::Status Run(const std::string& folder, uint64_t many) {
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const uint64_t users : {kFew, many}) {
    auto subject = std::make_unique<Subject>();
    subject->path = folder + "/users-" + std::to_string(users) + ".db";
    subject->keys.Add(1, Secret(std::string(32, 'k')));
    subject->figures.users = users;
    RETURN_IF_ERROR(Prepare(*subject));
    subjects.push_back(std::move(subject));
  }
  RETURN_IF_ERROR(LookUpInTurn(subjects));
  Print(subjects);
  (void)std::printf("private memory with both open: %.0f MiB\n", PrivateMebibytes());
  return absl::OkStatus();
}

}  // namespace
}  // namespace sasld

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    (void)std::fputs("usage: bench_scale FOLDER [USERS]\n", stderr);
    return 2;
  }
  const absl::Status status = sasld::Run(argv[1], argc == 3 ? std::stoull(argv[2]) : 10'000'000);
  if (!status.ok()) {
    (void)std::fprintf(stderr, "bench_scale: %s\n", std::string(status.message()).c_str());
  }
  return status.ok() ? 0 : 1;
}
