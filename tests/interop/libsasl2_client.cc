// The client side of Cyrus libsasl2, a step at a time, for whoever carries the messages:
// libsasl2.py does, over SMTP.
//
//   libsasl2_client --mechanisms     what the library can as a client, a line each
//   libsasl2_client MECHANISM        one exchange
//
// Standard input begins with five lines: authcid, authzid, password, type of channel binding and
// its data in base64 (both empty: none). Then a line for each challenge, in base64. A line of
// output answers the start and each challenge:
//   more BASE64    the client's message; the library wants another challenge
//   done BASE64    the same, and for the library all is well if the server says so too
//   none           no message: the server speaks first
//   error TEXT     the library refuses
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <sasl/saslutil.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

namespace {

struct Credentials {
  std::string authcid;
  std::string authzid;
  std::string password;
  std::string binding_type;
  std::string binding_data;
};

// The library's table has one type for all; void (*)() is the one that may be cast to any.
template <class Function>
int (*AsCallback(Function* function))() {
  return reinterpret_cast<int (*)()>(reinterpret_cast<void (*)()>(function));
}

int TakeName(void* context, int id, const char** result, unsigned* length) {
  const auto& credentials = *static_cast<const Credentials*>(context);
  const std::string& name = id == SASL_CB_USER ? credentials.authzid : credentials.authcid;
  *result = name.c_str();
  if (length != nullptr) *length = static_cast<unsigned>(name.size());
  return SASL_OK;
}

int TakePassword(sasl_conn_t*, void* context, int, sasl_secret_t** secret) {
  // The library keeps the pointer as long as the connection.
  static std::vector<unsigned long> memory;
  const std::string& password = static_cast<const Credentials*>(context)->password;
  memory.resize((sizeof(sasl_secret_t) + password.size()) / sizeof(unsigned long) + 1);
  auto* made = reinterpret_cast<sasl_secret_t*>(memory.data());
  made->len = password.size();
  std::memcpy(made->data, password.data(), password.size());
  *secret = made;
  return SASL_OK;
}

int TakeFirstRealm(void*, int, const char** available, const char** result) {
  *result = available != nullptr && available[0] != nullptr ? available[0] : "";
  return SASL_OK;
}

std::string Decoded(const std::string& base64) {
  std::string raw(base64.size() + 1, '\0');
  unsigned length = 0;
  if (sasl_decode64(base64.data(), static_cast<unsigned>(base64.size()), raw.data(),
                    static_cast<unsigned>(raw.size()), &length) != SASL_OK) {
    std::cout << "error not base64" << std::endl;
    std::exit(1);
  }
  raw.resize(length);
  return raw;
}

std::string Encoded(const char* raw, unsigned length) {
  std::string base64(length * 4 / 3 + 5, '\0');
  unsigned written = 0;
  sasl_encode64(raw, length, base64.data(), static_cast<unsigned>(base64.size()), &written);
  base64.resize(written);
  return base64;
}

std::string Line() {
  std::string line;
  std::getline(std::cin, line);
  return line;
}

// Returns whether another challenge may come.
bool Tell(sasl_conn_t* connection, int result, const char* message, unsigned length) {
  if (result != SASL_OK && result != SASL_CONTINUE) {
    std::cout << "error " << sasl_errdetail(connection) << std::endl;
    return false;
  }
  if (message == nullptr && result == SASL_CONTINUE) {
    std::cout << "none" << std::endl;
  } else {
    std::cout << (result == SASL_OK ? "done " : "more ") << Encoded(message, length) << std::endl;
  }
  return true;
}

// A connection as it is after STARTTLS; nothing of `credentials` is copied.
class Connection {
 public:
  explicit Connection(Credentials& credentials)
      : callbacks_{{SASL_CB_USER, AsCallback(&TakeName), &credentials},
                   {SASL_CB_AUTHNAME, AsCallback(&TakeName), &credentials},
                   {SASL_CB_PASS, AsCallback(&TakePassword), &credentials},
                   {SASL_CB_GETREALM, AsCallback(&TakeFirstRealm), nullptr},
                   {SASL_CB_LIST_END, nullptr, nullptr}},
        binding_{credentials.binding_type.c_str(), 0, credentials.binding_data.size(),
                 reinterpret_cast<const unsigned char*>(credentials.binding_data.data())} {
    if (sasl_client_new("smtp", "mail.example.org", nullptr, nullptr, callbacks_, 0,
                        &connection_) != SASL_OK) {
      std::cout << "error no connection" << std::endl;
      std::exit(1);
    }
    // No security layers: SMTP has TLS for that.
    sasl_security_properties_t security = {};
    sasl_setprop(connection_, SASL_SEC_PROPS, &security);
    // What makes EXTERNAL possible.
    sasl_setprop(connection_, SASL_AUTH_EXTERNAL, credentials.authcid.c_str());
    if (!credentials.binding_type.empty()) {
      sasl_setprop(connection_, SASL_CHANNEL_BINDING, &binding_);
    }
  }
  ~Connection() { sasl_dispose(&connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sasl_conn_t* get() { return connection_; }

 private:
  const sasl_callback_t callbacks_[5];
  const sasl_channel_binding_t binding_;
  sasl_conn_t* connection_ = nullptr;
};

void ListPlugin(client_sasl_mechanism_t* mechanism, sasl_info_callback_stage_t stage, void*) {
  if (stage != SASL_INFO_LIST_MECH) return;
  std::cout << mechanism->plug->mech_name << '\n';
  if ((mechanism->plug->features & SASL_FEAT_CHANNEL_BINDING) != 0) {
    std::cout << mechanism->plug->mech_name << "-PLUS\n";
  }
}

int ListMechanisms() {
  return sasl_client_plugin_info(nullptr, &ListPlugin, nullptr) == SASL_OK ? 0 : 1;
}

int Exchange(const char* mechanism, Credentials& credentials) {
  Connection connection(credentials);
  const char* message = nullptr;
  const char* chosen = nullptr;
  unsigned length = 0;
  int result = sasl_client_start(connection.get(), mechanism, nullptr, &message, &length, &chosen);
  std::string challenge;
  while (Tell(connection.get(), result, message, length) && std::getline(std::cin, challenge)) {
    challenge = Decoded(challenge);
    message = nullptr;
    length = 0;
    result = sasl_client_step(connection.get(), challenge.data(),
                              static_cast<unsigned>(challenge.size()), nullptr, &message, &length);
  }
  return result == SASL_OK ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || sasl_client_init(nullptr) != SASL_OK) return 2;
  int status = 0;
  if (std::strcmp(argv[1], "--mechanisms") == 0) {
    status = ListMechanisms();
  } else {
    Credentials credentials;
    credentials.authcid = Line();
    credentials.authzid = Line();
    credentials.password = Line();
    credentials.binding_type = Line();
    credentials.binding_data = Decoded(Line());
    status = Exchange(argv[1], credentials);
  }
  sasl_client_done();
  return status;
}
