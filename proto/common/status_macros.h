// RETURN_IF_ERROR and ASSIGN_OR_RETURN for absl::Status; Debian 12's Abseil ships none.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define SASLD_CONCAT_INNER(a, b) a##b
#define SASLD_CONCAT(a, b) SASLD_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                                                        \
  do {                                                                                     \
    if (absl::Status sasld_status = (expression); !sasld_status.ok()) return sasld_status; \
  } while (false)

#define ASSIGN_OR_RETURN(target, expression) \
  ASSIGN_OR_RETURN_INNER(SASLD_CONCAT(sasld_or_, __LINE__), target, expression)
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define ASSIGN_OR_RETURN_INNER(holder, target, expression) \
  auto holder = (expression);                              \
  if (!holder.ok()) return std::move(holder).status();     \
  target = *std::move(holder)
// NOLINTEND(bugprone-macro-parentheses)
