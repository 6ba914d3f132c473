#include "client/adapter/dovecot_logins.h"

namespace sasld {
namespace {

// In a time that does not tell how much of it was right.
bool IsSame(const DovecotCookie& one, const DovecotCookie& other) {
  unsigned difference = 0;
  for (size_t i = 0; i < one.size(); ++i) difference |= unsigned{one[i]} ^ other[i];
  return difference == 0;
}

}  // namespace

void DovecotLogins::Join(uint32_t cpid, const DovecotCookie& cookie, DovecotLoginSource& source) {
  joined_.emplace(cpid, Joined{cookie, &source});
}

void DovecotLogins::Leave(uint32_t cpid, const DovecotLoginSource& source) {
  auto [one, end] = joined_.equal_range(cpid);
  for (; one != end; ++one) {
    if (one->second.source != &source) continue;
    joined_.erase(one);
    return;
  }
}

std::optional<DovecotLogin> DovecotLogins::Claim(uint32_t cpid, uint32_t id,
                                                 const DovecotCookie& cookie) {
  auto [one, end] = joined_.equal_range(cpid);
  for (; one != end; ++one) {
    if (IsSame(one->second.cookie, cookie)) return one->second.source->TakeLogin(id);
  }
  return std::nullopt;
}

}  // namespace sasld
