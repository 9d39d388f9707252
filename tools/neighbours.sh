#!/usr/bin/env bash
# Installs the packages whose formats the adapters know and that cannot be in .venv itself (dedupe, Matchbox, Zingg's client)
# into .venv/neighbours, where only their tests look. Quick when they are there. tools/setup.sh calls it; needs .venv.

set -euo pipefail
cd "$(dirname "$0")/.."
source tools/lib/shell.sh

# What they say themselves; the tests that want them are left out on later ones.
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info >= (3, 14))'; then
  step "Matchbox and dedupe are not for this Python yet (3.14): their tests will be left out"
  exit 0
fi

place=.venv/neighbours
wanted=$(digest requirements/neighbours.txt requirements/neighbours-compiled.txt)
if [[ -f $place/.requirements && $(<"$place/.requirements") == "$wanted" ]]; then
  exit 0
fi

# Installed into a folder of its own, which is renamed once all is there: what a killed attempt left, or its pip is still
# writing, is never taken for the packages.
made=.venv/neighbours-$$
trap 'rm -rf "$made"' EXIT

install() {
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --retries 5 --no-deps --require-hashes \
    --target "$made" "$@"
}

install_all() {
  # Compiled, where they are, with the Cython that was just installed, not with whatever is the newest today.
  rm -rf "$made" &&
    install --only-binary :all: -r requirements/neighbours.txt &&
    PYTHONPATH=$PWD/$made install --prefer-binary --no-build-isolation -r requirements/neighbours-compiled.txt
}

step "installing the packages of requirements/neighbours.txt"
rm -rf .venv/neighbours-*
retry install_all
printf '%s' "$wanted" >"$made/.requirements"
rm -rf "$place"
mv "$made" "$place"
