#!/usr/bin/env bash
# Runs examples/checked-answers.sh with the program in LLMBATCH and judges what it leaves: answers
# that fit the schema, a recheck that sent nothing, verdicts, and a report.
# usage: checked_answers_test.sh WORK_DIRECTORY
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
fail() { echo "checked-answers: $*" >&2; exit 1; }

rm -rf "$work"
mkdir -p "$work"
cd "$work"
LLMBATCH_WORK_DIR=$work "$root/examples/checked-answers.sh" >shown.txt 2>messages.txt || fail "exit code $?: $(tail -n 5 messages.txt)"
"$LLMBATCH" export --state succeeded --fields output >outputs.jsonl
[ "$(wc -l <outputs.jsonl)" -ge 150 ] || fail "only $(wc -l <outputs.jsonl) items succeeded"
if grep -vE '^\{"output":\{("label":"(billing|technical|account|shipping|other)"|"urgent":(true|false)|,){3}\}\}$' outputs.jsonl; then
  fail "an answer that succeeded does not fit the schema"
fi
grep -q 'judged anew: .* nothing was sent' messages.txt || fail "no recheck"
verdicts=$(sqlite3 tickets.jsonl.llmbatch.db 'select count(*) from verdicts')
[ "$verdicts" -eq 20 ] || fail "$verdicts verdicts of 20"
grep -q '<html' report.html || fail "no report"
