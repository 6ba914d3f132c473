# shellcheck shell=bash
# A private Postfix from an unpacked package: its own configuration, queue and port, all below one
# folder. Nothing of a mail server of the system is read, changed or stopped.
#
# Wants common.sh and packages.sh.
#   postfix_unpack CACHE TREE LOG          the package into TREE (a second call does nothing)
#   postfix_configure TREE HOME PORT ...   configuration and queue in HOME
#   postfix_run TREE HOME                  runs it in the foreground until stdin ends; wants root
#   postfix_greets PORT                    whether it is ready

# Postfix insists on an owner of its files and a group of its sending commands that nothing else
# uses and that have no root rights, and on default_privs being someone else. We make no accounts.
# These two are in base-passwd, so that every Debian has them, and on a machine without UUCP or a
# news server nothing runs as them and no file is theirs.
readonly POSTFIX_OWNER=uucp
readonly POSTFIX_SETGID_GROUP=news

postfix_unpack() {
  local cache=$1 tree=$2 log=$3
  unpack_package postfix "$cache" "$tree" "$log"
  require_libraries "$tree/usr/lib/postfix" "$tree"/usr/lib/postfix/sbin/{master,smtpd,cleanup}
}

# postfix_configure TREE HOME PORT AUTH_SOCKET [CHROOT [NAME=VALUE...]]
# HOME gets etc/ (main.cf, master.cf) and queue/. AUTH_SOCKET: as smtpd_sasl_path; relative means
# relative to HOME/queue, which works in a chroot (CHROOT=y), outside one (n), and below folders that
# only root may enter: smtpd changes into the queue before it drops its rights.
# Further arguments are lines of main.cf. Wants root, because the queue gets Postfix's own owners.
postfix_configure() {
  local tree=$1 home=$2 port=$3 auth=$4 chroot=${5:-n}
  shift "$(($# < 5 ? $# : 5))"
  mkdir -p "$home/etc" "$home/queue"
  postfix_write_main "$tree" "$home" "$auth" "$@" > "$home/etc/main.cf"
  postfix_write_master "$port" "$chroot" > "$home/etc/master.cf"
  postfix_make_queue "$home/queue"
}

postfix_write_main() {
  local tree=$1 home=$2 auth=$3
  shift 3
  cat <<MAIN
compatibility_level = 3.6
mail_owner = $POSTFIX_OWNER
setgid_group = $POSTFIX_SETGID_GROUP
default_privs = nobody

queue_directory = $home/queue
# Relative to the queue, where every daemon stands when it drops its rights.
data_directory = data
daemon_directory = $tree/usr/lib/postfix/sbin
command_directory = $tree/usr/sbin
shlib_directory = $tree/usr/lib/postfix
meta_directory = $home/etc
# The daemons find the unpacked libraries by this; Debian's run path names /usr/lib/postfix.
import_environment = MAIL_CONFIG TZ LANG=C { LD_LIBRARY_PATH = $tree/usr/lib/postfix }
maillog_file = /dev/stdout

inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
biff = no

# A message is accepted from those who logged in, and then thrown away: nothing leaves the machine.
default_transport = discard
local_transport = discard
relay_transport = discard
virtual_transport = discard
smtpd_relay_restrictions = permit_sasl_authenticated, reject

# What hands AUTH to sasld-adapter.
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $auth
smtpd_sasl_security_options = noanonymous
MAIN
  if (($# > 0)); then printf '%s\n' "$@"; fi
}

postfix_write_master() {
  local port=$1 chroot=$2
  cat <<MASTER
# service  type  private unpriv chroot wakeup maxproc command
127.0.0.1:$port inet n - $chroot - - smtpd
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
retry      unix  - - n - - error
error      unix  - - n - - error
discard    unix  - - n - - discard
anvil      unix  - - n - 1 anvil
tlsmgr     unix  - - n 1000? 1 tlsmgr
postlog    unix-dgram n - n - 1 postlogd
MASTER
}

# Owners and modes as in Debian's postfix-files.
postfix_make_queue() {
  local queue=$1 folder
  for folder in active bounce corrupt defer deferred flush hold incoming saved trace private data; do
    install -d -o "$POSTFIX_OWNER" -g root -m 0700 "$queue/$folder"
  done
  install -d -o "$POSTFIX_OWNER" -g "$POSTFIX_SETGID_GROUP" -m 0710 "$queue/public"
  install -d -o "$POSTFIX_OWNER" -g "$POSTFIX_SETGID_GROUP" -m 0730 "$queue/maildrop"
  install -d -o root -g root -m 0755 "$queue/pid"
}

# Runs Postfix until stdin ends; its log is on stdout. Returns master's exit status if it ended by
# itself, else 0.
postfix_run() {
  local tree=$1 home=$2
  export MAIL_CONFIG=$home/etc LD_LIBRARY_PATH=$tree/usr/lib/postfix
  run_until_eof "$tree/usr/lib/postfix/sbin/master" -s -c "$home/etc"
}

# postfix_as_root FUNCTION ARGUMENTS...: one of the functions here, with root's rights.
postfix_as_root() {
  # shellcheck disable=SC2016  # expanded by the inner shell
  as_root bash -c 'for part in common packages postfix; do . "$1/$part.sh"; done; shift; "$@"' \
    postfix "$(dirname -- "${BASH_SOURCE[0]}")" "$@"
}

# Whether something on PORT of this machine greets as an SMTP server.
postfix_greets() { [[ $(postfix_greeting "$1") == 220* ]]; }

postfix_greeting() {
  local line
  {
    exec {smtp}<> "/dev/tcp/127.0.0.1/$1" && read -r -t 5 line <&"$smtp" && printf '%s\n' "$line"
  } 2> /dev/null
}
