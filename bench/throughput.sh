#!/bin/bash
# Durable throughput with 50 calls in flight: llmbatch run (defaults on: preflight, raw response and
# attempts stored, synchronous=FULL) against h2load, which parses and stores nothing, and against
# the usual hand-written script (Python, aiohttp, workers, a SQLite commit per result), all on the
# same nginx worker with a static 740-byte completion. Client and server share the cores.
#
# Read it as: "of h2load" is how much of the possible is left after everything is durable;
# "times aiohttp" is what a user gains. llmbatch and aiohttp are timed from start to exit, h2load by
# its own clock. The goal holds for the script with the same promise (synchronous=FULL), which also
# depends on the disk; beside it stands the script without its fsync, which does not. Medians of the rounds' ratios; the tools take turns.
#
# usage: throughput.sh [--items N] [--rounds N] [--in-flight N] [--prompt-bytes N] [--tls]
. "$(dirname "$0")/lib.sh"

items=200000 rounds=5 in_flight=50 prompt_bytes=2000 tls=''
while [ $# -gt 0 ]; do
  case $1 in
    --items) items=$2; shift 2 ;;
    --rounds) rounds=$2; shift 2 ;;
    --in-flight) in_flight=$2; shift 2 ;;
    --prompt-bytes) prompt_bytes=$2; shift 2 ;;
    --tls) tls=tls; shift ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
need h2load nghttp2-client
need curl curl
"$python" -c 'import aiohttp' 2>/dev/null || install_package python3-aiohttp
start_nginx long "$tls"

make_items "$items" "$prompt_bytes" >items.jsonl
aiohttp_items=$((items / 20 > 1000 ? items / 20 : 1000))
make_items "$aiohttp_items" "$prompt_bytes" >few.jsonl
"$python" - <<'PY'
import json
item = json.loads(open("items.jsonl").readline())
body = {"model": "bench", "messages": [{"role": "user", "content": item["prompt"]}]}
open("body.json", "w").write(json.dumps(body))
PY

options=(--concurrency "$in_flight")
if [ "$tls" ]; then options+=(--cacert "$work/cert.pem"); fi

run_h2load() {
  h2load --h1 -n "$items" -c "$in_flight" -t 1 -d body.json -H 'content-type: application/json' \
    "$base_url/chat/completions" >h2load.out
  grep -q ", 0 failed, 0 errored" h2load.out || die "h2load: $(grep '^requests' h2load.out)"
  awk '/^finished in/ { print $4 }' h2load.out
}

# run_aiohttp SYNCHRONOUS: sets $slow and how many $times faster llmbatch was.
run_aiohttp() {
  rm -f few.db*
  measure "$python" "$bench_dir/reference/aiohttp_sqlite.py" few.jsonl few.db "$base_url" \
    "$in_flight" "$1"
  must_succeed
  slow=$(calc "$aiohttp_items / $wall" 0)
  times=$(calc "$rate / $slow" 1)
}

h2load_ratios=() aiohttp_ratios=() relaxed_ratios=()
for round in $(seq "$rounds"); do
  reference=$(run_h2load)
  rm -f items.db*
  run_job items.jsonl items.db "${options[@]}"
  must_succeed
  rate=$(calc "$items / $wall" 0)
  ratio=$(calc "$rate / $reference")
  h2load_ratios+=("$ratio")
  line="round $round: h2load $reference/s, llmbatch $rate/s ($(calc "$cpu * 1e6 / $items" 1) us CPU"
  line+=" per item), $ratio of h2load"
  if [ -z "$tls" ]; then
    run_aiohttp full
    aiohttp_ratios+=("$times")
    line+="; aiohttp + SQLite $slow/s, $times times"
    run_aiohttp normal
    relaxed_ratios+=("$times")
    line+="; without its fsync $slow/s, $times times"
  fi
  echo "$line"
done
echo "database: $(($(stat -c %s items.db) / items)) bytes per item"

if [ "$tls" ]; then
  goal "throughput over TLS, share of h2load" '>=' 0.40 "$(median "${h2load_ratios[@]}")"
else
  echo "llmbatch with fsync is $(median "${relaxed_ratios[@]}") times aiohttp + SQLite without"
  goal "throughput, share of h2load" '>=' 0.30 "$(median "${h2load_ratios[@]}")"
  goal "throughput, times aiohttp + SQLite" '>=' 12 "$(median "${aiohttp_ratios[@]}")"
fi
