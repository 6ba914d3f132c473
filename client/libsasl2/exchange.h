// One exchange of libsasl2's server, each step of which is relayed to sasld-adapter.
#pragma once

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include <array>
#include <optional>
#include <string_view>

#include "client/libsasl2/adapter_socket.h"
#include "client/libsasl2/reply.h"
#include "client/libsasl2/request.h"

namespace sasld::libsasl2 {

// What it returns to libsasl2 where sasld cannot be asked or is too busy. Postfix makes 454 of it.
inline constexpr int kTryLater = SASL_UNAVAIL;

class Exchange {
 public:
  // Both must outlive the exchange. `trusts_way`: nobody comes here without TLS, though the
  // application does not say so. The path ends in NUL.
  Exchange(const char* mechanism, const char* socket_path, bool trusts_way)
      : mechanism_(mechanism), socket_path_(socket_path), trusts_way_(trusts_way) {}
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // mech_step of saslplug.h. `response`: none is SASL's "no initial response". SASL_OK,
  // SASL_CONTINUE, and for the client's errors SASL_BADAUTH, SASL_BADPROT or SASL_BADBINDING; for
  // ours kTryLater. The text of each error is set with libsasl2. Returns within 9 seconds.
  int Step(const sasl_server_params_t& params, std::optional<std::string_view> response,
           const char** server_out, unsigned* server_out_size, sasl_out_params_t& out);

 private:
  enum class Phase { kNew, kClientsTurn, kOver };

  int Begin(const sasl_server_params_t& params, std::optional<std::string_view> response,
            Deadline deadline);
  int Continue(const sasl_server_params_t& params, std::string_view response, Deadline deadline);
  int Send(const sasl_server_params_t& params, Deadline deadline);
  Reply ReadReply(Deadline deadline);
  int Challenged(const sasl_server_params_t& params, const Challenge& challenge,
                 const char** server_out, unsigned* server_out_size);
  int Succeed(const sasl_server_params_t& params, const Success& success, const char** server_out,
              unsigned* server_out_size, sasl_out_params_t& out);
  bool Decode(std::string_view base64, const char** server_out, unsigned* server_out_size);
  void TakeBindingFlag(std::string_view client_first_message);
  int Unreachable(const sasl_server_params_t& params);
  int Fault(const sasl_server_params_t& params, const char* what);

  std::string_view mechanism_;
  const char* socket_path_;
  bool trusts_way_;
  Phase phase_ = Phase::kNew;
  bool greeted_ = false;
  bool wants_binding_data_ = false;  // in the next message
  bool got_binding_data_ = false;
  sasl_cbinding_disp_t binding_ = SASL_CB_DISP_NONE;
  std::array<char, 64> binding_name_{};  // as the client says it, with NUL; may be cut
  Request request_;
  AdapterSocket socket_;
  // What libsasl2 has until the next call.
  std::array<char, 8192> server_out_;
};

}  // namespace sasld::libsasl2
