// The client's side of the mechanisms that `auth test` can play.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/saslctl/password.h"

namespace sasld::saslctl {

// One exchange. Errors are Internal and mean that the server's message is not one of this
// mechanism, or proves that the server does not know the credential.
class ClientMechanism {
 public:
  virtual ~ClientMechanism() = default;
  // The initial response; nullopt where the server speaks first.
  virtual std::optional<std::string> InitialResponse() = 0;
  virtual absl::StatusOr<std::string> Respond(std::string_view challenge) = 0;
  // Takes the additional data with success.
  virtual absl::Status Finish(const std::optional<std::string>& data) = 0;
  // Whether Finish() shows that the server knows the credential.
  virtual bool verifies_server() const = 0;
};

// The names that MakeClientMechanism takes, best first: all that need a password and nothing else.
std::vector<std::string> ClientMechanismNames();

// The name among these that `typed` stands for, in whatever case. InvalidArgument: none; the text
// says which there are, and why not the others.
absl::StatusOr<std::string> FindClientMechanism(std::string_view typed);

// Copies what it needs of `password`. `service`: such as "imap". Internal: `name` is none of
// ClientMechanismNames(), or there are no random bytes for the nonce.
absl::StatusOr<std::unique_ptr<ClientMechanism>> MakeClientMechanism(std::string_view name,
                                                                     std::string_view authcid,
                                                                     const Password& password,
                                                                     std::string_view service);

}  // namespace sasld::saslctl
