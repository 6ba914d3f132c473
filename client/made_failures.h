// Why the step client got no answer from any sasld: the texts of the temporary failures that it
// makes itself.
#pragma once

#include <string_view>

namespace sasld {

inline constexpr std::string_view kNoServerText = "no sasld could be reached";
inline constexpr std::string_view kNoAnswerText = "no answer from sasld in time";
inline constexpr std::string_view kBrokenTooOftenText = "the stream broke too often";
inline constexpr std::string_view kTooManyStepsText = "too many steps under way";

}  // namespace sasld
