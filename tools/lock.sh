#!/usr/bin/env bash
# Resolves requirements/dev.in into requirements/dev.txt: versions and hashes, one set for every supported Python.

set -euo pipefail
cd "$(dirname "$0")/.."
source tools/lib/shell.sh

step "resolving requirements/dev.in"
python3 -m venv build/lock
build/lock/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/lock.in
build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-header --no-annotate \
  requirements/dev.in --output-file requirements/dev.txt
