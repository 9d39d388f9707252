#!/usr/bin/env bash
# Builds the documentation site, warnings being errors. Needs the package in .venv (`make build`).
#
#   tools/docs.sh            into build/docs
#   tools/docs.sh FOLDER     elsewhere; what Sphinx remembers between builds is kept beside it, in FOLDER.doctrees

set -euo pipefail
cd "$(dirname "$0")/.."
source tools/lib/shell.sh

site=${1:-build/docs}
step "documentation"
.venv/bin/python -m sphinx -q -b html -W --keep-going -d "$site.doctrees" docs "$site"
echo "$site/index.html"
