#!/usr/bin/env bash
# Installs the Debian 12 packages of one or more sets, by name, and nothing else:
#   build   what compiles llmbatch (cmake/dependencies.cmake)
#   test    what the test suite needs besides
#   check   what .ci/run needs besides: clang, clang-tidy, clang-format, libFuzzer
#   browser what shows the HTML report in the tests; without it those tests are skipped
# Where every package is there already it touches neither the network nor apt, so that it is
# quick, works offline, and needs no root then.
#
# usage: scripts/install-packages.sh SET...
set -euo pipefail

build=(
  g++ cmake ninja-build pkgconf
  libcurl4-openssl-dev libsqlite3-dev nlohmann-json3-dev libcli11-dev libfmt-dev libspdlog-dev
  libexpected-dev libsimdjson-dev zlib1g-dev libzstd-dev libxxhash-dev libmicrohttpd-dev
  libtomlplusplus-dev libpcre2-dev libvalijson-dev
  # Not linked, but without the certificates no provider can be reached.
  ca-certificates
)
# dpkg-dev finds the dependencies of the .deb, file tells cpack what to strip.
test=(
  libgtest-dev libgmock-dev python3 sqlite3 openssl nghttp2-server zstd gzip procps dpkg-dev file
  # The man page and the completions are tried with what reads them.
  man-db groff-base zsh fish
)
check=(clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev)
browser=(chromium fonts-dejavu-core)

[ $# -gt 0 ] || { echo "usage: $0 build|test|check|browser..." >&2; exit 2; }
wanted=()
for set in "$@"; do
  case $set in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    check) wanted+=("${check[@]}") ;;
    browser) wanted+=("${browser[@]}") ;;
    *) echo "$0: unknown set '$set' (build, test, check, browser)" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}" >&2
command -v apt-get >/dev/null || {
  echo "$0: no apt-get here; llmbatch is built from the packages of Debian 12" >&2
  exit 1
}
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "$0: run this as root (there is no sudo), or install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
# Nothing reads stdin: a question of apt would hang an unattended run.
"${as_root[@]}" apt-get update -q </dev/null >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null >&2
