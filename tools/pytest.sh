#!/usr/bin/env bash
# Runs the Python tests on the package installed in .venv. Arguments go to pytest: tools/pytest.sh -k curve

set -euo pipefail
cd "$(dirname "$0")/.."
source tools/lib/shell.sh

step "Python tests"
.venv/bin/python -m pytest tests/python "$@"
