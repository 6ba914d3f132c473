// The server side of Cyrus libsasl2 with the plug-ins that SASL_PATH has, a step at a time: what a
// mail server does that sets channel binding data. libsasl2_plugin.py carries the messages.
//
//   libsasl2_server SOCKET --mechanisms       what it would offer, a line
//   libsasl2_server SOCKET MECHANISM          one exchange
//
// Standard input begins with three lines: type of channel binding and its data in base64 (both
// empty: none), and the strength of TLS, 0 for none. Then a line for each message of the client, in
// base64; the first may be "none". A line of output answers each message:
//   more BASE64               a challenge
//   done AUTHZID AUTHCID      success; additional data was a challenge before
//   error RESULT TEXT         refused, with libsasl2's number
#include <sasl/sasl.h>
#include <sasl/saslutil.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

namespace {

int TakeOption(void* context, const char*, const char* name, const char** value, unsigned* size) {
  if (std::strcmp(name, "sasld_socket") == 0) {
    *value = static_cast<const char*>(context);
  } else if (std::strcmp(name, "mech_list") == 0) {
    *value = "SCRAM-SHA-256 PLAIN LOGIN";
  } else {
    return SASL_FAIL;
  }
  if (size != nullptr) *size = static_cast<unsigned>(std::strlen(*value));
  return SASL_OK;
}

std::string Decoded(const std::string& base64) {
  std::string raw(base64.size() + 1, '\0');
  unsigned length = 0;
  if (sasl_decode64(base64.data(), static_cast<unsigned>(base64.size()), raw.data(),
                    static_cast<unsigned>(raw.size()), &length) != SASL_OK) {
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

const char* Name(sasl_conn_t* connection, int property) {
  const void* name = nullptr;
  sasl_getprop(connection, property, &name);
  return name == nullptr ? "" : static_cast<const char*>(name);
}

// Returns whether another message may come.
bool Tell(sasl_conn_t* connection, int result, const char* challenge, unsigned length) {
  if (result == SASL_CONTINUE) {
    std::cout << "more " << Encoded(challenge, length) << std::endl;
    return true;
  }
  if (result == SASL_OK) {
    std::cout << "done " << Name(connection, SASL_USERNAME) << ' '
              << Name(connection, SASL_AUTHUSER) << std::endl;
  } else {
    std::cout << "error " << result << ' ' << sasl_errdetail(connection) << std::endl;
  }
  return false;
}

void Exchange(sasl_conn_t* connection, const char* mechanism) {
  std::string message = Line();
  const char* challenge = nullptr;
  unsigned length = 0;
  bool given = message != "none";
  if (given) message = Decoded(message);
  int result =
      sasl_server_start(connection, mechanism, given ? message.data() : nullptr,
                        given ? static_cast<unsigned>(message.size()) : 0, &challenge, &length);
  while (Tell(connection, result, challenge, length) && std::getline(std::cin, message)) {
    message = Decoded(message);
    result = sasl_server_step(connection, message.data(), static_cast<unsigned>(message.size()),
                              &challenge, &length);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  // The library's table has one type for all; void (*)() is the one that may be cast to any.
  auto take_option = reinterpret_cast<int (*)()>(reinterpret_cast<void (*)()>(&TakeOption));
  const sasl_callback_t callbacks[] = {{SASL_CB_GETOPT, take_option, argv[1]},
                                       {SASL_CB_LIST_END, nullptr, nullptr}};
  sasl_conn_t* connection = nullptr;
  if (sasl_server_init(callbacks, "libsasl2_server") != SASL_OK ||
      sasl_server_new("imap", "mail.example.org", nullptr, "192.0.2.1;993", "192.0.2.7;40000",
                      nullptr, 0, &connection) != SASL_OK) {
    return 1;
  }
  std::string binding_type = Line();
  std::string binding_data = Decoded(Line());
  sasl_channel_binding_t binding{binding_type.c_str(), 0, binding_data.size(),
                                 reinterpret_cast<const unsigned char*>(binding_data.data())};
  auto strength = static_cast<sasl_ssf_t>(std::stoul(Line()));
  sasl_setprop(connection, SASL_SSF_EXTERNAL, &strength);
  if (!binding_type.empty()) sasl_setprop(connection, SASL_CHANNEL_BINDING, &binding);
  if (std::strcmp(argv[2], "--mechanisms") == 0) {
    const char* names = "";
    sasl_listmech(connection, nullptr, "", " ", "", &names, nullptr, nullptr);
    std::cout << names << std::endl;
  } else {
    Exchange(connection, argv[2]);
  }
  sasl_dispose(&connection);
  sasl_server_done();
  return 0;
}
