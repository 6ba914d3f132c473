# shellcheck shell=bash
# Debian packages: installs what is missing, and unpacks what must not be installed.
# Wants common.sh.

# The names in lists such as ../packages.build.
packages_listed() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' -- "$@" | awk '{print $1}'; }

# Those of the named packages that are not installed, nor provided by one that is: the npm of other packages of
# Node.js than Debian's comes with nodejs, and excludes Debian's.
packages_missing() {
  local name provided
  provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides}\n' | sed -n 's/^installed //p' |
    tr ',' '\n' | awk 'NF {print $1}')
  for name in "$@"; do
    # Not "not-installed". A package of two architectures has two lines.
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2> /dev/null | grep -qx installed ||
      grep -qxF -- "$name" <<< "$provided" || printf '%s\n' "$name"
  done
}

# install_packages LOG LIST...: installs what is missing of the lists' packages, and nothing else
# than they depend on. Refuses where that would remove a package or bring a mail server.
install_packages() {
  local log=$1 names missing
  shift
  command -v apt-get > /dev/null ||
    die "there is no apt-get here. Debian 12 is what this script knows; elsewhere install by hand what
       stands in: $*"
  mapfile -t names < <(packages_listed "$@")
  mapfile -t missing < <(packages_missing "${names[@]}")
  if ((${#missing[@]} == 0)); then return 0; fi

  note "Missing here: ${missing[*]}"
  can_be_root || die "installing them takes root, and there is no sudo. As root, run once:
       apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  ((EUID == 0)) || note "Installing takes root: sudo may ask for your password."
  as_root true || die "sudo did not let us. As root, run once:
       apt-get update && apt-get install --no-install-recommends ${missing[*]}"

  packages_known "${missing[@]}" || packages_update "$log"
  packages_refuse_harm "${missing[@]}"
  logged "$log" "installing ${#missing[@]} packages" packages_apt_install "${missing[@]}" && return 0
  # Old package lists name versions that the mirror no longer has.
  packages_update "$log"
  logged "$log" "installing once more" packages_apt_install "${missing[@]}" ||
    die "apt-get could not install: ${missing[*]}. See $log"
}

# Whether apt's lists, as they are, know all of the named packages.
packages_known() { apt-get install -s --no-install-recommends "$@" > /dev/null 2>&1; }

packages_update() {
  logged "$1" "apt-get update" as_root apt-get -q update || die "apt-get update failed. See $1"
}

packages_apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
}

packages_refuse_harm() {
  local plan removed servers
  plan=$(LC_ALL=C apt-get install -s --no-install-recommends "$@" 2>&1) ||
    die "apt-get cannot install: $*
$(tail -n 12 <<< "$plan")"
  removed=$(awk '$1 == "Remv" {print $2}' <<< "$plan")
  [[ -z $removed ]] || die "apt would remove these packages, so nothing was done: $removed"
  servers=$(comm -12 <(awk '$1 == "Inst" {print $2}' <<< "$plan" | sort -u) \
    <(LC_ALL=C apt-cache showpkg mail-transport-agent |
      sed '1,/^Reverse Provides/d' | awk '{print $1}' | sort -u))
  [[ -z $servers ]] || die "apt would install a mail server, so nothing was done: $servers"
}

# unpack_package NAME CACHE TREE LOG: NAME's files below TREE, whole or not at all. Nothing is
# installed, no maintainer script runs. CACHE keeps the download. A second call does nothing.
unpack_package() {
  local name=$1 cache=$2 tree=$3 log=$4 file
  if [[ -e $tree/.complete ]]; then return 0; fi
  mkdir -p "$cache"
  file=$(package_file "$name" "$cache")
  if [[ -z $file ]]; then
    apt-cache show "$name" > /dev/null 2>&1 || packages_update "$log"
    if ! logged "$log" "downloading $name" package_download "$name" "$cache"; then
      packages_update "$log"
      logged "$log" "downloading $name again" package_download "$name" "$cache" ||
        die "cannot download the package $name. See $log"
    fi
    file=$(package_file "$name" "$cache")
  fi
  rm -rf -- "$tree" "$tree.part"
  mkdir -p "$tree.part"
  dpkg-deb -x "$file" "$tree.part" || die "cannot unpack $file; delete it and try again"
  touch "$tree.part/.complete"
  mv -- "$tree.part" "$tree"
}

package_file() { find "$2" -maxdepth 1 -name "$1_*.deb" | sort -V | tail -n 1; }

# Sandbox::User: apt's own user may not be able to write into the cache.
package_download() { (cd "$2" && apt-get -q -o APT::Sandbox::User=root download "$1"); }

# Fails, and names them, if programs below TREE lack shared libraries. LIBRARIES: where TREE has its own.
require_libraries() {
  local libraries=$1 lacking
  shift
  lacking=$(LD_LIBRARY_PATH=$libraries ldd "$@" | awk '/not found/ {print $1}' | sort -u)
  [[ -z $lacking ]] || die "these shared libraries are missing here: ${lacking//$'\n'/ }"
}
