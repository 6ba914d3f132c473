#include "server/auth/login_counts.h"

#include "server/sasl/registry.h"

namespace sasld {

Trouble TroubleOf(const absl::Status& why) {
  switch (why.code()) {
    case absl::StatusCode::kResourceExhausted:
      return Trouble::kQueueFull;
    case absl::StatusCode::kDeadlineExceeded:
      return Trouble::kTooLate;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return Trouble::kStore;
    default:
      return Trouble::kInternal;
  }
}

LoginCounts::LoginCounts() : by_mechanism_(AllMechanisms().size() + 1) {}

std::string_view LoginCounts::MechanismName(size_t index) {
  return index < AllMechanisms().size() ? AllMechanisms()[index].name : "unknown";
}

void LoginCounts::Count(std::string_view mechanism, LoginResult result) {
  size_t index = 0;
  while (index < by_mechanism_.size() - 1 && MechanismName(index) != mechanism) ++index;
  by_mechanism_[index][static_cast<size_t>(result)].Add();
}

void LoginCounts::Granted(std::string_view mechanism) { Count(mechanism, LoginResult::kGranted); }

void LoginCounts::Refused(std::string_view mechanism, Reason reason) {
  Count(mechanism, LoginResult::kRefused);
  by_reason_[static_cast<size_t>(reason)].Add();
}

void LoginCounts::HeldBack(std::string_view mechanism, Reason reason) {
  Count(mechanism, LoginResult::kTemporary);
  by_reason_[static_cast<size_t>(reason)].Add();
}

void LoginCounts::Undecided(std::string_view mechanism, Trouble trouble) {
  Count(mechanism, LoginResult::kTemporary);
  by_trouble_[static_cast<size_t>(trouble)].Add();
}

uint64_t LoginCounts::Of(size_t mechanism, LoginResult result) const {
  return by_mechanism_[mechanism][static_cast<size_t>(result)].value();
}

uint64_t LoginCounts::Total(LoginResult result) const {
  uint64_t total = 0;
  for (size_t index = 0; index < by_mechanism_.size(); ++index) total += Of(index, result);
  return total;
}

uint64_t LoginCounts::Of(Reason reason) const {
  return by_reason_[static_cast<size_t>(reason)].value();
}

uint64_t LoginCounts::Of(Trouble trouble) const {
  return by_trouble_[static_cast<size_t>(trouble)].value();
}

}  // namespace sasld
