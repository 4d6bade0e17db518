#!/usr/bin/env bash
# Is the answer any good? Runs the tickets of examples/tickets.jsonl with a JSON Schema, judges the
# stored answers by a stricter one without a call, has a sample reviewed, and writes the HTML report.
# The answers come from llmbatch's own simulator on 127.0.0.1: no key, no cost, no internet.
#
# usage: examples/checked-answers.sh
# environment: LLMBATCH  a built program to use (default: build/release/llmbatch, see quickstart.sh)
#              LLMBATCH_WORK_DIR  where the results go (default: build/checked-answers)
set -euo pipefail
[ -z "${LLMBATCH:-}" ] || LLMBATCH=$(realpath "$LLMBATCH")
[ -z "${LLMBATCH_WORK_DIR:-}" ] || LLMBATCH_WORK_DIR=$(realpath -m "$LLMBATCH_WORK_DIR")
cd "$(dirname "$0")/.."
program=${LLMBATCH:-$PWD/build/release/llmbatch}
work=${LLMBATCH_WORK_DIR:-$PWD/build/checked-answers}
mkdir -p "$work"
cp examples/tickets.jsonl examples/classify.mustache examples/ticket.schema.json "$work"
cd "$work"
rm -f tickets.jsonl.llmbatch.db*

# A provider that keeps to the schema most of the time.
"$program" simulate --latency 20-60ms --errors notjson=3% >simulator.url 2>simulator.log &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true' EXIT
for _ in $(seq 100); do [ -s simulator.url ] && break; sleep 0.1; done
url=$(cat simulator.url)

# 3 is an end too: finished, but not every item succeeded. Made-up prices show what would be spent.
run() {
  local code=0
  "$program" run tickets.jsonl --prompt-file classify.mustache --base-url "$url" --model simulated \
    --price-input 0.15 --price-output 0.60 --max-cost 1 --max-tokens 100 "$@" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"
}

echo "== every answer must fit ticket.schema.json; what does not is asked once more"
run --schema ticket.schema.json
"$program" export --fields id,output | head -n 3

echo "== a stricter schema, applied to what is stored: nothing is sent"
sed 's/"shipping", "other"/"shipping"/' ticket.schema.json >stricter.schema.json
run --schema stricter.schema.json --recheck
run --schema ticket.schema.json --recheck

echo "== a person looks at a sample (here somebody who likes everything but 'other')"
"$program" review tickets.jsonl.llmbatch.db --sample 20 --export sheet.csv
python3 - <<'PY'
import csv
rows = list(csv.DictReader(open("sheet.csv", newline="")))
for row in rows:
    row["verdict"] = "bad" if '"other"' in row["output"] else "good"
with open("sheet.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
PY
"$program" review tickets.jsonl.llmbatch.db --import sheet.csv --reviewer example

echo "== everything on one page"
"$program" report tickets.jsonl.llmbatch.db -o report.html
echo "report.html is in $work"
