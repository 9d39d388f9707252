#!/usr/bin/env bash
# Builds the Python package and installs it into .venv; does nothing when the installed one was built from these very
# sources. Needs tools/setup.sh first.

set -euo pipefail
cd "$(dirname "$0")/.."
source tools/lib/shell.sh

exclusively package
stamp=.venv/.package
wanted=$(digest .third-party engine include python cmake CMakeLists.txt pyproject.toml README.md LICENSE)
if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then
  exit 0
fi

step "building and installing the Python package"
rm -f "$stamp"
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
  --no-index --no-deps --no-build-isolation --force-reinstall .
.venv/bin/python -c 'import starlings' # a package that does not import is an error here, not later
printf '%s' "$wanted" >"$stamp"
