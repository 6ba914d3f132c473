// authload - load generator for SASL authentication servers.
//
// Speaks two server protocols over Unix-domain stream sockets:
//   dovecot    the Dovecot auth-client protocol (VERSION/CPID handshake, AUTH/CONT/CANCEL,
//              OK/FAIL/CONT), many connections, many exchanges in flight on each;
//   saslauthd  the saslauthd mux protocol (one request per connection).
//
// Measures completed exchanges/s, latency percentiles, errors by kind, and the CPU time and memory
// of the server processes named with --watch / --watch-tree during the measured window.
// See --help and README.md.

#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED  // the low-level hash contexts: cheap to copy, no provider
                                     // fetch
#endif
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <dirent.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using std::string;
using std::string_view;

constexpr uint64_t kNsPerSec = 1'000'000'000ull;

uint64_t now_ns() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return uint64_t(ts.tv_sec) * kNsPerSec + uint64_t(ts.tv_nsec);
}

[[noreturn]] void die(const string& msg) {
  fprintf(stderr, "authload: %s\n", msg.c_str());
  exit(2);
}

// ---------------------------------------------------------------- text encodings

void b64_append(string& out, const void* data, size_t n) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto p = static_cast<const unsigned char*>(data);
  size_t i = 0;
  for (; i + 2 < n; i += 3) {
    uint32_t v = uint32_t(p[i]) << 16 | uint32_t(p[i + 1]) << 8 | p[i + 2];
    char q[4] = {kAlphabet[v >> 18], kAlphabet[(v >> 12) & 63], kAlphabet[(v >> 6) & 63],
                 kAlphabet[v & 63]};
    out.append(q, 4);
  }
  if (i < n) {
    bool two = i + 1 < n;
    uint32_t v = uint32_t(p[i]) << 16 | (two ? uint32_t(p[i + 1]) << 8 : 0);
    char q[4] = {kAlphabet[v >> 18], kAlphabet[(v >> 12) & 63],
                 two ? kAlphabet[(v >> 6) & 63] : '=', '='};
    out.append(q, 4);
  }
}
void b64_append(string& out, string_view s) { b64_append(out, s.data(), s.size()); }

bool b64_decode(string_view in, string& out) {
  static const auto table = [] {
    std::array<int8_t, 256> t;
    t.fill(-1);
    const char* a = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < 64; i++) t[static_cast<unsigned char>(a[i])] = int8_t(i);
    return t;
  }();
  out.clear();
  while (!in.empty() && in.back() == '=') in.remove_suffix(1);
  if (in.size() % 4 == 1) return false;
  uint32_t acc = 0;
  int bits = 0;
  for (unsigned char c : in) {
    int v = table[c];
    if (v < 0) return false;
    acc = acc << 6 | uint32_t(v);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(char(acc >> bits));
    }
  }
  return true;
}

void append_uint(string& s, uint64_t v) {
  char buf[24];
  auto r = std::to_chars(buf, buf + sizeof buf, v);
  s.append(buf, r.ptr);
}

string json_escape(string_view s) {
  string o;
  for (unsigned char c : s) {
    if (c == '"' || c == '\\') {
      o.push_back('\\');
      o.push_back(char(c));
    } else if (c < 0x20) {
      char b[8];
      snprintf(b, sizeof b, "\\u%04x", c);
      o += b;
    } else {
      o.push_back(char(c));
    }
  }
  return o;
}

// "user{i}@example.test": text with one {i} that stands for the user's number.
struct Template {
  string before, after;
  explicit Template(const string& t) {
    size_t p = t.find("{i}");
    if (p == string::npos) die("a user or password pattern needs {i}: " + t);
    before = t.substr(0, p);
    after = t.substr(p + 3);
  }
  void append(string& out, uint64_t i) const {
    out += before;
    append_uint(out, i);
    out += after;
  }
  string text() const { return before + "{i}" + after; }
};

// ---------------------------------------------------------------- hashes

struct Md5 {
  using Ctx = MD5_CTX;
  static constexpr size_t kSize = 16;
  static void init(Ctx& c) { MD5_Init(&c); }
  static void update(Ctx& c, const void* p, size_t n) { MD5_Update(&c, p, n); }
  static void final(Ctx& c, unsigned char* o) { MD5_Final(o, &c); }
};
struct Sha1 {
  using Ctx = SHA_CTX;
  static constexpr size_t kSize = 20;
  static void init(Ctx& c) { SHA1_Init(&c); }
  static void update(Ctx& c, const void* p, size_t n) { SHA1_Update(&c, p, n); }
  static void final(Ctx& c, unsigned char* o) { SHA1_Final(o, &c); }
};
struct Sha256 {
  using Ctx = SHA256_CTX;
  static constexpr size_t kSize = 32;
  static void init(Ctx& c) { SHA256_Init(&c); }
  static void update(Ctx& c, const void* p, size_t n) { SHA256_Update(&c, p, n); }
  static void final(Ctx& c, unsigned char* o) { SHA256_Final(o, &c); }
};

// HMAC with the two key-dependent compressions done once, at construction.
template <class H>
struct Hmac {
  using Digest = std::array<unsigned char, H::kSize>;
  typename H::Ctx inner, outer;
  Hmac() = default;
  explicit Hmac(string_view key) {
    unsigned char block[64] = {};
    if (key.size() > 64) {
      typename H::Ctx c;
      H::init(c);
      H::update(c, key.data(), key.size());
      H::final(c, block);
    } else {
      memcpy(block, key.data(), key.size());
    }
    for (auto& b : block) b ^= 0x36;
    H::init(inner);
    H::update(inner, block, 64);
    for (auto& b : block) b ^= 0x36 ^ 0x5c;
    H::init(outer);
    H::update(outer, block, 64);
  }
  Digest operator()(string_view msg) const {
    typename H::Ctx c = inner;
    H::update(c, msg.data(), msg.size());
    Digest d;
    H::final(c, d.data());
    c = outer;
    H::update(c, d.data(), d.size());
    H::final(c, d.data());
    return d;
  }
};

template <class H>
string_view view(const std::array<unsigned char, H::kSize>& d) {
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}

template <class H>
typename Hmac<H>::Digest hi(string_view password, string salt, uint32_t iterations) {
  Hmac<H> mac(password);
  salt.append("\0\0\0\1", 4);
  auto u = mac(salt);
  auto r = u;
  for (uint32_t i = 1; i < iterations; i++) {
    u = mac(view<H>(u));
    for (size_t j = 0; j < r.size(); j++) r[j] ^= u[j];
  }
  return r;
}

// ---------------------------------------------------------------- configuration

enum class Proto { Dovecot, Saslauthd };
enum class Mech { Plain, Login, CramMd5, ScramSha1, ScramSha256 };
enum class Dist { Uniform, Sequential, Zipf };

struct Watch {
  string label;
  pid_t pid = 0;
  bool tree = false;
};

struct Config {
  Proto proto = Proto::Dovecot;
  string socket;
  Mech mech = Mech::Plain;
  string mech_name = "PLAIN";
  unsigned connections = 1, inflight = 1, threads = 1;
  uint64_t count = 0;  // exchanges; 0: use duration
  double duration = 5, warmup = 0.5;
  double rate = 0;  // open loop, exchanges/s over all threads; 0: closed loop
  uint64_t users = 10000;
  Template user{"user{i}@example.test"}, pass{"pass-{i}"}, unknown_user{"nouser{i}@example.test"};
  double bad = 0, unknown = 0;
  bool free_fail_slots = false;  // an exchange that must fail gives its slot back when all is sent
  unsigned max_detached = 20000;
  Dist dist = Dist::Uniform;
  double zipf = 0.99;
  bool initial_response = true, final_resp_ok = true;
  string service = "smtp", realm;
  std::vector<string> params{"nologin", "no-penalty", "secured"};
  double timeout = 30, drain = 60;
  bool prime = false;
  string cache_file;
  bool idle = false;
  double hold = 5;
  std::vector<Watch> watches;
  string json;
  uint64_t seed = 1;
  bool trace = false, quiet = false;
  string label;
};

Config cfg;

// ---------------------------------------------------------------- latency histogram

// Buckets of 1/64 of a power of two (at most 1.6 % wide), nanoseconds.
class Histogram {
 public:
  static constexpr int kSub = 6;
  void add(uint64_t ns) {
    counts_[index(ns)]++;
    n_++;
    sum_ += double(ns);
    if (ns > max_) max_ = ns;
    if (ns < min_) min_ = ns;
  }
  void merge(const Histogram& o) {
    for (size_t i = 0; i < counts_.size(); i++) counts_[i] += o.counts_[i];
    n_ += o.n_;
    sum_ += o.sum_;
    max_ = std::max(max_, o.max_);
    min_ = std::min(min_, o.min_);
  }
  uint64_t count() const { return n_; }
  double mean_us() const { return n_ ? sum_ / double(n_) / 1e3 : 0; }
  double max_us() const { return double(max_) / 1e3; }
  double min_us() const { return n_ ? double(min_) / 1e3 : 0; }
  double quantile_us(double q) const {
    if (!n_) return 0;
    uint64_t want = std::max<uint64_t>(1, uint64_t(std::ceil(q * double(n_)))), seen = 0;
    for (size_t i = 0; i < counts_.size(); i++) {
      seen += counts_[i];
      if (seen >= want) return std::min(upper(i), double(max_)) / 1e3;
    }
    return max_us();
  }
  string json() const {
    char b[400];
    snprintf(b, sizeof b,
             "{\"count\":%llu,\"min_us\":%.1f,\"mean_us\":%.1f,\"p50_us\":%.1f,\"p90_us\":%.1f,"
             "\"p99_us\":%.1f,\"p99_9_us\":%.1f,\"max_us\":%.1f}",
             static_cast<unsigned long long>(n_), min_us(), mean_us(), quantile_us(.5),
             quantile_us(.9), quantile_us(.99), quantile_us(.999), max_us());
    return b;
  }

 private:
  static size_t index(uint64_t v) {
    if (v < (1u << kSub)) return size_t(v);
    int e = 63 - std::countl_zero(v) - kSub;
    return (size_t(e + 1) << kSub) + size_t((v >> e) & ((1u << kSub) - 1));
  }
  static double upper(size_t i) {
    if (i < (1u << kSub)) return double(i);
    int e = int(i >> kSub) - 1;
    return std::ldexp(double((1u << kSub) + (i & ((1u << kSub) - 1)) + 1), e) - 1;
  }
  std::vector<uint64_t> counts_ = std::vector<uint64_t>(size_t(60) << kSub);
  uint64_t n_ = 0, max_ = 0, min_ = ~0ull;
  double sum_ = 0;
};

// ---------------------------------------------------------------- SCRAM secrets

template <class H>
struct ScramKeys {
  string salt;  // decoded
  uint32_t iterations = 0;
  std::array<unsigned char, H::kSize> salted{}, client_key{};
  Hmac<H> stored, server;  // keyed with StoredKey and ServerKey
};

// The SaltedPassword of each user, so that a run costs the generator a few HMACs an exchange.
template <class H>
class ScramCache {
 public:
  explicit ScramCache(uint64_t users) : slots_(users) {}
  const ScramKeys<H>& get(uint64_t user, const string& salt, uint32_t iterations, bool& derived) {
    ScramKeys<H>* k = slots_[user].load(std::memory_order_acquire);
    derived = false;
    if (k && k->iterations == iterations && k->salt == salt) return *k;
    derived = true;
    string pass;
    cfg.pass.append(pass, user);
    return put(user, salt, iterations, hi<H>(pass, salt, iterations));
  }
  void load(const string& path, string_view mech) {
    std::ifstream f(path);
    string line, a, b;
    if (!f || !std::getline(f, line)) return;
    if (line != header()) {
      fprintf(stderr, "authload: %s was made for other patterns, ignored\n", path.c_str());
      return;
    }
    string m, salt_raw, salted_raw;
    uint64_t user;
    uint32_t iter;
    string salt, salted;
    while (f >> m >> user >> salt >> iter >> salted) {
      if (m != mech || user >= slots_.size()) continue;
      if (!b64_decode(salt, salt_raw) || !b64_decode(salted, salted_raw) ||
          salted_raw.size() != H::kSize)
        continue;
      std::array<unsigned char, H::kSize> d;
      memcpy(d.data(), salted_raw.data(), d.size());
      put(user, salt_raw, iter, d);
    }
  }
  void save(const string& path, string_view mech) const {
    // keep the other mechanism's lines
    std::vector<string> keep;
    {
      std::ifstream f(path);
      string line;
      if (f && std::getline(f, line) && line == header())
        while (std::getline(f, line))
          if (line.substr(0, line.find(' ')) != mech) keep.push_back(line);
    }
    std::ofstream f(path + ".tmp");
    f << header() << '\n';
    for (auto& l : keep) f << l << '\n';
    for (size_t i = 0; i < slots_.size(); i++) {
      auto* k = slots_[i].load();
      if (!k) continue;
      string salt, salted;
      b64_append(salt, k->salt);
      b64_append(salted, k->salted.data(), k->salted.size());
      f << mech << ' ' << i << ' ' << salt << ' ' << k->iterations << ' ' << salted << '\n';
    }
    f.close();
    if (rename((path + ".tmp").c_str(), path.c_str()) != 0) die("cannot write " + path);
  }

 private:
  static string header() { return "authload-cache-1 " + cfg.user.text() + " " + cfg.pass.text(); }
  const ScramKeys<H>& put(uint64_t user, const string& salt, uint32_t iterations,
                          const std::array<unsigned char, H::kSize>& salted) {
    auto owned = std::make_unique<ScramKeys<H>>();
    auto k = owned.get();
    k->salt = salt;
    k->iterations = iterations;
    k->salted = salted;
    Hmac<H> m(view<H>(salted));
    k->client_key = m("Client Key");
    typename H::Ctx c;
    std::array<unsigned char, H::kSize> stored;
    H::init(c);
    H::update(c, k->client_key.data(), k->client_key.size());
    H::final(c, stored.data());
    k->stored = Hmac<H>(view<H>(stored));
    k->server = Hmac<H>(view<H>(m("Server Key")));
    slots_[user].store(k, std::memory_order_release);
    std::lock_guard lock(mutex_);
    owned_.push_back(
        std::move(owned));  // to the end: a replaced entry may still be in use elsewhere
    return *k;
  }
  std::mutex mutex_;
  std::vector<std::unique_ptr<ScramKeys<H>>> owned_;
  std::vector<std::atomic<ScramKeys<H>*>> slots_;
};

std::unique_ptr<ScramCache<Sha1>> cache_sha1;
std::unique_ptr<ScramCache<Sha256>> cache_sha256;

// ---------------------------------------------------------------- choosing users

struct Rng {
  uint64_t s;
  uint64_t next() {  // splitmix64
    uint64_t z = (s += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  double unit() { return double(next() >> 11) * 0x1p-53; }
  uint64_t below(uint64_t n) { return uint64_t((__uint128_t(next()) * n) >> 64); }
};

std::vector<double> zipf_cdf;
std::atomic<uint64_t> sequence{0};

uint64_t pick_user(Rng& rng) {
  switch (cfg.dist) {
    case Dist::Sequential:
      return sequence.fetch_add(1, std::memory_order_relaxed) % cfg.users;
    case Dist::Zipf:
      return uint64_t(std::lower_bound(zipf_cdf.begin(), zipf_cdf.end() - 1, rng.unit()) -
                      zipf_cdf.begin());
    case Dist::Uniform:
      break;
  }
  return rng.below(cfg.users);
}

// ---------------------------------------------------------------- results

struct Errors {
  std::map<string, uint64_t> kinds;
  std::map<string, string> sample;
  void add(const string& kind, string_view example = {}, uint64_t n = 1) {
    kinds[kind] += n;
    if (!example.empty() && !sample.count(kind)) sample[kind] = string(example.substr(0, 300));
  }
  void merge(const Errors& o) {
    for (auto& [k, v] : o.kinds) kinds[k] += v;
    for (auto& [k, v] : o.sample)
      if (!sample.count(k)) sample[k] = v;
  }
};

struct Stats {
  Histogram ok, fail;        // replies as expected, inside the measured window
  uint64_t window_done = 0;  // replies of either kind inside the window
  uint64_t total_ok = 0, total_fail = 0, issued = 0;  // the whole run, warm-up and drain too
  uint64_t pbkdf2 = 0, bytes_in = 0, bytes_out = 0, reconnects = 0;
  Errors errors;
  void merge(const Stats& o) {
    ok.merge(o.ok);
    fail.merge(o.fail);
    window_done += o.window_done;
    total_ok += o.total_ok;
    total_fail += o.total_fail;
    issued += o.issued;
    pbkdf2 += o.pbkdf2;
    bytes_in += o.bytes_in;
    bytes_out += o.bytes_out;
    reconnects += o.reconnects;
    errors.merge(o.errors);
  }
};

enum class Phase : int { Prime, Warmup, Measure, Drain, Stop };
std::atomic<Phase> phase{Phase::Warmup};
std::atomic<uint64_t> prime_done{0};
std::atomic<unsigned> connected{0}, connect_gave_up{0};
std::atomic<int64_t> count_left{0};  // --count: exchanges still to be issued in the measured window
std::atomic<uint64_t> count_done{0};
volatile sig_atomic_t interrupted = 0;

// ---------------------------------------------------------------- one exchange

enum class Kind : uint8_t { Good, BadPassword, Unknown };

struct Exchange {
  uint32_t gen = 0;
  bool active = false;
  bool detached = false;   // holds no place in the closed loop any more
  bool counted = false;    // taken from --count
  bool last_sent = false;  // the client has nothing more to prove: OK or FAIL may come
  bool sig_ok = false;     // SCRAM: the server's signature was verified
  bool prime = false;
  Kind kind = Kind::Good;
  uint8_t step = 0;
  uint64_t user = 0, start = 0;
  char nonce[25] = {};
  unsigned char server_sig[32] = {};
};

int open_unix(const string& path, int& err) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    err = errno;
    return -1;
  }
  sockaddr_un sa{};
  sa.sun_family = AF_UNIX;
  if (path.size() >= sizeof sa.sun_path) die("socket path too long");
  memcpy(sa.sun_path, path.c_str(), path.size() + 1);
  if (connect(fd, reinterpret_cast<sockaddr*>(&sa), sizeof sa) != 0) {
    err = errno;
    close(fd);
    return -1;
  }
  err = 0;
  return fd;
}

// State common to both protocols' workers: pacing, user choice, outcome bookkeeping.
class Worker {
 public:
  explicit Worker(unsigned index) : index_(index) {
    rng_.s = cfg.seed * 1000003 + index;
    ep_ = epoll_create1(EPOLL_CLOEXEC);
    if (ep_ < 0) die("epoll_create1");
    if (cfg.rate > 0) interval_ns_ = double(cfg.threads) * 1e9 / cfg.rate;
  }
  virtual ~Worker() { close(ep_); }
  virtual void run() = 0;
  int64_t outstanding() const { return outstanding_.load(std::memory_order_relaxed); }
  Stats stats;  // the thread's own until it has ended

 protected:
  unsigned share(unsigned total) const {  // this thread's part of `total`
    return total / cfg.threads + (index_ < total % cfg.threads ? 1 : 0);
  }
  // May a new exchange be issued now (a free place is the caller's business)? Sets its nature.
  bool admit(Exchange& x, uint64_t now) {
    Phase p = phase.load(std::memory_order_relaxed);
    if (p == Phase::Drain || p == Phase::Stop) return false;
    x.kind = Kind::Good;
    x.prime = x.counted = false;
    if (p == Phase::Prime) {
      uint64_t u = sequence.fetch_add(1, std::memory_order_relaxed);
      if (u >= cfg.users) return false;
      x.prime = true;
      x.user = u;
      x.start = now;
      bump(+1);
      return true;
    }
    if (cfg.rate > 0) {
      if (next_due_ == 0) next_due_ = double(now) + rng_.unit() * interval_ns_;
      if (double(now) < next_due_) return false;
    }
    if (p == Phase::Measure && cfg.count) {
      if (count_left.fetch_sub(1, std::memory_order_relaxed) <= 0) return false;
      x.counted = true;
    }
    if (cfg.rate > 0) {
      x.start = uint64_t(next_due_);  // latency counts from when it was due, not from when sent
      next_due_ += interval_ns_;
    } else {
      x.start = now;
    }
    if (cfg.bad > 0 || cfg.unknown > 0) {
      double d = rng_.unit();
      if (d < cfg.bad)
        x.kind = Kind::BadPassword;
      else if (d < cfg.bad + cfg.unknown)
        x.kind = Kind::Unknown;
    }
    x.user = pick_user(rng_);
    stats.issued++;
    bump(+1);
    return true;
  }
  void user_name(const Exchange& x, string& out) const {
    (x.kind == Kind::Unknown ? cfg.unknown_user : cfg.user).append(out, x.user);
  }
  void password(const Exchange& x, string& out) const {
    if (x.kind == Kind::BadPassword) out += "wrong-";
    cfg.pass.append(out, x.user);
  }
  // A final reply as the exchange deserved it.
  void finished(const Exchange& x, bool ok, uint64_t now) {
    done(x);
    if (x.prime) return;
    (ok ? stats.total_ok : stats.total_fail)++;
    if (cfg.count ? x.counted : phase.load(std::memory_order_relaxed) == Phase::Measure) {
      (ok ? stats.ok : stats.fail).add(now - x.start);
      stats.window_done++;
    }
  }
  void failed(const Exchange& x, const string& kind, string_view example = {}) {
    stats.errors.add(kind, example);
    done(x);
  }
  void done(const Exchange& x) {
    bump(-1);
    if (x.prime) prime_done.fetch_add(1, std::memory_order_relaxed);
    if (x.counted) count_done.fetch_add(1, std::memory_order_relaxed);
  }
  void bump(int by) {  // only this thread writes it
    outstanding_.store(outstanding_.load(std::memory_order_relaxed) + by,
                       std::memory_order_relaxed);
  }
  // Sleeps in epoll until something happens, an arrival is due, or 50 ms passed.
  int wait(epoll_event* ev, int max, uint64_t now, bool want_due) {
    uint64_t ns = 50'000'000;
    if (want_due && cfg.rate > 0 && next_due_ > 0) {
      double d = next_due_ - double(now);
      ns = d <= 0 ? 0 : std::min<uint64_t>(ns, uint64_t(d) + 1);
    }
    timespec ts{time_t(ns / kNsPerSec), long(ns % kNsPerSec)};
    int n = epoll_pwait2(ep_, ev, max, &ts, nullptr);
    return n < 0 ? 0 : n;
  }

  unsigned index_;
  int ep_ = -1;
  Rng rng_{};
  double interval_ns_ = 0, next_due_ = 0;

 private:
  std::atomic<int64_t> outstanding_{0};  // exchanges begun and not yet ended in any way
};

// ---------------------------------------------------------------- Dovecot protocol

constexpr uint32_t kSlotBits = 16;  // an exchange's id: generation << 16 | slot

class DovecotWorker : public Worker {
 public:
  explicit DovecotWorker(unsigned index) : Worker(index) {}

  void run() override {
    conns_.resize(share(cfg.connections));
    uint64_t now = now_ns();
    for (size_t i = 0; i < conns_.size(); i++) {
      conns_[i].index = i;
      conns_[i].retry_at = now;
    }
    std::array<epoll_event, 256> ev;
    uint64_t next_scan = 0;
    size_t rr = 0;
    for (;;) {
      now = now_ns();
      Phase p = phase.load(std::memory_order_relaxed);
      if (p == Phase::Stop) break;
      if (now >= next_scan) {
        next_scan = now + 20'000'000;
        scan(now);
      }
      if (p != last_phase_) {  // a new phase: places that stood empty may be filled
        last_phase_ = p;
        for (auto& c : conns_) pump(c, now);
      }
      bool room = false;
      if (cfg.rate > 0 && p != Phase::Drain) {
        // arrivals go round the connections, to the first with room
        size_t tried = 0;
        while (tried < conns_.size()) {
          Conn& c = conns_[rr];
          rr = (rr + 1) % conns_.size();
          if (c.ready && c.busy < cfg.inflight) {
            room = true;
            if (!start_one(c, now)) break;
            flush(c);
            tried = 0;
          } else {
            tried++;
          }
        }
      }
      int n = wait(ev.data(), int(ev.size()), now, room);
      for (int i = 0; i < n; i++) {
        Conn& c = conns_[ev[i].data.u64];
        if (c.fd < 0) continue;
        if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
        if (c.fd >= 0 && (ev[i].events & EPOLLOUT)) flush(c);
      }
    }
    for (auto& c : conns_)
      if (c.fd >= 0) close(c.fd);
  }

  size_t alive() const {
    size_t n = 0;
    for (auto& c : conns_) n += c.ready;
    return n;
  }

 private:
  struct Conn {
    size_t index = 0;
    int fd = -1;
    bool ready = false, ever_ready = false, want_out = false, mech_seen = false;
    unsigned busy = 0;      // exchanges that hold a place
    unsigned detached = 0;  // exchanges awaiting a FAIL without holding one
    unsigned attempts = 0;
    uint64_t retry_at = 0;
    string in, out;
    size_t in_pos = 0, out_pos = 0;
    std::vector<Exchange> slots;
    std::vector<uint32_t> free;
    string mechs;
  };

  void connect_one(Conn& c, uint64_t now) {
    int err;
    c.fd = open_unix(cfg.socket, err);
    if (c.fd < 0) {
      c.attempts++;
      bool busy = err == EAGAIN;  // the listener's queue is full: not a failure
      bool give_up = !busy && !c.ever_ready && c.attempts >= 20;  // a server may just be starting
      if (!busy && (c.ever_ready || give_up)) stats.errors.add(string("connect: ") + strerror(err));
      if (give_up) {
        c.retry_at = ~0ull;
        connect_gave_up.fetch_add(1);
        return;
      }
      c.retry_at = now + (busy ? 1'000'000 : 100'000'000);
      return;
    }
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u64 = c.index;
    epoll_ctl(ep_, EPOLL_CTL_ADD, c.fd, &e);
    c.out = "VERSION\t1\t2\nCPID\t";
    // Servers may refuse a second connection with the same process id, so make them distinct.
    append_uint(c.out,
                (uint64_t(getpid()) * 4096 + next_cpid_++ * cfg.threads + index_) & 0x7fffffff);
    c.out += '\n';
    c.out_pos = 0;
    flush(c);
  }

  void scan(uint64_t now) {
    uint64_t limit = uint64_t(cfg.timeout * 1e9);
    for (auto& c : conns_) {
      if (c.fd < 0) {
        if (c.retry_at <= now && phase.load() != Phase::Drain) connect_one(c, now);
        continue;
      }
      if (!c.ready || (!c.busy && !c.detached)) continue;
      for (uint32_t s = 0; s < c.slots.size(); s++) {
        Exchange& x = c.slots[s];
        if (!x.active || now < x.start + limit) continue;
        failed(x, "timeout");
        c.out += "CANCEL\t";
        append_uint(c.out, id_of(x, s));
        c.out += '\n';
        release(c, s);
      }
      pump(c, now);
    }
  }

  static uint32_t id_of(const Exchange& x, uint32_t slot) { return x.gen << kSlotBits | slot; }

  void release(Conn& c, uint32_t slot) {
    Exchange& x = c.slots[slot];
    x.active = false;
    (x.detached ? c.detached : c.busy)--;
    c.free.push_back(slot);
  }

  void lost(Conn& c, const string& why) {
    close(c.fd);
    c.fd = -1;
    c.want_out = false;
    uint64_t n = 0;
    for (uint32_t s = 0; s < c.slots.size(); s++) {
      if (!c.slots[s].active) continue;
      n++;
      failed(c.slots[s], "exchange lost with its connection");
      release(c, s);
    }
    stats.errors.add(why);
    stats.reconnects++;
    if (c.ready) connected.fetch_sub(1);
    c.ready = false;
    c.in.clear();
    c.in_pos = 0;
    c.out.clear();
    c.out_pos = 0;
    c.attempts++;
    if (!c.ever_ready && c.attempts >= 20) {
      c.retry_at = ~0ull;
      connect_gave_up.fetch_add(1);
    } else {
      c.retry_at = now_ns() + 50'000'000;
    }
  }

  void flush(Conn& c) {
    if (c.fd < 0) return;
    while (c.out_pos < c.out.size()) {
      ssize_t n = send(c.fd, c.out.data() + c.out_pos, c.out.size() - c.out_pos, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN) break;
        lost(c, string("write: ") + strerror(errno));
        return;
      }
      stats.bytes_out += uint64_t(n);
      c.out_pos += size_t(n);
    }
    bool rest = c.out_pos < c.out.size();
    if (!rest) {
      c.out.clear();
      c.out_pos = 0;
    }
    if (rest != c.want_out) {
      c.want_out = rest;
      epoll_event e{};
      e.events = EPOLLIN | (rest ? uint32_t(EPOLLOUT) : 0u);
      e.data.u64 = c.index;
      epoll_ctl(ep_, EPOLL_CTL_MOD, c.fd, &e);
    }
  }

  void readable(Conn& c) {
    char buf[65536];
    ssize_t n = recv(c.fd, buf, sizeof buf, 0);
    if (n < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      return lost(c, string("read: ") + strerror(errno));
    }
    if (n == 0) return lost(c, c.ready ? "server closed the connection" : "closed in handshake");
    stats.bytes_in += uint64_t(n);
    c.in.append(buf, size_t(n));
    now_ = now_ns();
    size_t nl;
    while ((nl = c.in.find('\n', c.in_pos)) != string::npos) {
      string_view l(c.in.data() + c.in_pos, nl - c.in_pos);
      c.in_pos = nl + 1;
      if (cfg.trace) fprintf(stderr, "S: %.*s\n", int(l.size()), l.data());
      bool good = c.ready ? reply(c, l) : handshake(c, l);
      if (!good) return lost(c, "protocol error");
    }
    if (c.in_pos == c.in.size()) {
      c.in.clear();
      c.in_pos = 0;
    } else if (c.in_pos > 65536) {
      c.in.erase(0, c.in_pos);
      c.in_pos = 0;
    }
    if (c.ready) pump(c, now_);
  }

  bool handshake(Conn& c, string_view l) {
    if (l.starts_with("VERSION\t")) {
      if (!l.starts_with("VERSION\t1\t")) {
        stats.errors.add("unsupported protocol version", l);
        return false;
      }
    } else if (l.starts_with("MECH\t")) {
      string_view m = l.substr(5);
      m = m.substr(0, m.find('\t'));
      c.mechs += string(m) + " ";
      if (m == cfg.mech_name) c.mech_seen = true;
    } else if (l == "DONE") {
      if (!c.mech_seen && !cfg.idle)
        die("the server does not offer " + cfg.mech_name + " (offers: " + c.mechs + ")");
      c.ready = c.ever_ready = true;
      c.attempts = 0;
      connected.fetch_add(1);
    }  // SPID, CUID, COOKIE and what later versions add are not needed
    return true;
  }

  // Fills the connection's free places.
  void pump(Conn& c, uint64_t now) {
    if (!c.ready || cfg.idle) return;
    if (cfg.rate <= 0 || phase.load(std::memory_order_relaxed) == Phase::Prime)
      while (c.busy < cfg.inflight && start_one(c, now)) {
      }
    if (!c.out.empty()) flush(c);
  }

  bool start_one(Conn& c, uint64_t now) {
    if (c.detached >= cfg.max_detached) return false;
    uint32_t slot;
    if (c.free.empty()) {
      if (c.slots.size() >= (1u << kSlotBits)) return false;
      slot = uint32_t(c.slots.size());
      c.slots.emplace_back();
    } else {
      slot = c.free.back();
    }
    Exchange& x = c.slots[slot];
    bool fresh = c.free.empty();
    if (!admit(x, now)) {
      if (fresh) c.free.push_back(slot);
      return false;
    }
    if (!fresh) c.free.pop_back();
    x.gen = x.gen % 0x7ffe + 1;  // never 0, so no id is 0
    x.active = true;
    x.detached = x.last_sent = x.sig_ok = false;
    x.step = 0;
    c.busy++;
    if (x.kind == Kind::Unknown) detach(c, x);  // some servers refuse it before the last step
    c.out += "AUTH\t";
    append_uint(c.out, id_of(x, slot));
    c.out += '\t';
    c.out += cfg.mech_name;
    c.out += "\tservice=";
    c.out += cfg.service;
    for (auto& p : cfg.params) {
      c.out += '\t';
      c.out += p;
    }
    if (is_scram() && cfg.final_resp_ok) c.out += "\tfinal-resp-ok";
    if (cfg.initial_response && (cfg.mech == Mech::Plain || is_scram())) {
      c.out += "\tresp=";
      tmp_.clear();
      first_message(x, tmp_);
      b64_append(c.out, tmp_);
      x.step = 1;
      if (cfg.mech == Mech::Plain) sent_last(c, x);
    }
    c.out += '\n';
    return true;
  }

  static bool is_scram() { return cfg.mech == Mech::ScramSha1 || cfg.mech == Mech::ScramSha256; }

  void sent_last(Conn& c, Exchange& x) {
    x.last_sent = true;
    if (x.kind != Kind::Good) detach(c, x);
  }
  void detach(Conn& c, Exchange& x) {
    if (!cfg.free_fail_slots || x.detached) return;
    x.detached = true;
    c.busy--;
    c.detached++;
  }

  void first_message(Exchange& x, string& m) {
    if (cfg.mech == Mech::Plain) {
      m += '\0';
      user_name(x, m);
      m += '\0';
      password(x, m);
      return;
    }
    uint64_t r[3] = {rng_.next(), rng_.next(), rng_.next()};
    string nonce;
    b64_append(nonce, r, 18);
    memcpy(x.nonce, nonce.data(), 24);
    m += "n,,";
    first_bare(x, m);
  }
  void first_bare(const Exchange& x, string& m) {
    name_.clear();
    user_name(x, name_);
    m += "n=";
    for (char ch : name_) {
      if (ch == ',')
        m += "=2C";
      else if (ch == '=')
        m += "=3D";
      else
        m += ch;
    }
    m += ",r=";
    m.append(x.nonce, 24);
  }

  bool reply(Conn& c, string_view l) {
    size_t t1 = l.find('\t');
    if (t1 == string_view::npos) return unknown_line(l);
    string_view verb = l.substr(0, t1);
    if (verb != "OK" && verb != "FAIL" && verb != "CONT") return unknown_line(l);
    uint32_t id = 0;
    auto r = std::from_chars(l.data() + t1 + 1, l.data() + l.size(), id);
    if (r.ec != std::errc()) return unknown_line(l);
    string_view rest = l.substr(size_t(r.ptr - l.data()));
    if (!rest.empty()) {
      if (rest[0] != '\t') return unknown_line(l);
      rest.remove_prefix(1);
    }
    uint32_t slot = id & ((1u << kSlotBits) - 1);
    if (slot >= c.slots.size() || !c.slots[slot].active || c.slots[slot].gen != id >> kSlotBits) {
      stats.errors.add("reply for no exchange in flight", l);  // e.g. after our time-out
      return true;
    }
    Exchange& x = c.slots[slot];
    if (verb == "OK")
      on_ok(c, slot, x, rest, l);
    else if (verb == "FAIL")
      on_fail(c, slot, x, rest, l);
    else
      on_cont(c, slot, x, rest, l);
    return true;
  }
  bool unknown_line(string_view l) {
    stats.errors.add("unparsable line", l);
    return false;
  }

  static string_view field(string_view rest, string_view key) {
    while (!rest.empty()) {
      size_t t = rest.find('\t');
      string_view f = rest.substr(0, t);
      if (f.size() > key.size() && f.starts_with(key) && f[key.size()] == '=')
        return f.substr(key.size() + 1);
      if (t == string_view::npos) break;
      rest.remove_prefix(t + 1);
    }
    return {};
  }

  void on_ok(Conn& c, uint32_t slot, Exchange& x, string_view rest, string_view l) {
    if (!x.last_sent) {
      failed(x, "OK before the client proved anything", l);
    } else if (x.kind != Kind::Good) {
      failed(x, x.kind == Kind::Unknown ? "unknown user accepted" : "wrong password accepted", l);
    } else {
      name_.clear();
      user_name(x, name_);
      if (is_scram() && !x.sig_ok) {
        string_view v = field(rest, "resp");
        if (!v.empty() && b64_decode(v, tmp_)) x.sig_ok = check_signature(x, tmp_);
      }
      if (field(rest, "user") != name_)
        failed(x, "OK for another user name", l);
      else if (is_scram() && !x.sig_ok)
        failed(x, "SCRAM server signature missing or wrong", l);
      else
        finished(x, true, now_);
    }
    release(c, slot);
  }

  void on_fail(Conn& c, uint32_t slot, Exchange& x, string_view rest, string_view l) {
    if (field(rest, "code") == "temp_fail" || rest.find("\ttemp") != string_view::npos)
      failed(x, "temporary failure", l);
    else if (x.kind == Kind::Good)
      failed(x, "right password refused", l);
    else
      finished(x, false, now_);
    release(c, slot);
  }

  void on_cont(Conn& c, uint32_t slot, Exchange& x, string_view rest, string_view l) {
    if (!b64_decode(rest, in_)) {
      failed(x, "bad base64 from the server", l);
      release(c, slot);
      return;
    }
    tmp_.clear();
    bool last = false;
    switch (cfg.mech) {
      case Mech::Plain:
        first_message(x, tmp_);
        last = true;
        break;
      case Mech::Login:
        if (x.step == 0) {
          user_name(x, tmp_);
        } else {
          password(x, tmp_);
          last = true;
        }
        break;
      case Mech::CramMd5: {
        name_.clear();
        password(x, name_);
        auto d = Hmac<Md5>(name_)(in_);
        user_name(x, tmp_);
        tmp_ += ' ';
        for (unsigned char b : d) {
          tmp_ += "0123456789abcdef"[b >> 4];
          tmp_ += "0123456789abcdef"[b & 15];
        }
        last = true;
        break;
      }
      case Mech::ScramSha1:
      case Mech::ScramSha256:
        if (x.step == 0) {
          first_message(x, tmp_);
        } else if (!x.last_sent) {
          if (!(cfg.mech == Mech::ScramSha1 ? scram_final<Sha1>(x, *cache_sha1)
                                            : scram_final<Sha256>(x, *cache_sha256))) {
            failed(x, "bad SCRAM server-first message", in_);
            c.out += "CANCEL\t";
            append_uint(c.out, id_of(x, slot));
            c.out += '\n';
            release(c, slot);
            return;
          }
          last = true;
        } else if (x.kind == Kind::Good && !x.sig_ok) {
          x.sig_ok = check_signature(x, in_);  // the server-final in its own round trip
        } else {
          failed(x, "unexpected continuation", l);
          release(c, slot);
          return;
        }
        break;
    }
    if (x.step > 6) {
      failed(x, "unexpected continuation", l);
      release(c, slot);
      return;
    }
    x.step++;
    c.out += "CONT\t";
    append_uint(c.out, id_of(x, slot));
    c.out += '\t';
    b64_append(c.out, tmp_);
    c.out += '\n';
    if (last) sent_last(c, x);
  }

  // in_: server-first; leaves the client-final in tmp_ and the expected signature in x.
  template <class H>
  bool scram_final(Exchange& x, ScramCache<H>& cache) {
    string_view s = in_;
    if (!s.starts_with("r=")) return false;
    size_t c1 = s.find(",s=");
    if (c1 == string_view::npos) return false;
    string_view nonce = s.substr(2, c1 - 2);
    size_t c2 = s.find(",i=", c1 + 3);
    if (c2 == string_view::npos) return false;
    string_view salt64 = s.substr(c1 + 3, c2 - c1 - 3);
    uint32_t iterations = 0;
    if (std::from_chars(s.data() + c2 + 3, s.data() + s.size(), iterations).ec != std::errc() ||
        iterations == 0 || iterations > 10'000'000)
      return false;
    if (nonce.size() <= 24 || nonce.substr(0, 24) != string_view(x.nonce, 24)) return false;
    if (!b64_decode(salt64, salt_) || salt_.empty()) return false;

    tmp_ = "c=biws,r=";
    tmp_ += nonce;
    std::array<unsigned char, H::kSize> proof;
    if (x.kind != Kind::Good) {  // any proof is wrong here: spare the key derivation
      for (auto& b : proof) b = static_cast<unsigned char>(rng_.next());
    } else {
      bool derived;
      const auto& k = cache.get(x.user, salt_, iterations, derived);
      stats.pbkdf2 += derived;
      auth_message_.clear();
      first_bare(x, auth_message_);
      auth_message_ += ',';
      auth_message_ += in_;
      auth_message_ += ',';
      auth_message_ += tmp_;
      auto sig = k.stored(auth_message_);
      for (size_t i = 0; i < sig.size(); i++) proof[i] = k.client_key[i] ^ sig[i];
      auto ss = k.server(auth_message_);
      memcpy(x.server_sig, ss.data(), ss.size());
    }
    tmp_ += ",p=";
    b64_append(tmp_, proof.data(), proof.size());
    return true;
  }

  bool check_signature(const Exchange& x, const string& final_message) {
    string v;
    if (!final_message.starts_with("v=") || !b64_decode(string_view(final_message).substr(2), v))
      return false;
    return v.size() == (cfg.mech == Mech::ScramSha1 ? 20u : 32u) &&
           memcmp(v.data(), x.server_sig, v.size()) == 0;
  }

  std::vector<Conn> conns_;
  Phase last_phase_ = Phase::Stop;
  uint64_t now_ = 0, next_cpid_ = 1;
  string tmp_, in_, name_, salt_, auth_message_;
};

// ---------------------------------------------------------------- saslauthd protocol

// Each exchange is a connection of its own: --connections says how many run at a time.
class SaslauthdWorker : public Worker {
 public:
  explicit SaslauthdWorker(unsigned index) : Worker(index) {}

  void run() override {
    conns_.resize(share(cfg.connections));
    connected.fetch_add(unsigned(conns_.size()));
    std::array<epoll_event, 256> ev;
    uint64_t next_scan = 0;
    for (;;) {
      uint64_t now = now_ns();
      Phase p = phase.load(std::memory_order_relaxed);
      if (p == Phase::Stop) break;
      bool room = false;
      for (size_t i = 0; i < conns_.size(); i++)
        if (conns_[i].fd < 0) {
          room = true;
          start(i, now);
        }
      if (now >= next_scan) {
        next_scan = now + 50'000'000;
        for (size_t i = 0; i < conns_.size(); i++)
          if (conns_[i].fd >= 0 && now > conns_[i].x.start + uint64_t(cfg.timeout * 1e9))
            finish(i, "timeout");
      }
      int n = wait(ev.data(), int(ev.size()), now, room);
      for (int i = 0; i < n; i++) event(ev[i].data.u64);
    }
    for (auto& c : conns_)
      if (c.fd >= 0) close(c.fd);
  }

 private:
  struct Conn {
    int fd = -1;
    bool pending = false;  // an admitted exchange waits for room in the listener's queue
    uint64_t retry_at = 0;
    Exchange x;
    string in;
  };

  static void put(string& s, string_view v) {
    s += char(v.size() >> 8);
    s += char(v.size() & 255);
    s += v;
  }

  void start(size_t i, uint64_t now) {
    Conn& c = conns_[i];
    if (c.pending && now < c.retry_at) return;
    if (!c.pending && !admit(c.x, now)) return;
    c.pending = false;
    int err;
    c.fd = open_unix(cfg.socket, err);
    if (c.fd < 0) {
      if (err == EAGAIN) {
        c.pending = true;
        c.retry_at = now + 200'000;
        return;
      }
      failed(c.x, string("connect: ") + strerror(err));
      return;
    }
    string user, pass, msg;
    user_name(c.x, user);
    password(c.x, pass);
    string realm = cfg.realm;
    size_t at = user.find('@');
    if (realm.empty() && at != string::npos) {
      realm = user.substr(at + 1);
      user.resize(at);
    }
    put(msg, user);
    put(msg, pass);
    put(msg, cfg.service);
    put(msg, realm);
    ssize_t n = send(c.fd, msg.data(), msg.size(), MSG_NOSIGNAL);  // fits any socket buffer
    if (n != ssize_t(msg.size())) return finish(i, string("write: ") + strerror(errno));
    stats.bytes_out += uint64_t(n);
    c.in.clear();
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u64 = i;
    epoll_ctl(ep_, EPOLL_CTL_ADD, c.fd, &e);
  }

  void event(size_t i) {
    Conn& c = conns_[i];
    if (c.fd < 0) return;
    char buf[2048];
    ssize_t n = recv(c.fd, buf, sizeof buf, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0)
      return finish(i, n == 0 ? "closed without a reply" : string("read: ") + strerror(errno));
    stats.bytes_in += uint64_t(n);
    c.in.append(buf, size_t(n));
    if (c.in.size() < 2) return;
    size_t len =
        size_t(static_cast<unsigned char>(c.in[0])) << 8 | static_cast<unsigned char>(c.in[1]);
    if (c.in.size() < 2 + len) return;
    string_view r = string_view(c.in).substr(2, len);
    if (cfg.trace) fprintf(stderr, "S: %.*s\n", int(r.size()), r.data());
    bool ok = r.starts_with("OK"), no = r.starts_with("NO");
    if (!ok && !no) return finish(i, "unparsable reply");
    if (ok && c.x.kind != Kind::Good)
      return finish(
          i, c.x.kind == Kind::Unknown ? "unknown user accepted" : "wrong password accepted");
    if (no && c.x.kind == Kind::Good) return finish(i, "right password refused", r);
    close(c.fd);
    c.fd = -1;
    finished(c.x, ok, now_ns());
  }

  void finish(size_t i, const string& error, string_view example = {}) {
    failed(conns_[i].x, error, example);
    close(conns_[i].fd);
    conns_[i].fd = -1;
  }

  std::vector<Conn> conns_;
};

// ---------------------------------------------------------------- watching the server's processes

struct ProcSample {
  string comm;
  double user = 0, sys = 0;  // s, whole process, of the kernel's 10 ms ticks
  double run = 0;            // s, precise, the live threads
  unsigned threads = 0;
  uint64_t rss_kb = 0, pss_kb = 0, anon_kb = 0, hwm_kb = 0;
  uint64_t ctx_vol = 0, ctx_invol = 0;
};

bool read_proc(pid_t pid, ProcSample& s, pid_t* ppid = nullptr) {
  string base = "/proc/" + std::to_string(pid);
  std::ifstream f(base + "/stat");
  string all;
  if (!f || !std::getline(f, all)) return false;
  size_t l = all.find('('), r = all.rfind(')');
  if (l == string::npos || r == string::npos) return false;
  s.comm = all.substr(l + 1, r - l - 1);
  // One program in several roles told apart by a short flag (Dovecot's "auth" and "auth -w").
  std::ifstream cl(base + "/cmdline");
  string argv0, argv1;
  if (std::getline(cl, argv0, '\0') && std::getline(cl, argv1, '\0') && argv1.size() == 2 &&
      argv1[0] == '-')
    s.comm += " " + argv1;
  std::istringstream is(all.substr(r + 2));
  std::vector<string> v;
  for (string w; is >> w;) v.push_back(w);
  if (v.size() < 20) return false;
  double hz = double(sysconf(_SC_CLK_TCK));
  if (ppid) *ppid = pid_t(std::stol(v[1]));
  s.user = std::stod(v[11]) / hz;
  s.sys = std::stod(v[12]) / hz;
  return true;
}

void read_proc_more(pid_t pid, ProcSample& s, bool memory) {
  string base = "/proc/" + std::to_string(pid), line;
  if (DIR* d = opendir((base + "/task").c_str())) {
    while (dirent* e = readdir(d)) {
      if (e->d_name[0] == '.') continue;
      string t = base + "/task/" + e->d_name;
      std::ifstream f(t + "/schedstat");
      double ns;
      if (f >> ns) s.run += ns / 1e9;
      s.threads++;
      std::ifstream st(t + "/status");
      while (std::getline(st, line)) {
        if (line.starts_with("voluntary_ctxt_switches:")) s.ctx_vol += std::stoull(line.substr(24));
        if (line.starts_with("nonvoluntary_ctxt_switches:"))
          s.ctx_invol += std::stoull(line.substr(27));
      }
    }
    closedir(d);
  }
  if (!memory) return;
  std::ifstream st(base + "/status");
  while (std::getline(st, line)) {
    if (line.starts_with("VmRSS:")) s.rss_kb = std::stoull(line.substr(6));
    if (line.starts_with("VmHWM:")) s.hwm_kb = std::stoull(line.substr(6));
    if (line.starts_with("RssAnon:")) s.anon_kb = std::stoull(line.substr(8));
  }
  std::ifstream sm(base + "/smaps_rollup");
  while (std::getline(sm, line))
    if (line.starts_with("Pss:")) s.pss_kb = std::stoull(line.substr(4));
}

using Snapshot = std::map<pid_t, ProcSample>;

std::vector<std::pair<string, Snapshot>> snapshot(bool memory) {
  std::map<pid_t, pid_t> parent;
  bool trees = std::any_of(cfg.watches.begin(), cfg.watches.end(), [](auto& w) { return w.tree; });
  if (trees)
    if (DIR* d = opendir("/proc")) {
      while (dirent* e = readdir(d)) {
        pid_t pid = pid_t(atoi(e->d_name)), pp;
        ProcSample s;
        if (pid > 0 && read_proc(pid, s, &pp)) parent[pid] = pp;
      }
      closedir(d);
    }
  std::vector<std::pair<string, Snapshot>> all;
  for (auto& w : cfg.watches) {
    std::vector<pid_t> pids{w.pid};
    if (w.tree)
      for (size_t i = 0; i < pids.size(); i++)
        for (auto& [p, pp] : parent)
          if (pp == pids[i]) pids.push_back(p);
    Snapshot snap;
    for (pid_t p : pids) {
      ProcSample s;
      if (!read_proc(p, s)) continue;
      read_proc_more(p, s, memory);
      snap[p] = s;
    }
    all.emplace_back(w.label, std::move(snap));
  }
  return all;
}

struct Usage {  // a group of processes during the window
  string label;
  unsigned procs = 0, threads = 0;
  double user = 0, sys = 0, run = 0;
  uint64_t rss_kb = 0, pss_kb = 0, anon_kb = 0, hwm_kb = 0, ctx_vol = 0, ctx_invol = 0;
};

std::vector<Usage> usage(const std::vector<std::pair<string, Snapshot>>& a,
                         const std::vector<std::pair<string, Snapshot>>& b) {
  std::vector<Usage> out;
  for (size_t i = 0; i < b.size(); i++) {
    std::map<string, Usage> by;
    for (auto& [pid, s] : b[i].second) {
      string label = cfg.watches[i].tree ? b[i].first + "/" + s.comm : b[i].first;
      Usage& u = by[label];
      ProcSample z;
      auto it = a[i].second.find(pid);
      if (it != a[i].second.end()) z = it->second;
      u.label = label;
      u.procs++;
      u.threads += s.threads;
      u.user += s.user - z.user;
      u.sys += s.sys - z.sys;
      // a thread that ended in the window took its precise time along: fall back on the ticks
      u.run += s.threads >= z.threads ? s.run - z.run : s.user + s.sys - z.user - z.sys;
      u.rss_kb += s.rss_kb;
      u.pss_kb += s.pss_kb;
      u.anon_kb += s.anon_kb;
      u.hwm_kb += s.hwm_kb;
      u.ctx_vol += s.ctx_vol - std::min(s.ctx_vol, z.ctx_vol);
      u.ctx_invol += s.ctx_invol - std::min(s.ctx_invol, z.ctx_invol);
    }
    for (auto& [k, u] : by) out.push_back(u);
  }
  return out;
}

double self_cpu() {
  rusage r;
  getrusage(RUSAGE_SELF, &r);
  return double(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         double(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

// ---------------------------------------------------------------- command line

const char* kHelp = R"(usage: authload --socket PATH [options]

what to speak
  --protocol dovecot|saslauthd   default dovecot
  --mech PLAIN|LOGIN|CRAM-MD5|SCRAM-SHA-1|SCRAM-SHA-256
  --no-ir                 no initial response in AUTH (one round trip more)
  --no-final-resp-ok      SCRAM: take the server-final in a CONT of its own (one round trip more)
  --service NAME          default smtp       --realm R   saslauthd's realm (default: part after @)
  --param TEXT            one more AUTH parameter; --no-params drops nologin, no-penalty, secured
how much
  --connections N         default 1          --inflight K   exchanges at a time on each (default 1)
  --duration S            default 5          --count C      instead: this many exchanges
  --warmup S              default 0.5, not measured
  --prime                 first authenticate each user once, not measured (fills caches)
  --rate R                open loop: R exchanges/s, latency from when each was due
  --threads T             default 1
whom
  --users U               default 10000      --dist uniform|seq|zipf[:s]
  --user-format T         default user{i}@example.test
  --pass-format T         default pass-{i}
  --bad F --unknown F     fractions (0..1) with a wrong password, of users that do not exist
  --fail-slots hold|free  free: an exchange that must fail does not hold its place while the server
                          delays its FAIL (default hold)
  --max-detached N        at most so many such on a connection (default 20000)
  --cache-file F          keep SCRAM SaltedPasswords from run to run
  --seed N
idle connections
  --idle --hold S         connect N, hold them S seconds, report the server's memory
measuring the server
  --watch [LABEL=]PID     CPU and memory of a process   --watch-tree [LABEL=]PID   and descendants
reports
  --json FILE|-           --label TEXT       --quiet    --trace
limits
  --timeout S             an exchange, default 30       --drain S   for the last replies, default 60

exit status: 0 fine, 1 some exchange went wrong, 2 usage or no connection.
)";

void parse(int argc, char** argv) {
  auto need = [&](int& i) -> string {
    if (i + 1 >= argc) die(string(argv[i]) + " needs a value");
    return argv[++i];
  };
  auto num = [&](int& i) {
    string a = argv[i], v = need(i);
    char* end;
    double d = strtod(v.c_str(), &end);
    if (*end || end == v.c_str() || !(d >= 0)) die(a + ": not a number: " + v);
    return d;
  };
  for (int i = 1; i < argc; i++) {
    string a = argv[i];
    if (a == "--help" || a == "-h") {
      fputs(kHelp, stdout);
      exit(0);
    } else if (a == "--protocol") {
      string v = need(i);
      if (v == "dovecot")
        cfg.proto = Proto::Dovecot;
      else if (v == "saslauthd")
        cfg.proto = Proto::Saslauthd;
      else
        die("unknown protocol " + v);
    } else if (a == "--socket") {
      cfg.socket = need(i);
    } else if (a == "--mech") {
      cfg.mech_name = need(i);
      static const std::map<string, Mech> m{{"PLAIN", Mech::Plain},
                                            {"LOGIN", Mech::Login},
                                            {"CRAM-MD5", Mech::CramMd5},
                                            {"SCRAM-SHA-1", Mech::ScramSha1},
                                            {"SCRAM-SHA-256", Mech::ScramSha256}};
      auto it = m.find(cfg.mech_name);
      if (it == m.end()) die("unknown mechanism " + cfg.mech_name);
      cfg.mech = it->second;
    } else if (a == "--no-ir") {
      cfg.initial_response = false;
    } else if (a == "--no-final-resp-ok") {
      cfg.final_resp_ok = false;
    } else if (a == "--service") {
      cfg.service = need(i);
    } else if (a == "--realm") {
      cfg.realm = need(i);
    } else if (a == "--param") {
      cfg.params.push_back(need(i));
    } else if (a == "--no-params") {
      cfg.params.clear();
    } else if (a == "--connections" || a == "-c") {
      cfg.connections = unsigned(num(i));
    } else if (a == "--inflight" || a == "-k") {
      cfg.inflight = unsigned(num(i));
    } else if (a == "--threads") {
      cfg.threads = unsigned(num(i));
    } else if (a == "--count") {
      cfg.count = uint64_t(num(i));
    } else if (a == "--duration") {
      cfg.duration = num(i);
    } else if (a == "--warmup") {
      cfg.warmup = num(i);
    } else if (a == "--prime") {
      cfg.prime = true;
    } else if (a == "--rate") {
      cfg.rate = num(i);
    } else if (a == "--users") {
      cfg.users = uint64_t(num(i));
    } else if (a == "--dist") {
      string v = need(i);
      if (v == "uniform")
        cfg.dist = Dist::Uniform;
      else if (v == "seq")
        cfg.dist = Dist::Sequential;
      else if (v.starts_with("zipf")) {
        cfg.dist = Dist::Zipf;
        if (v.size() > 5) cfg.zipf = atof(v.c_str() + 5);
      } else
        die("unknown distribution " + v);
    } else if (a == "--user-format") {
      cfg.user = Template(need(i));
    } else if (a == "--pass-format") {
      cfg.pass = Template(need(i));
    } else if (a == "--bad") {
      cfg.bad = num(i);
    } else if (a == "--unknown") {
      cfg.unknown = num(i);
    } else if (a == "--fail-slots") {
      string v = need(i);
      if (v != "hold" && v != "free") die("--fail-slots hold|free");
      cfg.free_fail_slots = v == "free";
    } else if (a == "--max-detached") {
      cfg.max_detached = std::min(60000u, unsigned(num(i)));
    } else if (a == "--cache-file") {
      cfg.cache_file = need(i);
    } else if (a == "--seed") {
      cfg.seed = uint64_t(num(i));
    } else if (a == "--idle") {
      cfg.idle = true;
    } else if (a == "--hold") {
      cfg.hold = num(i);
    } else if (a == "--watch" || a == "--watch-tree") {
      string v = need(i);
      Watch w;
      size_t eq = v.find('=');
      w.label = eq == string::npos ? v : v.substr(0, eq);
      w.pid = pid_t(atol(v.c_str() + (eq == string::npos ? 0 : eq + 1)));
      w.tree = a == "--watch-tree";
      if (w.pid <= 0) die(a + ": not a process id: " + v);
      cfg.watches.push_back(w);
    } else if (a == "--json") {
      cfg.json = need(i);
    } else if (a == "--label") {
      cfg.label = need(i);
    } else if (a == "--quiet") {
      cfg.quiet = true;
    } else if (a == "--trace") {
      cfg.trace = true;
    } else if (a == "--timeout") {
      cfg.timeout = num(i);
    } else if (a == "--drain") {
      cfg.drain = num(i);
    } else {
      die("unknown option " + a + " (see --help)");
    }
  }
  if (cfg.socket.empty()) die("--socket is needed (see --help)");
  if (!cfg.users || !cfg.connections || !cfg.inflight || !cfg.threads)
    die("users, connections, inflight and threads must be at least 1");
  if (cfg.inflight > 32768) die("at most 32768 exchanges in flight on a connection");
  if (cfg.inflight + cfg.max_detached > 65000) cfg.max_detached = 65000 - cfg.inflight;
  cfg.threads = std::min(cfg.threads, cfg.connections);
  if (cfg.bad + cfg.unknown > 1) die("--bad and --unknown together are at most 1");
  if (cfg.proto == Proto::Saslauthd && cfg.mech != Mech::Plain)
    die("saslauthd only checks plain passwords");
  if (cfg.proto == Proto::Saslauthd && cfg.idle) die("--idle is for the dovecot protocol");
}

void sleep_until(uint64_t t) {
  while (!interrupted) {
    uint64_t n = now_ns();
    if (n >= t) return;
    usleep(useconds_t(std::min<uint64_t>((t - n) / 1000 + 1, 20'000)));
  }
}

string usage_json(const Usage& u, double per) {
  char b[600];
  snprintf(
      b, sizeof b,
      "{\"label\":\"%s\",\"procs\":%u,\"threads\":%u,\"cpu_s\":%.6f,\"cpu_user_s\":%.2f,"
      "\"cpu_sys_s\":%.2f,\"cpu_us_per_exchange\":%.3f,\"ctx_voluntary\":%llu,"
      "\"ctx_involuntary\":%llu,\"rss_kb\":%llu,\"pss_kb\":%llu,\"anon_kb\":%llu,\"hwm_kb\":%llu}",
      json_escape(u.label).c_str(), u.procs, u.threads, u.run, u.user, u.sys,
      per > 0 ? u.run / per * 1e6 : 0, static_cast<unsigned long long>(u.ctx_vol),
      static_cast<unsigned long long>(u.ctx_invol), static_cast<unsigned long long>(u.rss_kb),
      static_cast<unsigned long long>(u.pss_kb), static_cast<unsigned long long>(u.anon_kb),
      static_cast<unsigned long long>(u.hwm_kb));
  return b;
}

void write_json(const string& text) {
  if (cfg.json == "-") {
    puts(text.c_str());
  } else if (!cfg.json.empty()) {
    std::ofstream f(cfg.json);
    f << text << '\n';
    if (!f) die("cannot write " + cfg.json);
  }
}

int run_idle(std::vector<std::unique_ptr<Worker>>& workers, std::vector<std::thread>& threads,
             const std::vector<std::pair<string, Snapshot>>& before, uint64_t t0) {
  uint64_t limit = now_ns() + 120 * kNsPerSec;
  while (connected.load() + connect_gave_up.load() < cfg.connections && now_ns() < limit &&
         !interrupted)
    usleep(2000);
  double connect_s = double(now_ns() - t0) / 1e9;
  auto full = snapshot(true);
  unsigned at_start = connected.load();
  sleep_until(now_ns() + uint64_t(cfg.hold * 1e9));
  auto after = snapshot(true);
  unsigned alive = connected.load();
  phase = Phase::Stop;
  for (auto& t : threads) t.join();
  Stats st;
  for (auto& w : workers) st.merge(w->stats);
  string j = "{\"mode\":\"idle\",\"label\":\"" + json_escape(cfg.label) + "\",";
  char b[300];
  snprintf(b, sizeof b,
           "\"connections\":%u,\"connected\":%u,\"alive_after_hold\":%u,\"connect_s\":%.3f,\"hold_"
           "s\":%.1f,\"watch\":[",
           cfg.connections, at_start, alive, connect_s, cfg.hold);
  j += b;
  auto u0 = usage(before, before), u1 = usage(before, full), u2 = usage(full, after);
  if (!cfg.quiet)
    printf("idle: %u of %u connections in %.3f s, %u alive after %.1f s\n", at_start,
           cfg.connections, connect_s, alive, cfg.hold);
  bool first = true;
  for (auto& u : u2) {
    uint64_t b0 = 0, p0 = 0;
    for (auto& z : u0)
      if (z.label == u.label) b0 = z.anon_kb, p0 = z.rss_kb;
    double per = at_start ? double(int64_t(u.anon_kb) - int64_t(b0)) * 1024 / at_start : 0;
    double conn_cpu = 0;
    for (auto& z : u1)
      if (z.label == u.label) conn_cpu = z.run;
    snprintf(b, sizeof b,
             "%s{\"label\":\"%s\",\"procs\":%u,\"rss_kb_before\":%llu,\"rss_kb\":%llu,\"anon_kb_"
             "before\":%llu,"
             "\"anon_kb\":%llu,\"bytes_per_connection\":%.0f,",
             first ? "" : ",", json_escape(u.label).c_str(), u.procs,
             static_cast<unsigned long long>(p0), static_cast<unsigned long long>(u.rss_kb),
             static_cast<unsigned long long>(b0), static_cast<unsigned long long>(u.anon_kb), per);
    j += b;
    snprintf(b, sizeof b, "\"cpu_s_connecting\":%.6f,\"cpu_s_held\":%.6f}", conn_cpu, u.run);
    j += b;
    first = false;
    if (!cfg.quiet)
      printf(
          "  %-24s procs %u  RSS %llu -> %llu KiB  anon %llu -> %llu KiB  %.0f B/connection  "
          "CPU connecting %.3f s, held %.4f s\n",
          u.label.c_str(), u.procs, static_cast<unsigned long long>(p0),
          static_cast<unsigned long long>(u.rss_kb), static_cast<unsigned long long>(b0),
          static_cast<unsigned long long>(u.anon_kb), per, conn_cpu, u.run);
  }
  j += "],\"errors\":{";
  first = true;
  for (auto& [k, v] : st.errors.kinds) {
    j += (first ? "\"" : ",\"") + json_escape(k) + "\":" + std::to_string(v);
    first = false;
    if (!cfg.quiet) printf("  error: %s: %llu\n", k.c_str(), static_cast<unsigned long long>(v));
  }
  j += "}}";
  write_json(j);
  return alive == cfg.connections ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  parse(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, [](int) { interrupted = 1; });
  signal(SIGTERM, [](int) { interrupted = 1; });
  rlimit rl{};
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  if (cfg.connections + 64 > rl.rlim_cur)
    die("too many connections for this process's limit of open files (" +
        std::to_string(rl.rlim_cur) + ")");

  if (cfg.mech == Mech::ScramSha1) cache_sha1 = std::make_unique<ScramCache<Sha1>>(cfg.users);
  if (cfg.mech == Mech::ScramSha256) cache_sha256 = std::make_unique<ScramCache<Sha256>>(cfg.users);
  if (!cfg.cache_file.empty()) {
    if (cache_sha1) cache_sha1->load(cfg.cache_file, cfg.mech_name);
    if (cache_sha256) cache_sha256->load(cfg.cache_file, cfg.mech_name);
  }
  if (cfg.dist == Dist::Zipf) {
    double sum = 0;
    zipf_cdf.resize(cfg.users);
    for (uint64_t i = 0; i < cfg.users; i++)
      zipf_cdf[i] = sum += 1 / std::pow(double(i + 1), cfg.zipf);
    for (auto& v : zipf_cdf) v /= sum;
  }

  auto before = snapshot(true);
  uint64_t t0 = now_ns();
  phase = cfg.prime ? Phase::Prime : Phase::Warmup;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < cfg.threads; i++) {
    if (cfg.proto == Proto::Dovecot)
      workers.push_back(std::make_unique<DovecotWorker>(i));
    else
      workers.push_back(std::make_unique<SaslauthdWorker>(i));
    threads.emplace_back([w = workers.back().get()] { w->run(); });
  }
  if (cfg.idle) return run_idle(workers, threads, before, t0);

  auto stop_all = [&] {
    phase = Phase::Stop;
    for (auto& t : threads) t.join();
  };
  uint64_t limit = now_ns() + 60 * kNsPerSec;
  while (connected.load() < cfg.connections) {
    if (connect_gave_up.load() || now_ns() > limit || interrupted) {
      unsigned got = connected.load();
      stop_all();
      Stats st;
      for (auto& w : workers) st.merge(w->stats);
      for (auto& [k, v] : st.errors.kinds)
        fprintf(stderr, "authload: %s: %llu\n", k.c_str(), static_cast<unsigned long long>(v));
      die("only " + std::to_string(got) + " of " + std::to_string(cfg.connections) +
          " connections came up");
    }
    usleep(500);
  }
  double connect_s = double(now_ns() - t0) / 1e9;
  if (cfg.prime) {
    while (prime_done.load() < cfg.users && !interrupted) usleep(1000);
    sequence = 0;
    phase = Phase::Warmup;
  }
  if (cfg.warmup > 0) sleep_until(now_ns() + uint64_t(cfg.warmup * 1e9));

  auto snap_a = snapshot(false);
  double cpu_a = self_cpu();
  uint64_t start = now_ns();
  count_left = int64_t(cfg.count);
  phase = Phase::Measure;
  if (cfg.count) {
    while (count_done.load(std::memory_order_relaxed) < cfg.count && !interrupted) usleep(500);
  } else {
    sleep_until(start + uint64_t(cfg.duration * 1e9));
  }
  uint64_t end = now_ns();
  phase = Phase::Drain;
  double cpu_b = self_cpu();
  auto snap_b = snapshot(true);
  double window = double(end - start) / 1e9;

  // Let what is in flight finish: the server may delay its failures. Lost ones end at --timeout.
  uint64_t drain_end = now_ns() + uint64_t(cfg.drain * 1e9);
  auto in_flight = [&] {
    int64_t n = 0;
    for (auto& w : workers) n += w->outstanding();
    return n;
  };
  while (in_flight() > 0 && now_ns() < drain_end && !interrupted) usleep(1000);
  int64_t unanswered = in_flight();
  stop_all();

  Stats st;
  for (auto& w : workers) st.merge(w->stats);
  uint64_t errors = 0;
  for (auto& [k, v] : st.errors.kinds) errors += v;
  double done = double(st.window_done);
  double rate = window > 0 ? done / window : 0;
  auto use = usage(snap_a, snap_b);
  double server_cpu = 0;
  for (auto& u : use) server_cpu += u.run;

  if (cache_sha1 && !cfg.cache_file.empty() && st.pbkdf2)
    cache_sha1->save(cfg.cache_file, cfg.mech_name);
  if (cache_sha256 && !cfg.cache_file.empty() && st.pbkdf2)
    cache_sha256->save(cfg.cache_file, cfg.mech_name);

  std::ostringstream j;
  j.setf(std::ios::fixed);
  j.precision(6);
  j << "{\"mode\":\"load\",\"label\":\"" << json_escape(cfg.label) << "\",\"protocol\":\""
    << (cfg.proto == Proto::Dovecot ? "dovecot" : "saslauthd") << "\",\"mech\":\"" << cfg.mech_name
    << "\",\"connections\":" << cfg.connections << ",\"inflight\":" << cfg.inflight
    << ",\"threads\":" << cfg.threads << ",\"users\":" << cfg.users << ",\"bad\":" << cfg.bad
    << ",\"unknown\":" << cfg.unknown << ",\"rate_asked\":" << cfg.rate
    << ",\"connect_s\":" << connect_s << ",\"window_s\":" << window
    << ",\"completed\":" << st.window_done << ",\"exchanges_per_s\":" << rate
    << ",\"ok\":" << st.ok.json() << ",\"fail\":" << st.fail.json()
    << ",\"total\":{\"issued\":" << st.issued << ",\"ok\":" << st.total_ok
    << ",\"fail\":" << st.total_fail << ",\"errors\":" << errors << ",\"unanswered\":" << unanswered
    << ",\"pbkdf2\":" << st.pbkdf2 << ",\"bytes_in\":" << st.bytes_in
    << ",\"bytes_out\":" << st.bytes_out
    << "},\"client_cpu_us_per_exchange\":" << (done ? (cpu_b - cpu_a) / done * 1e6 : 0)
    << ",\"server_cpu_us_per_exchange\":" << (done ? server_cpu / done * 1e6 : 0) << ",\"watch\":[";
  for (size_t i = 0; i < use.size(); i++) j << (i ? "," : "") << usage_json(use[i], done);
  j << "],\"errors\":{";
  bool first = true;
  for (auto& [k, v] : st.errors.kinds) {
    j << (first ? "\"" : ",\"") << json_escape(k) << "\":" << v;
    first = false;
  }
  j << "},\"error_samples\":{";
  first = true;
  for (auto& [k, v] : st.errors.sample) {
    j << (first ? "\"" : ",\"") << json_escape(k) << "\":\"" << json_escape(v) << "\"";
    first = false;
  }
  j << "}}";
  write_json(j.str());

  if (!cfg.quiet && cfg.json != "-") {
    printf("%s %s, %u connections x %u in flight, %llu users: %.0f exchanges/s over %.2f s\n",
           cfg.proto == Proto::Dovecot ? "dovecot" : "saslauthd", cfg.mech_name.c_str(),
           cfg.connections, cfg.inflight, static_cast<unsigned long long>(cfg.users), rate, window);
    auto line = [](const char* n, const Histogram& h) {
      if (h.count())
        printf("  %-5s %9llu   p50 %.0f  p90 %.0f  p99 %.0f  p99.9 %.0f  max %.0f us\n", n,
               static_cast<unsigned long long>(h.count()), h.quantile_us(.5), h.quantile_us(.9),
               h.quantile_us(.99), h.quantile_us(.999), h.max_us());
    };
    line("OK", st.ok);
    line("FAIL", st.fail);
    printf("  generator CPU %.2f us/exchange", done ? (cpu_b - cpu_a) / done * 1e6 : 0.0);
    if (st.pbkdf2)
      printf(" (%llu SaltedPasswords derived)", static_cast<unsigned long long>(st.pbkdf2));
    printf("\n");
    for (auto& u : use)
      if (u.run > 0.0005 || u.procs == 1)
        printf(
            "  %-24s procs %u threads %u  CPU %.3f s = %.2f us/exchange (user %.2f sys %.2f)  RSS "
            "%llu KiB\n",
            u.label.c_str(), u.procs, u.threads, u.run, done ? u.run / done * 1e6 : 0.0, u.user,
            u.sys, static_cast<unsigned long long>(u.rss_kb));
    if (!use.empty())
      printf("  server CPU in all: %.2f us/exchange\n", done ? server_cpu / done * 1e6 : 0.0);
    if (unanswered)
      printf("  unanswered when the drain ended: %lld\n", static_cast<long long>(unanswered));
    for (auto& [k, v] : st.errors.kinds) {
      printf("  error: %s: %llu", k.c_str(), static_cast<unsigned long long>(v));
      if (st.errors.sample.count(k)) printf("   e.g. %s", st.errors.sample[k].c_str());
      printf("\n");
    }
  }
  return errors || unanswered || interrupted ? 1 : 0;
}
