#!/usr/bin/env bash
# Runs examples/quickstart.sh with the program in LLMBATCH, twice and from another directory, and
# judges what it leaves: one answer per ticket, no simulator, nothing new in the checkout.
# usage: quickstart_test.sh WORK_DIRECTORY
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
fail() { echo "quickstart: $*" >&2; exit 1; }

rm -rf "$work"
mkdir -p "$work"
cd "$work"
before=$(cd "$root" && find examples src include | sort | cksum)
for _ in 1 2; do
  # A key that leads nowhere: --simulator must not touch it.
  OPENAI_API_KEY=none LLMBATCH_QUICKSTART_DIR=$work "$root/examples/quickstart.sh" --simulator ||
    fail "exit code $?"
  tickets=$(wc -l <"$root/examples/tickets.jsonl")
  answers=$(grep -cE '"state":"succeeded","output":"(billing|technical|account|shipping|other)"' \
    "$work/results.jsonl") || true
  [ "$answers" -eq "$tickets" ] || fail "$answers good answers of $tickets tickets"
  url=$(cat "$work/simulator.url")
  port=${url##*:} port=${port%%/*}
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "the simulator still runs"; fi
done
after=$(cd "$root" && find examples src include | sort | cksum)
[ "$before" = "$after" ] || fail "the checkout has changed"
