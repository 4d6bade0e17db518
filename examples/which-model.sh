#!/usr/bin/env bash
# Which model is good enough? Compares three models on 100 of the labelled tickets of
# examples/tickets.jsonl and shows the table, the verdict and two tickets that were sorted wrongly.
# The answers come from llmbatch's own simulator on 127.0.0.1: no key, no cost, no internet.
#
# usage: examples/which-model.sh
# environment: LLMBATCH  a built program to use (default: build/release/llmbatch, see quickstart.sh)
#              LLMBATCH_WORK_DIR  where the comparison goes (default: build/which-model)
set -euo pipefail
[ -z "${LLMBATCH:-}" ] || LLMBATCH=$(realpath "$LLMBATCH")
[ -z "${LLMBATCH_WORK_DIR:-}" ] || LLMBATCH_WORK_DIR=$(realpath -m "$LLMBATCH_WORK_DIR")
cd "$(dirname "$0")/.."
program=${LLMBATCH:-$PWD/build/release/llmbatch}
work=${LLMBATCH_WORK_DIR:-$PWD/build/which-model}
mkdir -p "$work"
cp examples/tickets.jsonl examples/classify.mustache "$work"
cd "$work"

# A provider whose models are right more or less often.
"$program" simulate --answer classify --latency 20-60ms \
  --model-accuracy gpt-4o=98%,gpt-4o-mini=94%,gpt-4.1-nano=80% >simulator.url 2>simulator.log &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true' EXIT
for _ in $(seq 100); do [ -s simulator.url ] && break; sleep 0.1; done
url=$(cat simulator.url)

compare=("$program" compare tickets.jsonl --prompt-file classify.mustache --expect label
  --base-url "$url" --models gpt-4o,gpt-4o-mini,gpt-4.1-nano --quiet)
"${compare[@]}" --show-disagreements=2

# The same command again sends nothing: what is stored is judged anew, here into files.
"${compare[@]}" --json --answers answers.csv >result.json
echo "result.json and answers.csv are in $work"
