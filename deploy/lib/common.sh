# shellcheck shell=bash
# What every script here says and does the same way.

# A line for each argument.
note() { printf '%s\n' "$@"; }

# What went wrong and what to do about it.
die() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}

# Whether as_root can do anything.
can_be_root() { ((EUID == 0)) || command -v sudo > /dev/null; }

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# logged LOG WHAT COMMAND...: one line for a person, the rest into LOG; its end if it failed.
logged() {
  local log=$1 what=$2 began=$SECONDS
  shift 2
  printf '  %s ... ' "$what"
  printf '\n$ %s\n' "$*" >> "$log"
  if "$@" >> "$log" 2>&1 < /dev/null; then
    printf 'done (%d s)\n' "$((SECONDS - began))"
  else
    printf 'FAILED; the end of %s:\n' "$log"
    tail -n 25 -- "$log" | sed 's/^/    /'
    return 1
  fi
}

# run_until_eof COMMAND...: runs COMMAND in a session of its own and ends it (SIGTERM to all of that
# session) when stdin ends. Whoever holds the other end of a pipe on stdin thus takes COMMAND
# along, however it ends. Returns COMMAND's exit status if it ended by itself, else 0.
run_until_eof() {
  local child status=0
  trap '' INT HUP
  setsid "$@" < /dev/null &
  child=$!
  # One second at a time, so that an early end is noticed.
  while kill -0 "$child" 2> /dev/null; do
    read -r -t 1 && continue
    # Above 128: the second is over and nothing was said. Else: end of file.
    if (($? <= 128)); then
      # By its own id if it has not made its session yet.
      kill -TERM -- "-$child" 2> /dev/null || kill -TERM "$child" 2> /dev/null
      wait "$child" || true
      return 0
    fi
  done
  wait "$child" || status=$?
  return "$status"
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; 1 if it does not in SECONDS.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
