# Sourced by the scripts of tools/, which run in the root of the tree under `set -euo pipefail`.

step() { printf '\n== %s\n' "$*"; }

fail() {
  printf '\n%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# version_at_least 3.25.1 3.20
version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# Downloads may fail for a moment: up to four tries.
retry() {
  local pause
  for pause in 5 15 30; do
    "$@" && return 0
    printf 'failed (%s); again in %s s\n' "$1" "$pause" >&2
    sleep "$pause"
  done
  "$@"
}

# One digest over names and contents of the given files and folders.
digest() {
  find "$@" -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-32
}

# exclusively NAME: from here to its end this script is the only one of that name at work in the tree.
exclusively() {
  mkdir -p build
  if command -v flock >/dev/null 2>&1; then
    exec 9>"build/.lock-$1"
    flock 9
  fi
}
