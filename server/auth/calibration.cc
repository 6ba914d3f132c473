#include "server/auth/calibration.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

constexpr std::string_view kLaneSource = "calibration";
constexpr uint32_t kKibPerMib = 1024;
// OWASP's Password Storage Cheat Sheet: the least in two passes and in one.
constexpr uint32_t kTwoPassesMib = 19;
constexpr uint32_t kOnePassMib = 46;
constexpr uint32_t kMostPasses = 10;

constexpr size_t kHashesEach = 5;  // the median of which counts
constexpr absl::Duration kLeastTarget = absl::Milliseconds(1);
constexpr absl::Duration kMostTarget = absl::Seconds(1);
// A stop of sasld need not wait for longer than this, and neither does an administrator.
constexpr absl::Duration kPatience = absl::Seconds(8);

// 19, 24, 32, 46, 64, 96, 128, …: half as much again, at least.
constexpr uint32_t kLadderMib[] = {19,  24,  32,  46,   64,   96,   128,  192, 256,
                                   384, 512, 768, 1024, 1536, 2048, 3072, 4096};

Argon2idCost CostOf(uint32_t memory_mib) {
  return {memory_mib * kKibPerMib, memory_mib < kOnePassMib ? 2u : 1u, 1};
}

}  // namespace

std::vector<Argon2idCost> CostsToMeasure(size_t most_memory) {
  const size_t most_mib = most_memory >> 20;
  std::vector<Argon2idCost> costs;
  for (const uint32_t memory_mib : kLadderMib) {
    if (memory_mib > most_mib) break;
    // 46 MiB in one pass is quicker than 24 or 32 in two, and no weaker.
    if (memory_mib > kTwoPassesMib && memory_mib < kOnePassMib && most_mib >= kOnePassMib) continue;
    costs.push_back(CostOf(memory_mib));
  }
  if (costs.empty()) return costs;
  Argon2idCost more = costs.back();
  while (more.iterations < kMostPasses) {
    ++more.iterations;
    costs.push_back(more);
  }
  return costs;
}

absl::StatusOr<size_t> Calibration::MostMemory(const Question& question) const {
  constexpr size_t kLeast = size_t{kTwoPassesMib} << 20;
  if (question.most_memory == 0) {
    return std::min(budget_.memory, std::max(kLeast, budget_.memory / budget_.threads));
  }
  if (question.most_memory > budget_.memory) {
    return absl::InvalidArgumentError(
        absl::StrCat("memory: a hash may take no more than all of them, ", budget_.memory >> 20,
                     " MiB ([hashing] memory_mib)"));
  }
  return question.most_memory;
}

absl::StatusOr<CalibrationResult> Calibration::Run(const Question& question,
                                                   absl::FunctionRef<bool()> gone) {
  if (question.target < kLeastTarget || question.target > kMostTarget) {
    return absl::InvalidArgumentError("target: 1ms to 1s");
  }
  ASSIGN_OR_RETURN(const size_t most_memory, MostMemory(question));
  const std::vector<Argon2idCost> costs = CostsToMeasure(most_memory);
  if (costs.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("memory: a hash needs ", kTwoPassesMib, " MiB at least to be safe"));
  }
  if (under_way_.exchange(true)) {
    return absl::ResourceExhaustedError("another calibration is under way");
  }
  const absl::Cleanup over = [this] { under_way_ = false; };

  CalibrationResult result;
  const absl::Time end = clock_() + kPatience;
  for (const Argon2idCost& cost : costs) {
    ASSIGN_OR_RETURN(MeasuredCost measured, Measure(cost, question.target, end, gone));
    const bool too_slow = measured.median > question.target;
    // The first is proposed however long it takes: nothing cheaper is safe.
    if (!too_slow) result.proposed = result.measured.size();
    result.measured.push_back(std::move(measured));
    // The next one may take twice as long.
    const absl::Duration next = 2 * kHashesEach * result.measured.back().median;
    if (too_slow || clock_() + next > end) break;
  }
  return result;
}

absl::StatusOr<MeasuredCost> Calibration::Measure(const Argon2idCost& cost, absl::Duration target,
                                                  absl::Time end, absl::FunctionRef<bool()> gone) {
  std::vector<absl::Duration> times;
  while (times.size() < kHashesEach) {
    if (gone()) return absl::CancelledError("nobody waits for the calibration any more");
    ASSIGN_OR_RETURN(const absl::Duration time, HashOnLane(cost));
    times.push_back(time);
    // Hopeless, as on a slow machine whose first cost is beyond the target already; one slow hash
    // alone may be an accident. Or the lane is so full of logins that each waits long for its turn.
    const bool hopeless =
        times.size() >= 3 && *std::min_element(times.begin(), times.end()) > 4 * target;
    if (hopeless || clock_() > end) break;
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  const size_t threads = budget_.ThreadsFor(cost);
  return MeasuredCost{
      cost, *middle, threads,
      static_cast<double>(threads) / std::max(1e-6, absl::ToDoubleSeconds(*middle))};
}

absl::StatusOr<absl::Duration> Calibration::HashOnLane(const Argon2idCost& cost) {
  absl::StatusOr<absl::Duration> time = absl::InternalError("not measured");
  RETURN_IF_ERROR(lane_.Run(kLaneSource, [&] {
    time = hasher_.Measure(cost, clock_);
    return time.status();
  }));
  return time;
}

}  // namespace sasld
