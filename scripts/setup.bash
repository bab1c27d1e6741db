# Sourced by demo, test, check: finds a Python, keeps .venv, asks apt-get for programs.
# Whoever sources it has set -euo pipefail. Only standard tools; runs on bash 3.2 too.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"
python="$venv/bin/python"

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3.14 python3 python; do
    if command -v "$name" >/dev/null && is_recent "$name"; then
      command -v "$name"
      return
    fi
  done
  fail "Python 3.11 or later is needed; none was found."
}

# The words that start apt-get with the rights it needs; fails where there are none.
apt_get() {
  command -v apt-get >/dev/null || return 1
  local rights=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    rights=(sudo -n)
  fi
  ${rights[@]+"${rights[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
    -o Acquire::https::Timeout=30 -o Dpkg::Use-Pty=0 "$@" </dev/null >"$venv.apt.log" 2>&1
}

make_venv() {
  local base
  base="$(find_python)"
  say "Making .venv with $("$base" --version) ..."
  rm -rf "$venv"
  if "$base" -m venv "$venv" >/dev/null 2>&1; then
    printf '%s\n' "$root" >"$venv/made-for"
    return
  fi
  # Debian keeps what venv needs in a package of its own.
  local package
  package="$("$base" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  say "This Python cannot make environments; asking apt-get for $package ..."
  apt_get update || true
  apt_get install --no-install-recommends "$package" || true
  rm -rf "$venv" "$venv.apt.log"
  "$base" -m venv "$venv" || fail "$base -m venv does not work; install $package."
  printf '%s\n' "$root" >"$venv/made-for"
}

# Whole, recent enough, and not moved or copied from another folder since it was made.
is_good_venv() {
  is_recent "$python" && "$python" -m pip --version >/dev/null 2>&1 || return 1
  [ ! -f "$venv/made-for" ] || [ "$(cat "$venv/made-for")" = "$root" ]
}

# What an installation depends on: where it is, which Python, which requirements.
fingerprint() {
  "$python" - "$root" <<'PYTHON'
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
print(hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest(), sys.version_info[:3], root)
PYTHON
}

# Leaves .venv with phonehome and the extras named, unless it is as it should be already.
# A stamp is written last, so an installation that was interrupted has none.
install() {
  local extras="${1:-}" stamp="$venv/installed${1:+-$1}" other
  is_good_venv || make_venv
  local wanted
  wanted="$(fingerprint)"
  for other in "$stamp" "$venv/installed-test"; do
    if [ -f "$other" ] && [ "$(cat "$other")" = "$wanted" ]; then
      return
    fi
  done
  say "Installing phonehome${extras:+ with the extra \"$extras\"} into .venv (once; a minute or so) ..."
  rm -f "$venv"/installed*
  (cd "$root" && "$python" -m pip install -qq --no-input --disable-pip-version-check \
    --editable ".${extras:+[$extras]}") || fail "pip could not install phonehome; it said why above."
  printf '%s\n' "$wanted" >"$stamp"
}

# build/phonehome: links to the rooms, for tools that read code and do not run it.
link_rooms() {
  local house="$root/build/phonehome" room
  mkdir -p "$house"
  ln -sfn "$root/phonehome.py" "$house/__init__.py"
  for room in analyzer captures geo reports __main__.py cli.py errors.py py.typed; do
    ln -sfn "$root/$room" "$house/$room"
  done
}

# Installs the programs that are missing, where apt-get may; a program has the name of its package.
# Never fails. A vain attempt is not repeated for an hour, since it can take a minute.
offer_programs() {
  local name missing=() tried="$venv/programs-tried"
  for name in "$@"; do
    has_program "$name" || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] && return
  if [ -z "$(find "$tried" -mmin -60 2>/dev/null)" ]; then
    say "Asking apt-get for ${missing[*]} ..."
    touch "$tried"
    if apt_get update; then
      for name in "${missing[@]}"; do
        apt_get install --no-install-recommends "$name" || true
      done
    fi
    rm -f "$venv.apt.log"
  fi
  for name in "${missing[@]}"; do
    has_program "$name" || say "$name is not here and cannot be installed: tests that need it are skipped."
  done
}

has_program() {
  command -v "$1" >/dev/null || { [ "$1" = chromium ] && command -v chromium-browser >/dev/null; }
}
