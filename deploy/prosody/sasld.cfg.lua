-- For a host of Prosody's, below its VirtualHost line: logins by sasld. What each line does: README.md beside this
-- file.
authentication = "dovecot"
dovecot_auth_socket = "/run/sasld-adapter/prosody.sock"
handle_appended = "split"
validate_append_host = true
disable_sasl_mechanisms = { "DIGEST-MD5", "LOGIN" }
