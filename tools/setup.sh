#!/usr/bin/env bash
# Makes a fresh machine ready: system packages (a PostgreSQL server and Chromium for the tests among them), the virtual
# environment .venv, the pinned Python packages, those of other projects that the tests of adapters run
# (tools/neighbours.sh), and in .third-party the sources of CRoaring, of nanoarrow and, where the system
# has no libblake3, of BLAKE3.
# Quick when all is there already.
#
#   tools/setup.sh            everything
#   tools/setup.sh system     only what the C library needs: compiler, cmake, ninja, pkg-config, xxHash, libcrypto, cmocka,
#                             CRoaring, nanoarrow, BLAKE3
#
# On Debian and Ubuntu missing system packages are installed with apt-get (with sudo where we are not root); elsewhere
# they are named and the script stops. PYTHON=... chooses the interpreter for .venv.

set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
source tools/lib/shell.sh

oldest_python=3.11
venv=$root/.venv
roaring=$root/.third-party/roaring
nanoarrow=$root/.third-party/nanoarrow
blake3=$root/.third-party/blake3

# ------------------------------------------------------------------------------------------- what the machine has

have() { command -v "$1" >/dev/null 2>&1; }

compiler() { printf '%s' "${CC:-cc}"; }

compiles() { # compiles '#include <x.h>': does the header exist where the compiler looks?
  printf "%s\n" "$1" | $(compiler) -x c -fsyntax-only - >/dev/null 2>&1
}

cmake_new_enough() {
  have cmake && version_at_least "$(cmake --version | sed -n '1s/[^0-9]*//p')" 3.20
}

# Fit for .venv: new enough, with the C headers and with what `python -m venv` needs.
python_fit() {
  "$1" - "$oldest_python" >/dev/null 2>&1 <<'PY'
import ensurepip, os, sys, sysconfig, venv
oldest = tuple(int(part) for part in sys.argv[1].split("."))
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(0 if sys.version_info[:2] >= oldest and os.path.exists(header) else 1)
PY
}

find_python() { # prints the first fit interpreter
  local candidate
  for candidate in "${PYTHON:-}" python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.14; do
    if [[ -n $candidate ]] && python_fit "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

find_pip() { # prints an interpreter of any version whose pip can download
  local candidate
  for candidate in "$venv/bin/python" "${PYTHON:-}" python3 /usr/bin/python3; do
    if [[ -n $candidate ]] && "$candidate" -m pip --version >/dev/null 2>&1; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

missing_packages() { # Debian's names, one a line
  if ! { have "$(compiler)" && compiles '#include <pthread.h>'; }; then echo build-essential; fi
  cmake_new_enough || echo cmake
  have ninja || echo ninja-build
  have pkg-config || echo pkg-config
  compiles '#include <xxhash.h>' || echo libxxhash-dev
  compiles '#include <openssl/opensslv.h>
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error too old
#endif' || echo libssl-dev
  # Where apt has no libblake3-dev, blake3_sources takes the sources out of another package.
  if ! blake3_there && { ! have apt-get || apt_offers libblake3-dev; }; then echo libblake3-dev; fi
  compiles '#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>' || echo libcmocka-dev
  if [[ $what == all ]] && ! venv_usable && ! find_python >/dev/null; then
    printf '%s\n' python3 python3-venv python3-dev
  fi
  if [[ $what == system ]] && ! { fetched roaring && fetched nanoarrow; } && ! find_pip >/dev/null; then
    echo python3-pip
  fi
  if [[ $what == all ]]; then
    postgresql_there || echo postgresql
    browser_there || ! apt_offers_chromium || echo chromium
  fi
}

# What the tests of databases and of the explorer's pages start.
postgresql_there() { have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
browser_there() { have chromium || have chromium-browser || have google-chrome; }

# --------------------------------------------------------------------------------------------- system packages

apt() {
  local as_root=()
  [[ $(id -u) -eq 0 ]] || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

apt_offers() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'; }

# Ubuntu's chromium is no more than a hint at a snap: there the tests in a browser are skipped, unless one is installed by hand.
apt_offers_chromium() { apt_offers chromium && ! apt-cache policy chromium | grep -q 'Candidate: .*snap'; }

# Debian names python3-venv and python3-dev for its default version; where that is too old a newer one may be on offer.
newer_python_packages() {
  local version
  for version in 3.13 3.12 3.11; do
    if apt-cache show "python$version-venv" "python$version-dev" >/dev/null 2>&1; then
      printf '%s\n' "python$version" "python$version-venv" "python$version-dev"
      return 0
    fi
  done
  return 1
}

system_packages() {
  local missing packages
  missing=$(missing_packages)
  [[ -n $missing ]] || return 0
  mapfile -t packages <<<"$missing"

  if ! have apt-get; then
    fail "please install, with your system's package manager, what Debian calls: ${packages[*]}" \
      "(a C17 compiler, CMake >= 3.20, Ninja, pkg-config, xxHash >= 0.8, OpenSSL >= 3.0, BLAKE3's C library" \
      ">= 1.3, cmocka; Python >= $oldest_python with" \
      "its C headers and venv; PostgreSQL's server), then run this again"
  fi
  if [[ $(id -u) -ne 0 ]] && ! have sudo; then
    fail "some system packages are missing, and this is neither root nor is there sudo. As root, once:" \
      "apt-get update && apt-get install ${packages[*]}"
  fi

  step "installing system packages: ${packages[*]}"
  retry apt update
  retry apt install --no-install-recommends "${packages[@]}"

  if [[ $what == all ]] && ! venv_usable && ! find_python >/dev/null; then
    if mapfile -t packages < <(newer_python_packages) && ((${#packages[@]})); then
      step "this system's python3 is older than $oldest_python; installing: ${packages[*]}"
      retry apt install --no-install-recommends "${packages[@]}"
    fi
  fi

  missing=$(missing_packages)
  case $missing in
    '') ;;
    python3*) fail "Python $oldest_python or later (with headers and venv) is needed; this system offers" \
      "$(/usr/bin/python3 --version 2>&1 || true). Install a newer one and name it: make PYTHON=/path/to/python3" ;;
    *) fail "still missing after the installation, or too old: ${missing//$'\n'/ }" ;;
  esac
}

# ------------------------------------------------------------------------------------------ virtual environment

# Environments do not survive a move of the tree; the stamp tells where this one was made.
venv_usable() {
  [[ -f $venv/.made-at && $(<"$venv/.made-at") == "$venv" ]] && python_fit "$venv/bin/python"
}

virtual_environment() {
  venv_usable && return 0
  local python
  python=$(find_python) || fail "no Python >= $oldest_python with venv and C headers found"
  step "creating .venv with $("$python" --version) ($python)"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  printf '%s' "$venv" >"$venv/.made-at"
}

python_packages() {
  local wanted
  wanted=$(digest requirements/dev.txt)
  if [[ -f $venv/.requirements && $(<"$venv/.requirements") == "$wanted" ]]; then
    return 0
  fi
  step "installing the pinned Python packages of requirements/dev.txt"
  retry "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 5 \
    --only-binary :all: --require-hashes -r requirements/dev.txt
  printf '%s' "$wanted" >"$venv/.requirements"
}

# ------------------------------------------------------------------------------------------- third-party sources

# fetched LIBRARY: are its sources there, of the version that requirements/LIBRARY.txt pins?
fetched() {
  local folder=$root/.third-party/$1
  [[ -f $folder/$1.c && -f $folder/$1.h && -f $folder/.requirements &&
    $(<"$folder/.requirements") == "$(digest "requirements/$1.txt")" ]]
}

# fetch_archive LIBRARY PACKAGE FOLDER: unpacks the source archive of PyPI; nothing of it is built or installed here.
fetch_archive() {
  local python
  python=$(find_pip) || fail "no Python with pip found: the sources of $1 are fetched with it"
  rm -rf "$3"
  mkdir -p "$3"
  retry "$python" -m pip download --quiet --disable-pip-version-check --retries 5 --no-deps \
    --no-binary "$2" --require-hashes -r "requirements/$1.txt" --dest "$3"
  tar -xzf "$3/$2"-*.tar.gz -C "$3" --strip-components 1
}

# The archive carries the amalgamation.
roaring_sources() {
  fetched roaring && return 0
  local download=build/roaring-download
  step "fetching the sources of CRoaring"
  fetch_archive roaring pyroaring "$download"
  rm -rf "$roaring"
  mkdir -p "$roaring"
  mv "$download/pyroaring/roaring.c" "$download/pyroaring/roaring.h" "$roaring/"
  rm -rf "$download"
  digest requirements/roaring.txt >"$roaring/.requirements"
}

# The archive carries the C sources and the script that makes two files of them, under names of our own.
nanoarrow_sources() {
  fetched nanoarrow && return 0
  local download=build/nanoarrow-download python
  python=$(find_pip)
  step "fetching the sources of nanoarrow (about a minute: pip looks at the archive's build first)"
  fetch_archive nanoarrow nanoarrow "$download"
  rm -rf "$nanoarrow"
  "$python" "$download/subprojects/arrow-nanoarrow/ci/scripts/bundle.py" --symbol-namespace sl_i_private_ \
    --header-namespace "" --include-output-dir "$nanoarrow" --source-output-dir "$nanoarrow"
  rm -rf "$download" "$nanoarrow/nanoarrow.hpp"
  digest requirements/nanoarrow.txt >"$nanoarrow/.requirements"
}

blake3_names=(blake3 blake3_dispatch blake3_portable blake3_sse2 blake3_sse41 blake3_avx2 blake3_avx512 blake3_neon)

# The system's library, or the sources of 1.3 or later in whole.
blake3_there() {
  local program found=0
  program=$(mktemp)
  printf '#include <blake3.h>\nint main(void) { return !blake3_version(); }\n' |
    $(compiler) -x c - -lblake3 -o "$program" >/dev/null 2>&1 || blake3_whole "$blake3" || found=1
  rm -f "$program"
  return $found
}

blake3_whole() { # blake3_whole FOLDER
  local name version
  for name in "${blake3_names[@]}"; do [[ -f $1/$name.c ]] || return 1; done
  [[ -f $1/blake3.h && -f $1/blake3_impl.h ]] || return 1
  version=$(sed -n 's/^#define BLAKE3_VERSION_STRING "\([0-9.]*\)".*/\1/p' "$1/blake3.h")
  [[ -n $version ]] && version_at_least "$version" 1.3
}

download_blake3() { apt-get -q -o APT::Sandbox::User=root download librust-blake3-dev; }

# Debian's package of BLAKE3 for Rust carries the C sources. apt knows its hash; nothing of it is installed.
blake3_sources() {
  blake3_there && return 0
  local download=$root/build/blake3-download found
  step "fetching the sources of BLAKE3"
  rm -rf "$download" "$blake3"
  mkdir -p "$download" "$blake3"
  (cd "$download" && { download_blake3 || { apt update && retry download_blake3; }; })
  dpkg -x "$download"/librust-blake3-dev_*.deb "$download/package"
  found=$(find "$download/package" -name blake3_dispatch.c -print -quit)
  if [[ -z $found ]] || ! blake3_whole "${found%/*}"; then
    fail "librust-blake3-dev does not hold BLAKE3's C sources, 1.3 or later: install libblake3 with its header instead"
  fi
  cp "${found%/*}"/blake3*.c "${found%/*}"/blake3{,_impl}.h "$blake3/"
  rm -rf "$download"
}

# --------------------------------------------------------------------------------------------------------- main

what=${1:-all}
case $what in
  all | system) ;;
  *) fail "usage: tools/setup.sh [all|system]" ;;
esac

exclusively setup
system_packages
if [[ $what == all ]]; then
  virtual_environment
  python_packages
  tools/neighbours.sh
fi
roaring_sources
nanoarrow_sources
blake3_sources
