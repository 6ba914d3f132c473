#include "client/adapter/mechanism_cache.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <utility>

#include "client/adapter/mechanism_text.h"
#include "proto/common/file_advice.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

std::string AsText(const v1::ListMechanismsReply& mechanisms) {
  std::string text;
  for (const v1::MechanismInfo& mechanism : mechanisms.mechanisms()) {
    AppendMechanism(mechanism, ' ', text);
    text += '\n';
  }
  return text;
}

absl::Status NotWritten(const std::string& what, const std::string& path) {
  const int error = errno;
  return absl::UnavailableError("mechanisms.state_file: " + what + " " + path + ": " +
                                WhyNotMade(path, error));
}

}  // namespace

MechanismCache::MechanismCache(v1::ListMechanismsReply fallback, std::string state_file)
    : state_file_(std::move(state_file)), current_(std::move(fallback)) {}

absl::Status MechanismCache::Load() {
  if (state_file_.empty()) return absl::NotFoundError("no state file is configured");
  std::ifstream file(state_file_);
  if (!file) {
    if (errno == ENOENT) return absl::NotFoundError(state_file_ + " does not exist yet");

    const int error = errno;
    return absl::UnavailableError("mechanisms.state_file: cannot read " + state_file_ + ": " +
                                  WhyNotRead(state_file_, error));
  }
  v1::ListMechanismsReply mechanisms;
  for (std::string line; std::getline(file, line);) {
    absl::StatusOr<v1::MechanismInfo> mechanism = ParseMechanism(line);
    if (!mechanism.ok()) {
      return absl::InvalidArgumentError(state_file_ + ": " +
                                        std::string(mechanism.status().message()));
    }
    *mechanisms.add_mechanisms() = *std::move(mechanism);
  }
  if (!OffersAny(mechanisms))
    return absl::InvalidArgumentError(state_file_ + " offers no mechanism");
  known_ = AsText(mechanisms);
  current_ = std::move(mechanisms);
  return absl::OkStatus();
}

absl::Status MechanismCache::Learn(const v1::ListMechanismsReply& mechanisms) {
  if (!OffersAny(mechanisms)) {
    return absl::FailedPreconditionError(
        "sasld offers no mechanism; greeting with those known before. See [mechanisms] enabled in "
        "its "
        "configuration");
  }
  std::string text = AsText(mechanisms);
  if (text == known_) return absl::OkStatus();
  known_ = std::move(text);
  current_ = mechanisms;
  return state_file_.empty() ? absl::OkStatus() : Save();
}

// Beside it and then renamed, so that there is never half a list.
absl::Status MechanismCache::Save() const {
  std::string next = state_file_ + ".new";
  errno = 0;
  std::ofstream file(next, std::ios::trunc);
  file << known_;
  file.close();
  if (!file) return NotWritten("cannot write", next);
  if (std::rename(next.c_str(), state_file_.c_str()) != 0)
    return NotWritten("cannot replace", state_file_);
  return absl::OkStatus();
}

}  // namespace sasld
