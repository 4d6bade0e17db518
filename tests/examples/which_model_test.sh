#!/usr/bin/env bash
# Runs examples/which-model.sh with the program in LLMBATCH and judges what it leaves: a verdict, and
# one answer of each of the three models per item of the sample.
# usage: which_model_test.sh WORK_DIRECTORY
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
fail() { echo "which-model: $*" >&2; exit 1; }

rm -rf "$work"
mkdir -p "$work"
cd "$work"
LLMBATCH_WORK_DIR=$work "$root/examples/which-model.sh" >shown.txt || fail "exit code $?"
grep -q '^tickets.jsonl: a sample of 100 of 200 items' shown.txt || fail "no table"
grep -q '^  expected: ' shown.txt || fail "no disagreement"
[ "$(wc -l <answers.csv)" -ge 301 ] || fail "$(wc -l <answers.csv) lines of answers"
grep -q '"verdict":"..*"' result.json || fail "no verdict"
url=$(cat simulator.url)
port=${url##*:} port=${port%%/*}
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "the simulator still runs"; fi
