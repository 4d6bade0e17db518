#!/usr/bin/env bash
# The main job in one command: installs what is missing (Debian 12, root or sudo), builds llmbatch,
# classifies the 200 support tickets of examples/tickets.jsonl and shows the results.
#
# Without a provider's key in the environment the answers come from llmbatch's own simulator on
# 127.0.0.1: no key, no cost, no internet. With one they come from that provider's cheap model.
#
# usage: examples/quickstart.sh [--simulator]     --simulator: never use a key, even if one is set
# environment: LLMBATCH  a built program to use; without it one is built in build/release
#              LLMBATCH_QUICKSTART_DIR  where the database goes (default: build/quickstart)
set -euo pipefail
# Given paths count from where the caller stands.
[ -z "${LLMBATCH:-}" ] || LLMBATCH=$(realpath "$LLMBATCH")
[ -z "${LLMBATCH_QUICKSTART_DIR:-}" ] || LLMBATCH_QUICKSTART_DIR=$(realpath -m "$LLMBATCH_QUICKSTART_DIR")
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n%s\n' "$*"; }
# Shows a command as a person would type it, then runs it.
show() {
  local shown="$*"
  printf '$ %s\n' "${shown//"$program"/llmbatch}"
  "$@"
}

use_keys=yes
case "${1:-}" in
  '') ;;
  --simulator) use_keys=no ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; [ "$1" = --help ] || exit 2; exit 0 ;;
esac

# 1. The program.
program=${LLMBATCH:-}
if [ -z "$program" ]; then
  say "Installing what is missing, building llmbatch (some minutes the first time)"
  scripts/install-packages.sh build
  # A build folder that is there already keeps its settings.
  [ -f build/release/build.ninja ] || cmake --preset release -DLLMBATCH_TESTS=OFF
  cmake --build --preset release --target llmbatch
  program=$PWD/build/release/llmbatch
fi

work=${LLMBATCH_QUICKSTART_DIR:-build/quickstart}
mkdir -p "$work"

# 2. Somebody who answers: the first provider with a key, else the simulator.
model=
if [ "$use_keys" = yes ]; then
  while read -r variable candidate; do
    if [ -n "${!variable:-}" ]; then key=$variable model=$candidate; break; fi
  done <<'MODELS'
OPENAI_API_KEY openai/gpt-4o-mini
ANTHROPIC_API_KEY anthropic/claude-haiku-4-5
GOOGLE_API_KEY gemini/gemini-2.5-flash-lite
GEMINI_API_KEY gemini/gemini-2.5-flash-lite
MISTRAL_API_KEY mistral/mistral-small-latest
GROQ_API_KEY groq/llama-3.1-8b-instant
MODELS
fi

simulator=
end_simulator() {
  if [ -n "$simulator" ]; then
    kill "$simulator" 2>/dev/null || true
    wait "$simulator" 2>/dev/null || true
    simulator=
  fi
}
trap end_simulator EXIT

if [ -n "$model" ]; then
  # What was paid for is kept: another start of this script finds it and asks nothing again.
  database=$work/tickets.${model//\//-}.llmbatch.db
  target=(--model "$model")
  say "$key is set: 200 short tickets go to $model (some 50,000 tokens, a few US cents at most)"
  echo "Ctrl-C stops; $0 --simulator leaves the key alone."
  if [ -t 0 ]; then sleep 5; fi
else
  database=$work/tickets.llmbatch.db
  rm -f "$database" "$database"-wal "$database"-shm
  say "No provider's key in use: starting llmbatch's simulator, which answers at random"
  rm -f "$work/simulator.url"
  "$program" simulate --port 0 --answer classify --latency 50-250ms >"$work/simulator.url" \
    2>"$work/simulator.log" </dev/null &
  simulator=$!
  for _ in $(seq 200); do
    read -r url <"$work/simulator.url" && break
    kill -0 "$simulator" 2>/dev/null || { cat "$work/simulator.log" >&2; exit 1; }
    sleep 0.05
  done
  [ -n "${url:-}" ] || { echo "$0: the simulator did not start" >&2; exit 1; }
  echo "it listens at $url"
  target=(--base-url "$url" --model simulated)
fi

# 3. The job. Exit code 3 is an end too: finished, but not every item succeeded.
run=("$program" run examples/tickets.jsonl --prompt-file examples/classify.mustache
  "${target[@]}" --max-tokens 20 --rpm 3000 --db "$database")
say "The job: every ticket becomes a prompt, at most 3,000 requests per minute"
code=0; show "${run[@]}" || code=$?
[ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"

say "The same command again, as after a crash or from cron: nothing is left to do"
code=0; show "${run[@]}" || code=$?
[ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"

say "Results, in the order of the input"
show "$program" export "$database" --fields id,state,output --output "$work/results.jsonl"
head -n 3 "$work/results.jsonl"
echo "... $(wc -l <"$work/results.jsonl") lines in $work/results.jsonl; answers, counted:"
"$program" export "$database" --fields output | sort | uniq -c | sort -rn | head -n 6

say "Status"
show "$program" status "$database"

say "Next, in $PWD"
cat <<NEXT
  ${program#"$PWD"/} status $database --json
  ${program#"$PWD"/} export $database --format csv --with response
  sqlite3 $database 'select * from results limit 5'
  ${program#"$PWD"/} run your.jsonl --model openai/gpt-4o-mini --rpm 500     (with OPENAI_API_KEY set)
  ${program#"$PWD"/} run your.jsonl --model openai/gpt-4o-mini --rehearse    (no key, no cost)
NEXT
