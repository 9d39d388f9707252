#!/usr/bin/env bash
# Resolves requirements/dev.in and the two neighbours*.in into the .txt beside them: versions and hashes, one set for every
# supported Python.

set -euo pipefail
cd "$(dirname "$0")/.."
source tools/lib/shell.sh

step "resolving requirements/*.in"
python3 -m venv build/lock
build/lock/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/lock.in

resolve() { # resolve NAME [OPTION...]
  build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
    --generate-hashes --no-header --no-annotate "${@:2}" \
    "requirements/$1.in" --output-file "requirements/$1.txt"
}

resolve dev
resolve neighbours --no-deps
resolve neighbours-compiled --no-deps
