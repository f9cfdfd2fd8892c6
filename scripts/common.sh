# Shared by the scripts of this directory: where the tree is, how to speak, which Python to embed.
# shellcheck shell=bash

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

say() { printf '== %s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Prints the path of the real interpreter behind $MACHIDA_PYTHON or the python3 on PATH (a pyenv
# shim is not one), or says why it cannot be embedded and what to do.
real_python() {
  local wanted=${MACHIDA_PYTHON:-python3}
  if ! command -v "$wanted" >/dev/null; then
    [[ -n ${MACHIDA_PYTHON:-} ]] && die "MACHIDA_PYTHON is '$wanted', which is no program"
    die "no $wanted on PATH; run scripts/install first"
  fi
  # The tests' own environment is made from the python that is embedded, not the other way round.
  case $("$wanted" -c 'import sys; print(sys.prefix)') in
    "$root"/build*) wanted=$("$wanted" -c 'import sys; print(sys.base_prefix)')/bin/python3 ;;
  esac
  "$wanted" "$root/scripts/embeddable.py"
}

# Installs the Debian packages given that are not there yet.
install_packages() {
  local package missing=()
  for package in "$@"; do
    if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      missing+=("$package")
    fi
  done
  if ((${#missing[@]} == 0)); then
    say "all $# packages are installed"
    return
  fi
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "not root and no sudo; as root, run: apt-get install ${missing[*]}"
    as_root=(sudo)
    say "not root: using sudo for apt-get"
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"
}
