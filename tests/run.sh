#!/usr/bin/env bash
# Everything from nothing: installs what is missing, builds a release, runs every test. Works on a
# bare Debian 12 as root or with sudo; arguments go to ctest (tests/run.sh -R Store -V).
#
# environment: LLMBATCH_BUILD_JOBS, LLMBATCH_TEST_JOBS (default: 2 tests at a time).
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
scripts/install-packages.sh build test
# Not every machine has a browser for it; CTest shows its tests as skipped then.
scripts/install-packages.sh browser || echo "no browser: the report is not tested in one" >&2
echo "packages: $((SECONDS - start)) s"

start=$SECONDS
cmake --preset release -DLLMBATCH_TESTS=ON
cmake --build --preset release ${LLMBATCH_BUILD_JOBS:+--parallel "$LLMBATCH_BUILD_JOBS"}
echo "build: $((SECONDS - start)) s"

# Tests that need the machine for themselves say so (RUN_SERIAL), the others run side by side.
exec ctest --preset release -j "${LLMBATCH_TEST_JOBS:-2}" "$@" </dev/null
