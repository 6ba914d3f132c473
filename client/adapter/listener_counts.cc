#include "client/adapter/listener_counts.h"

#include "client/made_failures.h"

namespace sasld {
namespace {

ListenerCounts::Temporary ReasonOf(std::string_view text) {
  using Temporary = ListenerCounts::Temporary;
  if (text == kNoServerText) return Temporary::kNoServer;
  if (text == kNoAnswerText) return Temporary::kNoAnswer;
  if (text == kBrokenTooOftenText) return Temporary::kBrokenTooOften;
  if (text == kTooManyStepsText) return Temporary::kTooManySteps;
  return Temporary::kServer;
}

}  // namespace

std::string_view ListenerCounts::NameOf(Temporary reason) {
  switch (reason) {
    case Temporary::kServer:
      return "sasld";
    case Temporary::kNoServer:
      return "no-server";
    case Temporary::kNoAnswer:
      return "no-answer";
    case Temporary::kBrokenTooOften:
      return "broken-stream";
    case Temporary::kTooManySteps:
      return "too-many-steps";
  }
  return "sasld";
}

void ListenerCounts::Count(const v1::StepReply& reply) {
  switch (reply.outcome_case()) {
    case v1::StepReply::kSuccess:
      return granted.Add();
    case v1::StepReply::kFailure:
      return refused.Add();
    case v1::StepReply::kTemporary:
      return temporary[static_cast<size_t>(ReasonOf(reply.temporary().text()))].Add();
    case v1::StepReply::kAccount:
      return lookups.Add();
    case v1::StepReply::kChallenge:
      return;  // the exchange goes on
    case v1::StepReply::OUTCOME_NOT_SET:
      return temporary[static_cast<size_t>(Temporary::kServer)].Add();
  }
}

}  // namespace sasld
