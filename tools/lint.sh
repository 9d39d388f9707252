#!/usr/bin/env bash
# Checks, or with `format` rewrites, the layout of the sources; checks types and lint.
#
#   tools/lint.sh python     ruff, ruff format, mypy --strict
#   tools/lint.sh c          clang-format
#   tools/lint.sh format     rewrite C and Python sources in place

set -euo pipefail
cd "$(dirname "$0")/.."
source tools/lib/shell.sh

python=.venv/bin/python
python_places=()
for place in python tests bench examples tools docs/conf.py docs/extensions docs/figures; do
  [[ -e $place ]] && python_places+=("$place")
done

c_sources() { find engine include python tests examples bench -name '*.[ch]' -print0; }

case ${1:-} in
  python)
    step "ruff check"
    $python -m ruff check "${python_places[@]}"
    step "ruff format --check"
    $python -m ruff format --check "${python_places[@]}"
    step "mypy --strict"
    $python -m mypy --strict python/starlings
    ;;
  c)
    step "clang-format --dry-run"
    c_sources | xargs -0 .venv/bin/clang-format --dry-run --Werror
    ;;
  format)
    c_sources | xargs -0 .venv/bin/clang-format -i
    $python -m ruff check --fix --quiet "${python_places[@]}" || true
    $python -m ruff format "${python_places[@]}"
    ;;
  *) fail "usage: tools/lint.sh python|c|format" ;;
esac
