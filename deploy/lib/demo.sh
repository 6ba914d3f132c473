# shellcheck shell=bash
# Logins over SMTP through real clients, each told in one block. Wants common.sh.
#
# Passwords reach the clients on their standard input: an argument or the environment would show
# them in the process list. What a client prints is searched for answers and never shown whole,
# since it holds the password in base64.

# demo_login PORT CLIENT MECHANISM USER PASSWORD CODE WHAT: tells of it. Returns 0 if the server's
# answer to AUTH had CODE, and a message went through where CODE is 235 and the client is swaks.
demo_login() {
  local port=$1 client=$2 mechanism=$3 user=$4 password=$5 code=$6 what=$7 talk answer message=""
  talk=$("demo_$client" "$port" "$mechanism" "$user" <<< "$password" 2>&1)
  answer=$(demo_answer_to AUTH <<< "$talk")
  note "" "$what"
  note "  did       AUTH $mechanism as $user, with $client"
  note "  answer    ${answer:-none; the client said: $(tail -n 1 <<< "$talk")}"
  if [[ $client == swaks && $code == 235 ]]; then
    message=$(demo_answer_to . <<< "$talk")
    note "  message   ${message:-not sent}"
    [[ $message == 250* ]] || code="$code, and 250 for the message"
  fi
  if [[ $answer == "$code "* ]]; then
    note "  OK        $code is right"
  else
    note "  NOT OK    it should have been $code"
    return 1
  fi
}

demo_swaks() {
  swaks --server 127.0.0.1 --port "$1" --timeout 15 --auth "$2" --auth-user "$3" --auth-hide-password \
    --from "$3" --to somebody@example.net --header 'Subject: sasld quick start'
}

# setsid: gsasl asks for the password on the terminal if it has one, else on standard input.
demo_gsasl() {
  setsid --wait timeout 15 gsasl --smtp --no-starttls --connect "127.0.0.1:$1" --mechanism "$2" \
    --authentication-id "$3" --authorization-id ''
}

# The first final answer (2xx, 4xx, 5xx) after the client's line that begins with $1, in what swaks
# or gsasl printed.
demo_answer_to() {
  awk -v command="$1" '
    { sub(/^( ->|<-|<\*\*|\*\*\*) +/, ""); sub(/\r$/, "") }
    asked && /^[245][0-9][0-9] / { print; exit }
    $1 == command { asked = 1 }'
}
