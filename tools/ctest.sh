#!/usr/bin/env bash
# Builds the C library, its tests and examples in one of these ways and runs them.
#
#   tools/ctest.sh release      as users get it
#   tools/ctest.sh extension    the Python extension, in the same folder: warnings are errors, one symbol exported
#   tools/ctest.sh sanitize     address, leak and undefined-behaviour sanitizers, asserts on
#   tools/ctest.sh threads      thread sanitizer, asserts on; test_threads* only
#
# Further arguments go to ctest, as in: tools/ctest.sh release -R curve

set -euo pipefail
cd "$(dirname "$0")/.."
source tools/lib/shell.sh

variant=${1:-}
shift || true
build=build/$variant
target=all
selection=()
case $variant in
  release | extension)
    build=build/release
    options=(-DCMAKE_BUILD_TYPE=Release -DSL_BUILD_EXAMPLES=ON
      -DSL_BUILD_PYTHON=ON "-DPython_EXECUTABLE=$PWD/.venv/bin/python")
    selection=(-LE extension)
    if [[ $variant == extension ]]; then
      target=_core
      selection=(-L extension)
    fi
    ;;
  sanitize)
    options=(-DCMAKE_BUILD_TYPE=Debug -DSL_BUILD_EXAMPLES=ON -DSL_BUILD_SHARED=OFF
      "-DSL_SANITIZE=address,undefined")
    ;;
  threads)
    options=(-DCMAKE_BUILD_TYPE=Debug -DSL_BUILD_SHARED=OFF -DSL_SANITIZE=thread)
    ;;
  *) fail "usage: tools/ctest.sh release|extension|sanitize|threads [arguments of ctest]" ;;
esac

# The sanitizers' fixed memory layout and kernels that randomise addresses widely do not go together.
launcher=()
if [[ $build != build/release ]] && setarch -R true >/dev/null 2>&1; then
  launcher=(setarch -R)
fi

exclusively "ctest-${build#build/}"
jobs=$(getconf _NPROCESSORS_ONLN)

step "C tests, $variant: build"
cmake -S . -B "$build" -G Ninja --log-level=WARNING -DSL_BUILD_TESTS=ON -DSL_WERROR=ON "${options[@]}"
cmake --build "$build" --target "$target" -j "$jobs"

step "C tests, $variant: run"
"${launcher[@]}" ctest --test-dir "$build" --no-tests=error --output-on-failure -j "$jobs" "${selection[@]}" "$@"
