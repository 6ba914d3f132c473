// Between the contract's messages and the exchange's values. No decisions but the limits of the
// contract.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "sasld/v1/sasl.pb.h"
#include "server/auth/account_lookups.h"
#include "server/auth/exchange.h"

namespace sasld {

// Limits of sasl.proto, checked before anything is done with a request.
inline constexpr int kMaxStepsPerBatch = 4096;
inline constexpr size_t kMaxResponseBytes = 16384;
inline constexpr size_t kMaxStateBytes = 8192;
inline constexpr size_t kMaxMechanismNameBytes = 20;  // RFC 4422 section 3.1
inline constexpr size_t kMaxFactBytes = 64;
inline constexpr size_t kMaxCertificateTextBytes = 255;
inline constexpr int kMaxCertificateEmails = 16;
inline constexpr size_t kMaxBindingBytes = 1024;
inline constexpr int kMaxBindings = 8;

// The first rule of the contract that `request` breaks, or nothing.
std::optional<std::string_view> BrokenLimit(const v1::StepRequest& request);

// Takes the strings out of `request` and wipes the response there. A `deadline` that lies beyond
// the server's own patience is cut down to it.
StepInput TakeStepInput(v1::StepRequest& request, absl::Time received, absl::Time deadline);

ConnectionFacts FactsOf(const v1::ConnectionFacts& facts);

void FillReply(StepResult result, v1::StepReply& reply);
// Answers a question about accounts. `lookups` may be null, which forbids them.
void FillAnswer(const v1::AccountQuestion& question, const AccountLookups* lookups, absl::Time now,
                v1::StepReply& reply);
void FillMechanisms(const std::vector<const RegisteredMechanism*>& mechanisms,
                    v1::ListMechanismsReply& reply);

// How long a step may take if its caller says nothing.
inline constexpr absl::Duration kDefaultBudget = absl::Seconds(4);
inline constexpr absl::Duration kMaxBudget = absl::Seconds(30);

}  // namespace sasld
